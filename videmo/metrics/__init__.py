"""Metrics in pairs, as torchmetrics has them: a function on tensors or texts, and a module that accumulates."""

from videmo.metrics.accuracy import UNPARSED, SingleLabelAccuracy, single_label_accuracy
from videmo.metrics.bootstrap import bootstrap_interval
from videmo.metrics.multilabel_f1 import MultilabelSampleF1, multi_hot, multilabel_sample_f1, sample_f1_scores
from videmo.metrics.rouge import CaptionRougeL, caption_rouge_l, rouge_l
from videmo.metrics.task_score import TaskScore, summarise_scores, task_scores
from videmo.metrics.tree_f1 import caption_tree_f1

__all__ = [
    "UNPARSED",
    "CaptionRougeL",
    "MultilabelSampleF1",
    "SingleLabelAccuracy",
    "TaskScore",
    "bootstrap_interval",
    "caption_rouge_l",
    "caption_tree_f1",
    "multi_hot",
    "multilabel_sample_f1",
    "rouge_l",
    "sample_f1_scores",
    "single_label_accuracy",
    "summarise_scores",
    "task_scores",
]

"""Metrics in pairs, as torchmetrics has them: a function on tensors or texts, and a module that accumulates."""

from videmo.metrics.bootstrap import bootstrap_interval, paired_bootstrap
from videmo.metrics.confusion import (
    UNPARSED,
    LabelConfusion,
    class_f1,
    confusion_figures,
    label_confusion,
    uar,
    war,
)
from videmo.metrics.label_f1 import LabelF1, label_counts, label_figures
from videmo.metrics.multilabel_f1 import MultilabelSampleF1, multi_hot, multilabel_sample_f1, sample_f1_scores
from videmo.metrics.rouge import CaptionRougeL, caption_rouge_l, rouge_l
from videmo.metrics.task_labels import count_task_labels, task_labels
from videmo.metrics.task_score import TaskScore, task_scores
from videmo.metrics.tree_f1 import caption_tree_f1

__all__ = [
    "UNPARSED",
    "CaptionRougeL",
    "LabelConfusion",
    "LabelF1",
    "MultilabelSampleF1",
    "TaskScore",
    "bootstrap_interval",
    "caption_rouge_l",
    "caption_tree_f1",
    "class_f1",
    "confusion_figures",
    "count_task_labels",
    "label_confusion",
    "label_counts",
    "label_figures",
    "multi_hot",
    "multilabel_sample_f1",
    "paired_bootstrap",
    "rouge_l",
    "sample_f1_scores",
    "task_labels",
    "task_scores",
    "uar",
    "war",
]

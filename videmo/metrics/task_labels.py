"""The labels that a task's answers name, counted from texts: what UAR, WAR and F1 over all samples are derived from.

Tasks of one label (choices, yes/no) fill a confusion matrix, tasks of label sets a table of each label's hits and
misses. Captions and open answers name no labels of a fixed set, so they have neither.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from videmo.metrics.confusion import UNPARSED, confusion_figures, label_confusion
from videmo.metrics.label_f1 import label_counts, label_figures
from videmo.metrics.multilabel_f1 import multi_hot
from videmo.tasks import Answer, Task, task_labels


class LabelKind(NamedTuple):
    """How the labels of one kind of task are counted, and what is derived from the counts."""

    count: Callable[[Sequence[Answer | None], Sequence[Answer], Sequence[str]], Tensor]
    figures: Callable[[Tensor], dict[str, Tensor]]


def _count_single(preds: Sequence[Answer | None], target: Sequence[Answer], labels: Sequence[str]) -> Tensor:
    place: dict[Answer | None, int] = {label: i for i, label in enumerate(labels)}
    answered = torch.tensor([place.get(answer, UNPARSED) for answer in preds], dtype=torch.long)  # [N]
    truth = torch.tensor([place[answer] for answer in target], dtype=torch.long)  # [N]
    return label_confusion(answered, truth, len(labels))


def _count_sets(preds: Sequence[Answer | None], target: Sequence[Answer], labels: Sequence[str]) -> Tensor:
    return label_counts(multi_hot([answer or () for answer in preds], labels), multi_hot(target, labels))


_SINGLE = LabelKind(_count_single, confusion_figures)
LABEL_KINDS = {"single_choice": _SINGLE, "yes_no": _SINGLE, "multi_label": LabelKind(_count_sets, label_figures)}


class LabelCounts(NamedTuple):
    """Counted labels.

    Attributes:
        counts: A confusion matrix [C, C + 1], or [L, 4] as `label_counts` has it; empty where a task has no labels.
        unlisted: Samples whose reference names a label that the task does not list: left out of `counts`.
    """

    counts: Tensor
    unlisted: int


def count_task_labels(
    task: Task, responses: Sequence[str], references: Sequence[str], questions: Sequence[str]
) -> LabelCounts:
    """Count what answers and references name.

    A reference that cannot be read is left out (``unscorable`` in the scores). An answer that cannot be read stands in
    the last column of a confusion matrix, and is an empty set of labels; so does, and is, one that names only labels
    which the task does not list.

    Example:
        >>> from videmo.tasks import find_task
        >>> count_task_labels(find_task("MEAD_ID"), ["Yes", "Who knows"], ["Yes", "No"], ["One person?"] * 2).counts
        tensor([[1, 0, 0],
                [0, 0, 1]])
    """
    samples = zip(responses, references, questions, strict=True)
    return count_labels(task, [(task.parse(said, asked), task.parse(truth, asked)) for said, truth, asked in samples])


def count_labels(task: Task, read: Sequence[tuple[Answer | None, Answer | None]]) -> LabelCounts:
    """``count_task_labels`` of answers with their references, both as they were read."""
    if task.kind not in LABEL_KINDS:
        return LabelCounts(torch.zeros(0, dtype=torch.long), 0)
    labels = task_labels(task)
    known = [(answer, truth) for answer, truth in read if truth is not None]
    listed = [pair for pair in known if ({pair[1]} if isinstance(pair[1], str) else pair[1]) <= set(labels)]
    counts = LABEL_KINDS[task.kind].count([answer for answer, _ in listed], [truth for _, truth in listed], labels)
    return LabelCounts(counts, len(known) - len(listed))

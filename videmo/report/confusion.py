"""Confusion matrices of the tasks whose answers are one label: rows are the truth, columns what was answered."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from videmo.benchmark.predictions import Prediction
from videmo.report.results import Method
from videmo.tasks import Task, task_labels

UNREAD = "unread"
KINDS = ("single_choice", "yes_no")


@dataclass(frozen=True)
class Confusion:
    """How often each label was answered to each truth.

    Attributes:
        labels: The rows, in the task's order; the columns are these and then `UNREAD`.
        counts: ``[rows][columns]``.
        left_out: Answers whose reference names no label, in no row.
    """

    labels: list[str]
    counts: list[list[int]]
    left_out: int = 0

    def to_json(self) -> dict:
        return {"labels": self.labels, "counts": self.counts, "leftOut": self.left_out}


def confusion(task: Task, predictions: Sequence[Prediction]) -> Confusion:
    """The matrix of a task; labels that neither truth nor answers name are kept if the task lists them.

    Example:
        >>> from videmo.data.records import parse_record
        >>> from videmo.tasks import find_task
        >>> def said(text):
        ...     turns = [{"role": "user", "content": "One person?"}, {"role": "assistant", "content": "No"}]
        ...     return Prediction(parse_record({"messages": turns}, "MEAD_ID.json", 1), text)
        >>> confusion(find_task("MEAD_ID"), [said("Yes"), said("No"), said("Perhaps")]).counts  # the truth is No
        [[0, 0, 0], [1, 1, 1]]
    """
    pairs = Counter()
    for prediction in predictions:
        question = prediction.record.question
        truth = task.parse(prediction.record.answer, question)
        pairs[truth, task.parse(prediction.response, question)] += 1
    found = {label for pair in pairs for label in pair if isinstance(label, str)}
    known = list(task_labels(task))
    labels = known + sorted(found - set(known))
    counts = [[pairs[truth, answer] for answer in [*labels, None]] for truth in labels]
    return Confusion(labels, counts, sum(n for (truth, _), n in pairs.items() if truth is None))


def confusions(methods: Sequence[Method]) -> dict[str, dict[str, Confusion]]:
    """Task -> method -> matrix, for every task of one label that any method answered."""
    tasks = dict.fromkeys(task for kind in KINDS for m in methods for task in m.predictions if task.kind == kind)
    return {
        task.name: {m.name: confusion(task, m.predictions[task]) for m in methods if task in m.predictions}
        for task in tasks
    }

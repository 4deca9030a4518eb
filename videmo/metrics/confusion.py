"""Answers of one label: a confusion matrix with a column for answers that could not be read, and what it says.

Rows are the truth, columns what was answered, the last column what named no label. Everything is derived from this one
state: WAR (accuracy), UAR (mean class recall), the recall of each class, macro and micro F1. An answer that could not
be read is a miss of its class and a wrong hit of none, and is always counted.

The counting is torchmetrics'. Its recall and F1 are not used: they know an answer as a class or leave it out
(`ignore_index`), and count a class that is answered but never the truth as one whose recall is 0. An unread answer
would leave the denominators, or lower the mean over classes once more.
"""

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.classification import multiclass_confusion_matrix

UNPARSED = -1
"""The prediction of an answer that could not be read: never right, always counted."""


def label_confusion(preds: Tensor, target: Tensor, num_labels: int) -> Tensor:
    """How often each label was answered to each truth: [C, C + 1], the last column for what could not be read.

    Args:
        preds: Label indices [N]; `UNPARSED` (-1) where the answer could not be read.
        target: Label indices [N]. A sample without a true label cannot be scored: leave it out, and count it.
        num_labels: C.

    Raises:
        ValueError: If the shapes differ, or an index is none of a label.

    Example:
        >>> label_confusion(torch.tensor([0, 1, -1, 2]), torch.tensor([0, 1, 1, 1]), num_labels=3)
        tensor([[1, 0, 0, 0],
                [0, 1, 1, 1],
                [0, 0, 0, 0]])
    """
    if preds.shape != target.shape or preds.ndim != 1:
        raise ValueError(
            f"expected preds and target of one shape [N], got {list(preds.shape)} and {list(target.shape)}"
        )
    for name, labels, lowest in (("preds", preds, UNPARSED), ("target", target, 0)):
        if ((labels < lowest) | (labels >= num_labels)).any():
            found = f"{labels.min().item()} to {labels.max().item()}"
            raise ValueError(f"expected {name} from {lowest} to {num_labels - 1} for {num_labels} labels, got {found}")
    columns = torch.where(preds == UNPARSED, num_labels, preds)  # [N]
    return multiclass_confusion_matrix(columns, target, num_labels + 1, validate_args=False)[:-1]  # never the truth


def war(confusion: Tensor) -> Tensor:
    """Weighted average recall, which is accuracy: the share of all samples that are right; NaN without samples."""
    return confusion.diagonal().sum() / confusion.sum()


def class_recalls(confusion: Tensor) -> Tensor:
    """The share of each class's samples that are right [C]; NaN for a class that is never the truth."""
    return confusion.diagonal() / confusion.sum(1)


def uar(confusion: Tensor) -> Tensor:
    """Unweighted average recall: the mean recall of the classes that occur in the truth; NaN without samples.

    Example:
        >>> uar(torch.tensor([[1, 0, 0, 0], [0, 1, 1, 1], [0, 0, 0, 0]]))  # (1 + 1/3) / 2
        tensor(0.6667)
    """
    return class_recalls(confusion).nanmean()


def class_f1(confusion: Tensor) -> Tensor:
    """F1 of each class [C]; NaN for one that neither truth nor answers name."""
    right, answered = confusion.diagonal(), confusion[:, :-1].sum(0)  # [C]
    return 2 * right / (confusion.sum(1) + answered)


def macro_f1(confusion: Tensor) -> Tensor:
    """The mean F1 of the classes that truth or answers name (as scikit-learn counts them); NaN without samples."""
    return class_f1(confusion).nanmean()


def micro_f1(confusion: Tensor) -> Tensor:
    """F1 of all classes' counts together; NaN without samples.

    It is the accuracy where every answer was read. An unread answer costs recall but no precision, so this is above
    WAR where there are any: compare methods by WAR.

    Example:
        >>> micro_f1(torch.tensor([[1, 0, 0, 0], [0, 1, 1, 1], [0, 0, 0, 0]]))  # 2 right, 4 samples, 3 read
        tensor(0.5714)
    """
    return 2 * confusion.diagonal().sum() / (confusion.sum() + confusion[:, :-1].sum())


def confusion_figures(confusion: Tensor) -> dict[str, Tensor]:
    """All that the matrix [C, C + 1] says, the matrix too: ``confusion`` and, of each class, ``recall`` [C]."""
    return {
        "war": war(confusion),
        "uar": uar(confusion),
        "macro_f1": macro_f1(confusion),
        "micro_f1": micro_f1(confusion),
        "recall": class_recalls(confusion),
        "confusion": confusion,
    }


class LabelConfusion(Metric):
    """Module form of `label_confusion`; integer counts, so exact under DDP. `confusion_figures` reads the result.

    Args:
        num_labels: C.
    """

    is_differentiable = False
    full_state_update = False

    confusion: Tensor

    def __init__(self, num_labels: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.num_labels = num_labels
        self.add_state("confusion", torch.zeros(num_labels, num_labels + 1, dtype=torch.long), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        self.confusion = self.confusion + label_confusion(preds, target, self.num_labels)  # in place, results change

    def compute(self) -> Tensor:
        return self.confusion

"""Accuracy over single labels: all samples in the denominator, also those whose answer could not be read."""

import torch
from torch import Tensor
from torchmetrics import Metric

UNPARSED = -1
"""The prediction of an answer that could not be read: never right, always counted."""


def _update(preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    if preds.shape != target.shape or preds.ndim != 1:
        raise ValueError(
            f"expected preds and target of one shape [N], got {list(preds.shape)} and {list(target.shape)}"
        )
    right = (preds == target) & (preds != UNPARSED)  # [N]
    return right.sum(), torch.tensor(preds.numel(), device=preds.device)


def single_label_accuracy(preds: Tensor, target: Tensor) -> Tensor:
    """The share of samples whose label is right; NaN without samples.

    Args:
        preds: Label indices [N]; `UNPARSED` (-1) where the answer could not be read.
        target: Label indices [N].

    Example:
        >>> single_label_accuracy(torch.tensor([0, 1, -1, 2]), torch.tensor([0, 1, 1, 1]))
        tensor(0.5000)
    """
    right, total = _update(preds, target)
    return right / total


class SingleLabelAccuracy(Metric):
    """Module form of `single_label_accuracy`."""

    higher_is_better = True
    is_differentiable = False
    full_state_update = False

    right: Tensor
    total: Tensor

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.add_state("right", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("total", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        right, total = _update(preds, target)
        self.right += right
        self.total += total

    def compute(self) -> Tensor:
        return self.right / self.total

"""F1 of each sample's label set, averaged over samples: appearance, actions, action units.

`empty_score` is what a sample gets where nothing is predicted and nothing is there: 1 natively, 0 in the authors'
release (scikit-learn's default), so 0 for the published columns.

The functions here see sets only. An answer that could not be read is no empty set, and scores 0 even where nothing is
there: `videmo.metrics.TaskScore` sees to that.
"""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor
from torchmetrics import MeanMetric


def multi_hot(label_sets: Sequence[Collection[str]], labels: Sequence[str]) -> Tensor:
    """Label sets as a boolean tensor [N, L] in the order of `labels`.

    Example:
        >>> multi_hot([{"b"}, set()], ["a", "b"]).tolist()
        [[False, True], [False, False]]
    """
    rows = [[label in present for label in labels] for present in label_sets]
    return torch.tensor(rows, dtype=torch.bool).reshape(len(label_sets), len(labels))


def sample_f1_scores(preds: Tensor, target: Tensor, empty_score: float = 1.0) -> Tensor:
    """F1 of every sample, float [N], from multi-hot [N, L]."""
    if preds.shape != target.shape or preds.ndim != 2:
        raise ValueError(f"expected multi-hot [N, L] twice, got {list(preds.shape)} and {list(target.shape)}")
    preds, target = preds.bool(), target.bool()
    shared = (preds & target).sum(1)  # [N]
    sizes = preds.sum(1) + target.sum(1)  # [N]
    return torch.where(sizes == 0, empty_score, 2 * shared / sizes.clamp(min=1))  # [N]


def multilabel_sample_f1(preds: Tensor, target: Tensor, empty_score: float = 1.0) -> Tensor:
    """The mean over samples of the F1 of each sample's labels; NaN without samples.

    Args:
        preds: Multi-hot [N, L].
        target: Multi-hot [N, L].
        empty_score: The score of an empty prediction for an empty target.

    Example:
        >>> preds, target = torch.tensor([[1, 1, 0], [0, 0, 0]]), torch.tensor([[1, 0, 1], [0, 0, 0]])
        >>> multilabel_sample_f1(preds, target), multilabel_sample_f1(preds, target, empty_score=0.0)
        (tensor(0.7500), tensor(0.2500))
    """
    return sample_f1_scores(preds, target, empty_score).mean()


class MultilabelSampleF1(MeanMetric):
    """Module form of `multilabel_sample_f1`."""

    higher_is_better = True
    is_differentiable = False

    def __init__(self, empty_score: float = 1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.empty_score = empty_score

    def update(self, preds: Tensor, target: Tensor) -> None:  # pyrefly: ignore[bad-override]
        super().update(sample_f1_scores(preds, target, self.empty_score))

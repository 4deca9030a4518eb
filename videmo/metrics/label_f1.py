"""Precision, recall and F1 of each label over all samples, and their macro and micro means: what sample F1 hides.

A rare label hardly moves the mean F1 of samples (`videmo.metrics.multilabel_f1`); here it weighs as much as any. An
answer that could not be read predicts nothing, and how many there are stands beside. The counts are plain sums:
torchmetrics' own refuse a batch without samples, and its macro F1 leaves out labels that scikit-learn counts as 0.
"""

import torch
from torch import Tensor
from torchmetrics import Metric


def label_counts(preds: Tensor, target: Tensor, parsed: Tensor | None = None) -> Tensor:
    """True positives, false positives, false negatives and true negatives of each label, [L, 4].

    Args:
        preds: Multi-hot [N, L].
        target: Multi-hot [N, L].
        parsed: Which answers could be read [N]; the others predict nothing, whatever stands in `preds`.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> preds, target = torch.tensor([[1, 1, 0], [1, 0, 0]]), torch.tensor([[1, 0, 1], [1, 0, 0]])
        >>> label_counts(preds, target).tolist()
        [[2, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 1]]
    """
    if preds.shape != target.shape or preds.ndim != 2:
        raise ValueError(f"expected multi-hot [N, L] twice, got {list(preds.shape)} and {list(target.shape)}")
    preds, target = preds.bool(), target.bool()
    if parsed is not None:
        if parsed.shape != preds.shape[:1]:
            raise ValueError(f"expected parsed of shape [{len(preds)}], one an answer, got {list(parsed.shape)}")
        preds = preds & parsed.bool()[:, None]
    cells = (preds & target, preds & ~target, ~preds & target, ~preds & ~target)
    return torch.stack([cell.sum(0) for cell in cells], 1)


def label_figures(counts: Tensor) -> dict[str, Tensor]:
    """What the counts [L, 4] say: 0 where a denominator is 0, as scikit-learn has it, and NaN without samples.

    Returns:
        ``macro_f1``: the mean F1 of all labels, with 0 for one that neither truth nor answers name; ``micro_f1``: F1
        of all labels' counts together; of each label ``precision``, ``recall``, ``f1`` and ``support`` (samples that
        have it), [L] each.

    Example:
        >>> figures = label_figures(torch.tensor([[2, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 1]]))
        >>> figures["macro_f1"], figures["micro_f1"], figures["support"]
        (tensor(0.3333), tensor(0.6667), tensor([2, 0, 1]))
    """
    hits, false, missed, _ = counts.unbind(1)  # [L]

    def share(part: Tensor, whole: Tensor) -> Tensor:
        return torch.where(counts.sum() == 0, torch.nan, part / whole.clamp(min=1))

    f1 = share(2 * hits, 2 * hits + false + missed)
    return {
        "macro_f1": f1.mean(),
        "micro_f1": share(2 * hits.sum(), (2 * hits + false + missed).sum()),
        "precision": share(hits, hits + false),
        "recall": share(hits, hits + missed),
        "f1": f1,
        "support": hits + missed,
    }


class LabelF1(Metric):
    """Module form of `label_counts` and `label_figures`, with ``unparsed`` beside; integer counts, exact under DDP.

    Args:
        num_labels: L.
    """

    is_differentiable = False
    full_state_update = False

    counts: Tensor
    unparsed: Tensor

    def __init__(self, num_labels: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.add_state("counts", torch.zeros(num_labels, 4, dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("unparsed", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor, parsed: Tensor | None = None) -> None:
        self.counts = self.counts + label_counts(preds, target, parsed)
        if parsed is not None:
            self.unparsed = self.unparsed + (~parsed.bool()).sum()  # in place, results change

    def compute(self) -> dict[str, Tensor]:
        return label_figures(self.counts) | {"unparsed": self.unparsed}

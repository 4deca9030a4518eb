"""Percentile bootstrap: how far a benchmark score may lie from what more samples would give."""

import torch
from torch import Tensor

_RESAMPLES_AT_ONCE = 100  # 100 x 10,000 indices are 8 MB


def bootstrap_interval(
    *scores: Tensor, num_resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """The interval of a mean of per-sample scores; with several files, of the mean of the files' means.

    Samples are drawn with replacement within each file, so a file keeps its weight in the column.

    Args:
        *scores: The per-sample scores of each file, [N].
        num_resamples: How many means are drawn.
        confidence: The interval's coverage.
        seed: Seed of the draws: the same scores give the same interval.

    Returns:
        The lower and the upper bound; NaN twice if a file has no sample.

    Example:
        >>> bootstrap_interval(torch.ones(10))
        (1.0, 1.0)
    """
    if not scores or any(s.numel() == 0 for s in scores):
        return float("nan"), float("nan")
    generator = torch.Generator().manual_seed(seed)
    means = torch.stack([_resampled_means(s.double().cpu(), num_resamples, generator) for s in scores]).mean(0)  # [R]
    tail = (1 - confidence) / 2
    low, high = torch.quantile(means, torch.tensor([tail, 1 - tail], dtype=means.dtype)).tolist()
    return low, high


def _resampled_means(scores: Tensor, num_resamples: int, generator: torch.Generator) -> Tensor:
    means = []
    for start in range(0, num_resamples, _RESAMPLES_AT_ONCE):
        size = (min(_RESAMPLES_AT_ONCE, num_resamples - start), scores.numel())
        means.append(scores[torch.randint(scores.numel(), size, generator=generator)].mean(1))
    return torch.cat(means)  # [R]

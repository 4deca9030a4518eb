"""Percentile bootstrap: how far a benchmark score, or the difference of two, may lie from what more samples give."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

_RESAMPLES_AT_ONCE = 100  # 100 x 10,000 indices are 8 MB
_TAIL = (1 - 0.95) / 2


def bootstrap_interval(*scores: Tensor, num_resamples: int = 2000, seed: int = 0) -> tuple[float, float]:
    """The 95% interval of a mean of per-sample scores; with several files, of the mean of the files' means.

    Samples are drawn with replacement within each file, so a file keeps its weight in the column.

    Args:
        *scores: The per-sample scores of each file, [N].
        num_resamples: How many means are drawn.
        seed: Seed of the draws: the same scores give the same interval.

    Returns:
        The lower and the upper bound; NaN twice if a file has no sample.

    Example:
        >>> bootstrap_interval(torch.ones(10))
        (1.0, 1.0)
    """
    if not scores or any(s.numel() == 0 for s in scores):
        return float("nan"), float("nan")
    return _middle(_resampled_means(scores, num_resamples, seed, [1 / len(scores)] * len(scores)))


class PairedDifference(NamedTuple):
    """How much better one method is than another on the same samples.

    Attributes:
        difference: The first method's score less the second's.
        low: The lower bound of its 95% interval.
        high: The upper bound.
        p_value: How often chance alone would give a difference as large to either side; never 0.
    """

    difference: float
    low: float
    high: float
    p_value: float


def paired_bootstrap(
    a_files: Sequence[Tensor],
    b_files: Sequence[Tensor],
    *,
    weights: Sequence[float] | None = None,
    num_resamples: int = 2000,
    seed: int = 0,
) -> PairedDifference:
    """The difference of two methods' means of file means, from samples that both answered.

    Samples are drawn as in `bootstrap_interval`, the same ones for both methods, so what makes a sample hard for both
    cancels. The two-sided p-value is twice the share of resampled differences at or beyond 0, on the side where there
    are fewer, counting one more than was seen: 2 (k + 1) / (R + 1), at most 1 (Davison & Hinkley, 1997).

    Args:
        a_files: The first method's per-sample scores of each file, [N].
        b_files: The second's, of the same samples in the same order.
        weights: What each file's mean counts; an equal share of 1 by default, so that the result is their mean.
        num_resamples: R, how many differences are drawn.
        seed: Seed of the draws: the same scores give the same numbers.

    Returns:
        The difference with its interval and p-value; NaN throughout if a file has no sample.

    Raises:
        ValueError: If the methods' files differ in number or size, or a score is missing (NaN).

    Example:
        >>> paired_bootstrap([torch.ones(10)], [torch.zeros(10)], num_resamples=999)
        PairedDifference(difference=1.0, low=1.0, high=1.0, p_value=0.002)
    """
    a_sizes, b_sizes = ([s.numel() for s in scores] for scores in (a_files, b_files))
    if a_sizes != b_sizes:
        raise ValueError(f"expected the same samples of both methods, got files of {a_sizes} and {b_sizes} scores")
    if not a_sizes or 0 in a_sizes:
        return PairedDifference(*[float("nan")] * 4)
    files = [a.double().cpu() - b.double().cpu() for a, b in zip(a_files, b_files, strict=True)]  # [N] each
    if missing := sum(int(file.isnan().sum()) for file in files):
        raise ValueError(f"{missing} samples lack a score (NaN) of one method or both: leave them out of both")
    weights = weights or [1 / len(files)] * len(files)
    difference = sum(weight * file.mean().item() for weight, file in zip(weights, files, strict=True))
    differences = _resampled_means(files, num_resamples, seed, weights)  # [R]
    beyond = min((differences <= 0).sum().item(), (differences >= 0).sum().item())
    p_value = min(1.0, 2 * (beyond + 1) / (num_resamples + 1))
    return PairedDifference(difference, *_middle(differences), p_value)


def _middle(means: Tensor) -> tuple[float, float]:
    """The bounds between which the middle 95% of the means lie."""
    low, high = torch.quantile(means, torch.tensor([_TAIL, 1 - _TAIL], dtype=means.dtype)).tolist()
    return low, high


def _resampled_means(files: Sequence[Tensor], num_resamples: int, seed: int, weights: Sequence[float]) -> Tensor:
    """Weighted sums of file means [R]."""
    generator = torch.Generator().manual_seed(seed)
    means = [_resampled_file(file.double().cpu(), num_resamples, generator) for file in files]
    return sum((weight * mean for weight, mean in zip(weights, means, strict=True)), torch.zeros_like(means[0]))


def _resampled_file(scores: Tensor, num_resamples: int, generator: torch.Generator) -> Tensor:
    means = []
    for start in range(0, num_resamples, _RESAMPLES_AT_ONCE):
        size = (min(_RESAMPLES_AT_ONCE, num_resamples - start), scores.numel())
        means.append(scores[torch.randint(scores.numel(), size, generator=generator)].mean(1))
    return torch.cat(means)  # [R]

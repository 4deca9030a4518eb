"""The learning rate: linear warm-up, then half a cosine down to 0, once for every stage of a run (section 3.1)."""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """Optimizer steps that share one warm-up and decay, and their peak rate."""

    steps: int
    peak: float


def learning_rate(step: int, spans: Sequence[Span], warmup_ratio: float) -> float:
    """The rate of an optimizer step, counted from 0 over all spans; 0 beyond the last.

    Example:
        >>> spans = [Span(steps=10, peak=1.0), Span(steps=4, peak=0.5)]
        >>> [round(learning_rate(step, spans, warmup_ratio=0.2), 2) for step in (0, 1, 2, 6, 9, 10, 12, 14)]
        [0.5, 1.0, 1.0, 0.5, 0.04, 0.5, 0.38, 0.0]
    """
    for steps, peak in spans:
        if step < steps:
            warmup = round(warmup_ratio * steps)
            if step < warmup:
                return peak * (step + 1) / warmup
            return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))
        step -= steps
    return 0.0

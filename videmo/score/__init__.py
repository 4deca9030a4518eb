"""``videmo score``: answers on disk scored without a model."""

from videmo.score.command import score

__all__ = ["score"]

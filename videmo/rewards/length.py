"""``LengthReward``: a penalty for answers that run up to the limit."""

from collections.abc import Sequence

from videmo.errors import InputError
from videmo.rewards.reward import Completion, Reward


def overlong_penalty(num_tokens: int, max_tokens: int, buffer: int) -> float:
    """DAPO's soft overlong punishment (Yu et al. 2025, equation 13), -1 to 0.

    Args:
        num_tokens: Of the completion.
        max_tokens: From which on it is -1.
        buffer: Tokens before that, over which it falls from 0.

    >>> [overlong_penalty(n, max_tokens=100, buffer=20) for n in (80, 85, 100, 130)]
    [0.0, -0.25, -1.0, -1.0]
    """
    return max(-1.0, min(0, max_tokens - buffer - num_tokens) / buffer)


class LengthReward(Reward):
    """0 up to ``max_tokens - buffer`` tokens, then falling to -1 at ``max_tokens``.

    Args:
        max_tokens: The limit of completions, the stop token included.
        buffer: Tokens before it over which the penalty grows.
    """

    name = "length"

    def __init__(self, max_tokens: int, buffer: int) -> None:
        if not 0 < buffer <= max_tokens:
            raise InputError(f"the buffer of the reward 'length' is 1 to max_tokens ({max_tokens}), got {buffer}")
        self._max_tokens, self._buffer = max_tokens, buffer

    def __call__(self, completions: Sequence[Completion]) -> list[float | None]:
        return [overlong_penalty(c.num_tokens, self._max_tokens, self._buffer) for c in completions]

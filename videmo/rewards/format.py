"""``FormatReward``: whether an answer has the form that it must have."""

import re
from collections.abc import Sequence

from videmo.errors import InputError
from videmo.rewards.reward import Completion, Reward


class FormatReward(Reward):
    """1 where the task can read the answer, else 0.

    Args:
        pattern: A regular expression that the whole text must match instead, such as
            ``(?s)<think>.*</think>\\s*<answer>.*</answer>``; ``(?s)`` lets a dot stand for a line's end, too.
    """

    name = "format"

    def __init__(self, pattern: str | None = None) -> None:
        try:
            self._pattern = None if pattern is None else re.compile(pattern)
        except re.error as error:
            raise InputError(f"the pattern of the reward 'format' is no regular expression: {error}") from None

    def __call__(self, completions: Sequence[Completion]) -> list[float | None]:
        return [float(self._is_formed(completion)) for completion in completions]

    def _is_formed(self, completion: Completion) -> bool:
        if self._pattern is not None:
            return self._pattern.fullmatch(completion.text) is not None
        return completion.task.parse(completion.text, completion.record.question) is not None

"""What a reward sees of a sampled answer, and what it must return.

A reward of your own is one subclass in a file on the path, named in YAML by its class_path::

    class BrevityReward(Reward):
        name = "brevity"

        def __call__(self, completions):
            return [1.0 if len(c.text.split()) <= 20 else 0.0 for c in completions]
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from videmo.data.records import Record
from videmo.tasks import Task

MAX_WAIT = 120.0
"""Seconds that a batch of completions waits for a judge, by default."""


class Completion(NamedTuple):
    """One sampled answer.

    Attributes:
        text: What the model said.
        record: The record that it was asked: ``record.question``, ``record.answer`` (the reference), ``record.videos``.
        task: The record's task.
        num_tokens: Its length, the stop token included.
        truncated: Whether it ended by the limit.
    """

    text: str
    record: Record
    task: Task
    num_tokens: int
    truncated: bool


class Measure(ABC):
    """What gives numbers to answers: a reward, or a scorer of a search."""

    name: str

    @cached_property
    def reasons(self) -> Counter[str]:
        """Why numbers were missing since these were last cleared, and how many."""
        return Counter()

    def missing(self, reason: str) -> None:
        """None, with its reason in words: ``return [self.missing("no reference") ...]``."""
        self.reasons[reason] += 1


class Reward(Measure):
    """Says how good completions are.

    Attributes:
        name: In logs, as ``reward/<name>``.
    """

    @abstractmethod
    def __call__(self, completions: Sequence[Completion]) -> list[float | None]:
        """A number for each completion, in their order; None where there can be none (`missing`), never 0 for it."""

    def applies(self, task: Task) -> bool:
        """Whether it is for a task where a term names none; every task, unless a subclass says otherwise."""
        return True

"""Completions as rewards see them, and what a round of them scored, as numbers to log."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import NamedTuple

from torch import Tensor

from videmo.data.records import Record
from videmo.models.generation import Generation, text_of
from videmo.rewards import Completion, Rewards
from videmo.tasks import find_task


def completions_of(
    tokenizer, records: Sequence[Record], generations: Sequence[Generation], num_generations: int
) -> list[Completion]:
    """The completions of records, `num_generations` of each, one record after the other."""
    asked = [record for record in records for _ in range(num_generations)]
    return [
        Completion(
            text_of(tokenizer, generation.tokens),
            record,
            find_task(record.source, record.file, has_videos=bool(record.videos)),
            len(generation.logps),
            not generation.finished,
        )
        for record, generation in zip(asked, generations, strict=True)
    ]


class Row(NamedTuple):
    """A completion as ranks tell one another of it.

    Attributes:
        task: The name of its task.
        text: What the model said.
        reward: NaN where it is masked.
        parts: Name of a reward -> what it said; without those that do not apply or are missing.
        num_tokens: Its length, the stop token included.
        truncated: Whether it ended by the limit.
        unparsed: Whether its task could not read it.
        exact: Whether it is the reference to the letter.
    """

    task: str
    text: str
    reward: float
    parts: dict[str, float]
    num_tokens: int
    truncated: bool
    unparsed: bool
    exact: bool


class Round(NamedTuple):
    """The completions of a round.

    Attributes:
        rows: Group after group.
        missing: Name of a reward -> why it is missing, and how often.
        seconds: Name of a reward -> how long it took.
    """

    rows: list[Row]
    missing: dict[str, Counter[str]]
    seconds: dict[str, float]

    @classmethod
    def join(cls, parts: Iterable["Round"]) -> "Round":
        """What several ranks have, or several batches; of their seconds the longest, as ranks wait for one another."""
        joined = cls([], defaultdict(Counter), {})
        for part in parts:
            joined.rows.extend(part.rows)
            for name, reasons in part.missing.items():
                joined.missing[name].update(reasons)
            for name, seconds in part.seconds.items():
                joined.seconds[name] = max(seconds, joined.seconds.get(name, 0.0))
        return joined


@dataclass(frozen=True)
class Answered:
    """The completions of a round on this rank, group after group.

    Attributes:
        completions: K of them.
        rewards: What each scored.
        advantages: [K]; none outside of training.
    """

    completions: Sequence[Completion]
    rewards: Rewards
    advantages: Tensor | None = None

    @property
    def round(self) -> Round:
        """What other ranks are told."""
        parts = {name: values.tolist() for name, values in self.rewards.parts.items()}
        rows = [
            Row(
                completion.task.name,
                completion.text,
                float(self.rewards.totals[number]),
                {name: values[number] for name, values in parts.items() if values[number] == values[number]},
                completion.num_tokens,
                completion.truncated,
                bool(self.rewards.unparsed[number]),
                completion.text == completion.record.answer.strip() and not completion.truncated,
            )
            for number, completion in enumerate(self.completions)
        ]
        return Round(rows, self.rewards.missing, self.rewards.seconds)


def known_rewards(rows: Sequence[Row], num_generations: int) -> list[list[float]]:
    """The rewards of each group, without masked ones; a group without any is left out."""
    groups = (rows[first : first + num_generations] for first in range(0, len(rows), num_generations))
    known = ([row.reward for row in group if row.reward == row.reward] for group in groups)
    return [group for group in known if group]


def completion_metrics(answered: Round, num_generations: int) -> dict[str, float]:
    """The figures of a round under TRL's names, and each reward by task; what nothing is known of is left out.

    Args:
        answered: The completions of all ranks.
        num_generations: Completions a group.
    """
    rows = answered.rows
    if not rows:
        return {}
    groups = known_rewards(rows, num_generations)
    rewards = [reward for group in groups for reward in group]
    lengths = [row.num_tokens for row in rows]
    metrics = {
        "frac_reward_missing": 1 - len(rewards) / len(rows),
        "completions/mean_length": mean(lengths),
        "completions/min_length": min(lengths),
        "completions/max_length": max(lengths),
        "completions/clipped_ratio": mean(row.truncated for row in rows),
        "completions/unparsed_ratio": mean(row.unparsed for row in rows),
    }
    if rewards:
        metrics["reward"] = mean(rewards)
        metrics["reward_std"] = _spread(rewards)
        if num_generations > 1:
            metrics["frac_reward_zero_std"] = mean(len(set(group)) < 2 for group in groups)
    return {name: float(value) for name, value in (metrics | _reward_metrics(answered)).items()}


def task_figures(answered: Round) -> dict[str, dict[str, float]]:
    """Each task's mean reward, where it has any, and its share of exact answers."""
    by_task: dict[str, list[Row]] = defaultdict(list)
    for row in answered.rows:
        by_task[row.task].append(row)
    figures = {}
    for task, rows in sorted(by_task.items()):
        rewards = [row.reward for row in rows if row.reward == row.reward]
        figures[task] = ({"reward": mean(rewards)} if rewards else {}) | {"exact": mean(row.exact for row in rows)}
    return figures


def _reward_metrics(answered: Round) -> dict[str, float]:
    """Mean and deviation of each reward, overall and by task; what share of it is missing, and how long it took."""
    by_name: dict[str, list[float]] = defaultdict(list)
    scored: Counter[str] = Counter()
    for row in answered.rows:
        for name, value in row.parts.items():
            by_name[f"rewards/{name}"].append(value)
            by_name[f"rewards_by_task/{name}/{row.task}"].append(value)
            scored[name] += 1
    metrics = {}
    for name, values in sorted(by_name.items()):
        metrics[f"{name}/mean"] = mean(values)
        metrics[f"{name}/std"] = _spread(values)
    for name, seconds in answered.seconds.items():
        missing = answered.missing.get(name, Counter()).total()
        if asked := scored[name] + missing:
            metrics[f"rewards/{name}/missing_ratio"] = missing / asked
            metrics[f"rewards/{name}/seconds"] = seconds
    return metrics


def _spread(values: Sequence[float]) -> float:
    """The sample standard deviation, as TRL logs it."""
    return stdev(values) if len(values) > 1 else 0.0

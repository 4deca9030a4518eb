"""The rewards of a run, each for its tasks with its weight, and what completions get of them (paper, section 3.2).

A completion's total is the weighted mean of its task's rewards. What is missing is never 0: a reward that none of a
group has is left out for the group, and a completion that lacks one which others of its group have is masked, as the
advantages within a group compare like with like.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple

import torch
from torch import Tensor

from videmo.affect import caption_tree
from videmo.errors import InputError, check_positive
from videmo.rewards.reward import Completion, Reward
from videmo.tasks import Task, training_tasks, unknown_selector

LARGEST = 1e30
"""That a reward may be: float32 holds its square no more."""


@dataclass
class RewardTerm:
    """A reward with its weight and its tasks.

    Attributes:
        reward: What says how good completions are.
        weight: Among the rewards of a task.
        tasks: Tasks, columns, scenarios or ``all``, as in a curriculum's mix; those that the reward is made for by
            default.
    """

    reward: Reward
    weight: float = 1.0
    tasks: list[str] | None = None

    def applies(self, task: Task) -> bool:
        """Whether it rewards completions of a task."""
        if self.tasks is None:
            return self.reward.applies(task)
        return not {*self.tasks}.isdisjoint(task.selectors)


class Rewards(NamedTuple):
    """What K completions got; groups lie one after the other.

    Attributes:
        totals: Weighted means, [K] float32; NaN where masked.
        parts: Name of a reward -> what it said, [K] float32; NaN where it does not apply or is missing.
        missing: Name of a reward -> why it is missing, and how often.
        unparsed: Answers that the task could not read, and captions from which no node of a tree was read, [K] bool.
        seconds: Name of a reward -> how long it took.
    """

    totals: Tensor
    parts: dict[str, Tensor]
    missing: dict[str, Counter[str]]
    unparsed: Tensor
    seconds: dict[str, float]


class RewardMixture:
    """Rewards completions.

    Args:
        terms: The rewards.

    Raises:
        InputError: If there is none, a weight is not above 0, a name of a task is unknown, or two rewards of a task
            have one name.
    """

    def __init__(self, terms: Sequence[RewardTerm]) -> None:
        self.terms = tuple(terms)
        _check(self.terms)

    @property
    def outline(self) -> list[str]:
        """The terms in words, with what their rewards were given, for checkpoints."""
        return [_in_words(term) for term in self.terms]

    def terms_of(self, task: Task) -> list[RewardTerm]:
        """The terms that reward completions of a task.

        Raises:
            InputError: If there is none.
        """
        terms = [term for term in self.terms if term.applies(task)]
        if not terms:
            raise InputError(
                f"no reward is for the task {task.name!r}: add a term to the rewards, such as {_example(task)}, or "
                "leave the task out of the mix"
            )
        return terms

    def __call__(self, completions: Sequence[Completion], num_generations: int) -> Rewards:
        """What completions get.

        Args:
            completions: [K], those of a group one after the other.
            num_generations: Completions a group.

        Raises:
            InputError: If a task has no reward, or a reward returns something else than a number or None for each.
        """
        assert len(completions) % num_generations == 0
        for task in {completion.task for completion in completions}:
            self.terms_of(task)
        nothing = torch.full((len(completions),), torch.nan)  # [K]
        parts = {term.reward.name: nothing.clone() for term in self.terms}
        missing: dict[str, Counter[str]] = {name: Counter() for name in parts}
        seconds = dict.fromkeys(parts, 0.0)
        weighted, weights = torch.zeros_like(nothing), torch.zeros_like(nothing)
        masked = torch.zeros_like(nothing, dtype=torch.bool)
        for term in self.terms:
            name = term.reward.name
            applies = torch.tensor([term.applies(completion.task) for completion in completions], dtype=torch.bool)
            if not applies.any():
                continue
            start = time.perf_counter()
            own = [completions[place] for place in applies.nonzero().flatten().tolist()]
            values = _ask(term.reward, own, missing[name])
            seconds[name] += time.perf_counter() - start
            parts[name][applies] = values
            has = torch.zeros_like(applies).masked_scatter(applies, ~values.isnan())
            others_have = has.view(-1, num_generations).any(1).repeat_interleave(num_generations)
            masked |= applies & others_have & ~has
            weighted[has] += term.weight * parts[name][has]
            weights[has] += term.weight
        totals = (weighted / weights).masked_fill(masked, torch.nan)  # 0 / 0 is NaN: nothing is left
        unparsed = torch.tensor([_is_unparsed(completion) for completion in completions], dtype=torch.bool)
        return Rewards(totals, parts, missing, unparsed, seconds)


def _in_words(term: RewardTerm) -> str:
    given = {
        name.lstrip("_"): value
        for name, value in sorted(vars(term.reward).items())
        if isinstance(value, bool | int | float | str)
    }
    settings = "".join(f", {name} {value}" for name, value in given.items())
    tasks = "its own tasks" if term.tasks is None else ", ".join(term.tasks)
    return f"{term.reward.name} (weight {term.weight:g}{settings}; {tasks})"


def _ask(reward: Reward, completions: Sequence[Completion], missing: Counter[str]) -> Tensor:
    """What a reward says, [N], NaN for None; the reasons are counted."""
    reward.reasons.clear()
    values: Sequence[Any] = reward(completions)  # a user's own class may return anything
    if not isinstance(values, list | tuple) or len(values) != len(completions):
        got = f"{len(values)} values" if isinstance(values, list | tuple) else f"a {type(values).__name__}"
        raise InputError(
            f"the reward {reward.name!r} returned {got} for {len(completions)} completions; return a list with a "
            "number or None for each"
        )
    for completion, value in zip(completions, values, strict=True):
        # pyrefly: ignore[unsupported-operation]  (a Real need not compare with floats, but those that there are do)
        if value is not None and not (isinstance(value, Real) and abs(value) <= LARGEST):
            raise InputError(
                f"the reward {reward.name!r} returned {value!r} for a completion of {completion.record.where}; return "
                "a finite number, or None where there can be none"
            )
    missing.update(reward.reasons)
    untold = values.count(None) - reward.reasons.total()
    if untold > 0:
        missing["it returned None"] += untold
    return torch.tensor([torch.nan if value is None else float(value) for value in values])


def _is_unparsed(completion: Completion) -> bool:
    if completion.task.kind == "caption":
        return not caption_tree(completion.text).children
    return completion.task.parse(completion.text, completion.record.question) is None


def _check(terms: Sequence[RewardTerm]) -> None:
    if not terms:
        raise InputError("there are no rewards: give a list of terms, each {reward: {class_path: ...}}")
    for term in terms:
        name = getattr(term.reward, "name", None)
        if not isinstance(name, str) or not name:
            raise InputError(f'the reward {type(term.reward).__name__} has no name: write name = "..." into its class')
        check_positive(f"the weight of the reward {name!r}", term.weight)
        if term.tasks is not None and not term.tasks:
            raise InputError(f"the reward {name!r} is for no task: name some, or leave tasks out")
        if unknown := unknown_selector(term.tasks or ()):
            raise InputError(f"the tasks of the reward {name!r} have {unknown}")
    for task in training_tasks():
        names = Counter(term.reward.name for term in terms if term.applies(task))
        if twice := [name for name, count in names.items() if count > 1]:
            raise InputError(
                f"two rewards named {twice[0]!r} are for the task {task.name!r}: give each tasks of its own, or one "
                "another name by a subclass"
            )


def _example(task: Task) -> str:
    if task.kind != "caption":
        return "{reward: {class_path: videmo.rewards.QAReward}}"
    return f"{{reward: {{class_path: videmo.rewards.TreeReward}}, tasks: [{task.name}]}}"

"""The curriculum: stages, each a mix of tasks for some epochs, with a replay of what earlier stages taught.

Stage 1 of the recipe (section 3.1) tunes attributes, then expressions, then emotions, each stage continuing from the
last. A run is one row of epochs; the plan says which stage an epoch belongs to and which records it takes, from the
seed and the epoch's number alone, so that a resumed run lands where it stopped.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from videmo.errors import InputError, check_positive
from videmo.tasks import ALL, Task, unknown_selector

MOST = 10**8
"""Records that an epoch may take: fifty times the release's, and their numbers alone are 0.8 GB."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Stage:
    """One stage of the curriculum.

    Attributes:
        name: As it appears in logs and checkpoints.
        mix: Which tasks, and how often an epoch takes each of their records: 1 takes all of them once, 0.25 another
            quarter every epoch. A key is a task, a column of the benchmark, a scenario (attribute, expression,
            understanding) or ``all``; where several name a task, the narrowest counts, and 0 leaves it out.
        epochs: Epochs of this mix; ``steps`` may be given instead.
        steps: Optimizer steps; the last epoch is cut.
        learning_rate: Peak rate; the model's by default. It warms up and decays within the stage.
        replay: Share of the stage's samples that come from the earlier stages' tasks, in those stages' mixes.
    """

    name: str
    mix: dict[str, float] = field(default_factory=lambda: {ALL: 1.0})
    epochs: int | None = None
    steps: int | None = None
    learning_rate: float | None = None
    replay: float = 0.0

    def check(self) -> None:
        """Raise an InputError that says what is wrong with the stage; a parser of types would bury it."""
        if not _NAME.fullmatch(self.name) or self.name == "last":
            raise InputError(
                f"stage {self.name!r}: the name becomes a file, <name>.ckpt beside last.ckpt; use letters, digits, - _"
            )
        if (self.epochs is None) == (self.steps is None):
            raise InputError(
                f"stage {self.name!r}: give either epochs or steps; null takes back what an earlier config says"
            )
        if (self.steps or self.epochs or 0) < 1:
            raise InputError(f"stage {self.name!r}: epochs or steps must be at least 1")
        check_positive(f"stage {self.name!r}: learning_rate", self.learning_rate)
        if not 0 <= self.replay < 1:
            raise InputError(f"stage {self.name!r}: replay is a share of the samples, from 0 to below 1")
        if any(not 0 <= weight < math.inf for weight in self.mix.values()):
            raise InputError(f"stage {self.name!r}: the weights of a mix are finite and 0 or more, got {self.mix}")
        if not any(self.mix.values()):
            raise InputError(f"stage {self.name!r}: its mix {self.mix} takes nothing; give a task a weight above 0")

    def weight(self, task: Task) -> float:
        """How often an epoch of this stage takes a record of the task."""
        return next((self.mix[key] for key in task.selectors if key in self.mix), 0.0)


@dataclass(frozen=True)
class Phase:
    """A stage's place in the run, in epochs and optimizer steps counted from 0."""

    stage: Stage
    first_epoch: int
    epochs: int
    first_step: int
    steps: int


@dataclass(frozen=True)
class _Group:
    """Records that every stage takes equally often: of one task, from files of one weight."""

    task: Task
    file_weight: float
    records: np.ndarray  # their numbers


class Curriculum:
    """The plan of a run.

    Args:
        stages: In order.
        task: The task of every training record, as its place in `tasks`, [N].
        tasks: What the places mean.
        samples_a_step: Records that one optimizer step sees, over devices and accumulation.
        seed: Of the choice of records.
        family: What each record shares with its siblings, its videos, as a number, [N]: a fraction of the records is
            then one of the videos too, with most of their questions, so that they still share trees.
        file_weight: How often an epoch takes each record for its file's sake, [N]; it multiplies the stages' mixes.

    Raises:
        InputError: If two stages have one name, a stage finds no record, or the first one replays.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        task: np.ndarray,
        tasks: Sequence[Task],
        samples_a_step: int,
        seed: int = 0,
        family: np.ndarray | None = None,
        file_weight: np.ndarray | None = None,
    ) -> None:
        self.stages = tuple(stages)
        self.seed = seed
        self._samples_a_step = samples_a_step
        self._groups = _groups(task, tasks, file_weight)
        self._family = np.arange(len(task)) if family is None else family
        self._check()
        self.phases = self._plan()

    @property
    def num_epochs(self) -> int:
        return self.phases[-1].first_epoch + self.phases[-1].epochs

    @property
    def outline(self) -> list[dict[str, Any]]:
        """The stages with their epochs and steps: what two runs must share for one to resume the other."""
        return [{**asdict(phase.stage), "epochs": phase.epochs, "steps": phase.steps} for phase in self.phases]

    def phase(self, epoch: int) -> Phase:
        """The stage that an epoch belongs to; beyond the end, the last one."""
        return next((p for p in self.phases if epoch < p.first_epoch + p.epochs), self.phases[-1])

    def tasks_of(self, stage: Stage) -> list[Task]:
        """The tasks of the data that a stage teaches, without those that it only replays."""
        return [task for task in dict.fromkeys(group.task for group in self._groups) if stage.weight(task) > 0]

    def records(self, epoch: int) -> np.ndarray:
        """Numbers of the records that an epoch takes, in no particular order; one occurs twice where a mix says so."""
        phase = self.phase(epoch)
        turn = epoch - phase.first_epoch
        chosen = self._take(self._counts(phase.stage), turn, phase.first_epoch)
        limit = max(0, phase.steps - turn * self._steps_an_epoch(phase.stage)) * self._samples_a_step
        if len(chosen) > limit:
            chosen = np.random.default_rng((self.seed, epoch)).permutation(chosen)[:limit]
        return chosen

    def counts(self, stage: Stage) -> dict[Task, int]:
        """How many records of each task an epoch of a stage takes."""
        counts: dict[Task, int] = {}
        for group, count in zip(self._groups, self._counts(stage), strict=True):
            counts[group.task] = counts.get(group.task, 0) + count
        return counts

    def idle_keys(self, stage: Stage) -> dict[str, int]:
        """The keys of a stage's mix of which an epoch takes no record, with how many records they name."""
        counts, idle = self._counts(stage), {}
        for key, weight in stage.mix.items():
            named = [number for number, group in enumerate(self._groups) if key in group.task.selectors]
            if weight > 0 and not any(counts[number] for number in named):
                idle[key] = sum(len(self._groups[number].records) for number in named)
        return idle

    def idle_files(self, stage: Stage) -> dict[tuple[str, float], int]:
        """Tasks of a stage of whose files with a weight of their own an epoch takes no record: task and weight, and how
        many records those are.
        """
        return {
            (group.task.name, group.file_weight): len(group.records)
            for group, count in zip(self._groups, self._counts(stage), strict=True)
            if count == 0 and group.file_weight != 1 and stage.weight(group.task) > 0
        }

    def _counts(self, stage: Stage) -> list[int]:
        """How many records of each group an epoch of a stage takes."""
        sizes = [len(group.records) * group.file_weight for group in self._groups]
        counts = [round(stage.weight(group.task) * size) for group, size in zip(self._groups, sizes, strict=True)]
        earlier = self.stages[: self.stages.index(stage)]
        shares = [
            size * sum(other.weight(group.task) for other in earlier) * (count == 0)
            for group, size, count in zip(self._groups, sizes, counts, strict=True)
        ]
        replayed = sum(counts) * stage.replay / (1 - stage.replay)
        total = sum(shares)
        return [c + (round(replayed * share / total) if total else 0) for c, share in zip(counts, shares, strict=True)]

    def _take(self, counts: Sequence[int], turn: int, key: int) -> np.ndarray:
        """The `turn`-th slice of each group's shuffled records: none comes again before all others have come."""
        place = np.random.default_rng((self.seed, key)).permutation(self._family.max() + 1)  # of each family
        parts = []
        for group, count in zip(self._groups, counts, strict=True):
            order = group.records[np.argsort(place[self._family[group.records]], kind="stable")]
            parts.append(np.take(order, np.arange(turn * count, (turn + 1) * count), mode="wrap"))
        return np.concatenate(parts)

    def _steps_an_epoch(self, stage: Stage) -> int:
        return math.ceil(sum(self._counts(stage)) / self._samples_a_step)

    def _plan(self) -> tuple[Phase, ...]:
        phases, epoch, step = [], 0, 0
        for stage in self.stages:
            an_epoch = self._steps_an_epoch(stage)
            steps = stage.steps or (stage.epochs or 0) * an_epoch
            epochs = stage.epochs or math.ceil(steps / an_epoch)
            phases.append(Phase(stage, epoch, epochs, step, steps))
            epoch, step = epoch + epochs, step + steps
        return tuple(phases)

    def _check(self) -> None:
        for stage in self.stages:
            stage.check()
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) < len(names):
            raise InputError(f"a curriculum needs stages with names of their own, got {', '.join(names) or 'none'}")
        if self.stages[0].replay:
            raise InputError(f"stage {names[0]!r} is the first: there is nothing to replay")
        for stage in self.stages:
            if unknown := unknown_selector(stage.mix):
                raise InputError(f"stage {stage.name!r}: its mix names {unknown}")
            if not any(stage.weight(group.task) > 0 for group in self._groups):
                held = ", ".join(sorted({group.task.scenario for group in self._groups}))
                raise InputError(f"stage {stage.name!r}: no record is of {', '.join(stage.mix)} (held: {held})")
            taken = sum(stage.weight(group.task) * group.file_weight * len(group.records) for group in self._groups)
            if (taken := taken / (1 - stage.replay)) > MOST:
                raise InputError(
                    f"stage {stage.name!r}: an epoch would take {taken:.3g} records, more than {MOST:,}; lower the "
                    "weights of its mix or of data.train, or its replay"
                )
            if not any(self._counts(stage)):
                raise InputError(f"stage {stage.name!r}: its shares come to no record at all; raise those of its mix")


def _groups(task: np.ndarray, tasks: Sequence[Task], file_weight: np.ndarray | None) -> list[_Group]:
    """Records by task and file weight, tasks in the order of their first records."""
    weight = np.ones(len(task)) if file_weight is None else file_weight
    weights, rank = np.unique(weight, return_inverse=True)
    kind = task.astype(np.int64) * len(weights) + rank
    kinds, first = np.unique(kind, return_index=True)
    return [
        _Group(tasks[k // len(weights)], float(weights[k % len(weights)]), np.flatnonzero(kind == k))
        for k in kinds[np.argsort(first)]
    ]


def difference(was: list[dict[str, Any]] | None, now: list[dict[str, Any]] | None) -> str:
    """What tells two outlines of a curriculum apart: their stages, or the first field of a stage.

    >>> difference(None, [{"name": "emotion", "epochs": 2}])
    'it had none, now there is one'
    """
    if was is None or now is None:
        return "it had none, now there is one" if was is None else "it had one, now there is none"
    names = [[stage["name"] for stage in stages] for stages in (was, now)]
    if names[0] != names[1]:
        return f"its stages were {', '.join(names[0])}, now they are {', '.join(names[1])}"
    fields = ((a["name"], key, a[key], b[key]) for a, b in zip(was, now, strict=True) for key in a if a[key] != b[key])
    return "stage {!r} had {} {}, now {}".format(*next(fields))

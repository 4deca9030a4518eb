"""The stages of a curriculum: where they begin in the curves, and what later ones made of what was learned before."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from videmo.benchmark.results import as_number
from videmo.errors import InputError
from videmo.report.curves import Scalars

CURRICULUM_FILE = "curriculum.json"


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        first_step: Its first optimizer step; `steps`: how many it takes. None where unknown.
        val: At the checkpoint kept at its end: stage name -> ``loss`` or ``reward``, and ``exact`` (0..1), of that
            stage's questions.
    """

    name: str
    first_step: int | None
    steps: int | None
    val: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Cell:
    """How a stage's questions went after some stage: ``before`` its own training, at its ``own`` end, or ``later``.

    Attributes:
        change: Of `exact` in points: by its own stage, and of later cells since that stage's end.
    """

    kind: str
    exact: float | None
    loss: float | None
    reward: float | None
    change: float | None


def read_curriculum(run: Path) -> list[Stage]:
    """The stages of curriculum.json; none where there is no such file.

    Raises:
        InputError: If it is not whole JSON, or has no list of stages.
    """
    path = run / CURRICULUM_FILE
    if not path.is_file():
        return []
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{CURRICULUM_FILE} is not whole JSON ({error}), so its stages are missing.") from None
    stages = raw.get("stages") if isinstance(raw, dict) else None
    if not isinstance(stages, list) or not stages or not all(isinstance(stage, dict) for stage in stages):
        raise InputError(f'{CURRICULUM_FILE} has no list of "stages", so its stages are missing.')
    return [parse_stage(fields, number) for number, fields in enumerate(stages, start=1)]


def parse_stage(fields: dict, number: int) -> Stage:
    """One entry of curriculum.json, the `number`-th; what it lacks is unknown."""

    def whole(key: str) -> int | None:
        value = as_number(fields.get(key))
        return None if value is None else int(value)

    val = fields.get("val") if isinstance(fields.get("val"), dict) else {}
    scores = {
        str(name): {key: v for key in ("loss", "reward", "exact") if (v := as_number(entry.get(key))) is not None}
        for name, entry in val.items()
        if isinstance(entry, dict)
    }
    name = str(fields.get("name") or f"stage {number}")
    return Stage(name, whole("first_step"), whole("steps"), scores)


def forgetting_table(stages: Sequence[Stage]) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """Columns (stages whose questions are asked) and rows (after which stage) with their cells."""
    names = [stage.name for stage in stages]
    columns = list(dict.fromkeys([*names, *(name for stage in stages for name in stage.val)]))
    columns = [name for name in columns if any(name in stage.val for stage in stages)]
    return columns, [
        (stage.name, [_cell(stages, row, names.index(c) if c in names else None, c) for c in columns])
        for row, stage in enumerate(stages)
        if stage.val
    ]


def _cell(stages: Sequence[Stage], row: int, own: int | None, column: str) -> Cell:
    score = stages[row].val.get(column, {})
    exact, loss, reward = (score.get(key) for key in ("exact", "loss", "reward"))
    if own is None or row < own:
        return Cell("before", exact, loss, reward, None)
    kind, since = ("own", stages[:row][-1:]) if row == own else ("later", [stages[own]])
    was = since[0].val.get(column, {}).get("exact") if since else None
    change = None if exact is None or was is None else 100 * (exact - was)
    return Cell(kind, exact, loss, reward, change)


def stage_bands(stages: Sequence[Stage], scalars: dict[str, Scalars]) -> list[dict]:
    """Bands behind the curves, from curriculum.json, else from the scalar ``stage``: ``{"name", "first", "last"}``."""
    bands = [
        {"name": stage.name, "first": stage.first_step, "last": stage.first_step + stage.steps}
        for stage in stages
        if stage.first_step is not None and stage.steps
    ]
    if bands or "stage" not in scalars:
        return bands
    logged = scalars["stage"]
    for step, value in zip(logged.steps, logged.values, strict=True):
        name = f"stage {value:g}"
        if not bands or bands[-1]["name"] != name:
            bands.append({"name": name, "first": bands[-1]["last"] if bands else step, "last": step})
        bands[-1]["last"] = step
    return bands

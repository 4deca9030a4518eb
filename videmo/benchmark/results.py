"""benchmark.json: the paper's columns, their intervals, every denominator, and blind and controls beside them.

Columns use the authors' variant of each score (F1 of empty against empty is 0); `native` has ours beside it. A column
of several files averages its files first.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from videmo.aside import write_atomically
from videmo.errors import InputError

RESULT_FILE = "benchmark.json"


def as_number(value: object) -> float | None:
    """The value if it is a finite number, else None: what all JSON read here is held to."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def _mapping(value: object, convert: Callable) -> dict:
    """The entries that can be converted; empty where there is no mapping."""
    if not isinstance(value, dict):
        return {}
    return {str(k): converted for k, v in value.items() if (converted := convert(v)) is not None}


def _as_counts(value: object) -> dict[str, int]:
    return {key: int(number) for key, number in _mapping(value, as_number).items()}


def _as_interval(value: object) -> list[float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    bounds = [bound for bound in map(as_number, value) if bound is not None]
    return bounds if len(bounds) == 2 else None


def _as_extra(value: object) -> dict | None:
    if not isinstance(value, dict) or as_number(value.get("score")) is None:
        return None
    numbers = {name: as_number(value.get(name)) for name in ("score", "blind")}
    parts = {**numbers, "interval": _as_interval(value.get("interval"))}
    return {key: part for key, part in parts.items() if part is not None}


# What the values of a field become (None where they cannot), and what they must be.
_COUNTS = {"convert": _as_counts, "values": "counts"}
_EXTRA = {"convert": _as_extra, "values": "scores"}
_INTERVALS = {"convert": _as_interval, "values": "two numbers each"}
_NUMBERS = {"convert": as_number, "values": "numbers"}
_OBJECTS = {"convert": lambda value: value if isinstance(value, dict) else None, "values": "objects"}
_OBJECTS_OF_NUMBERS = {"convert": lambda value: _mapping(value, as_number), "values": "objects of numbers"}
_TEXTS = {"convert": lambda value: value if isinstance(value, str) else None, "values": "texts"}
_VALUES = {"convert": lambda value: value, "values": "values"}


@dataclass(frozen=True)
class BenchmarkResult:
    """What benchmark.json holds; scores are 0 to 100, names are the columns of the paper's tables.

    Attributes:
        method: Who answered.
        columns: The published scores.
        intervals: Their 95% bootstrap intervals.
        counts: ``asked``, ``answered`` (any text), ``judged`` (have a score; the others are left out), ``unparsed``
            (cannot be read: wrong); also for what stands in `extra`.
        unparsed: The share of asked questions whose answer cannot be read, in per cent.
        blind: The published scores of the best answers without looking.
        native: Our variant of the scores, of the same reading: empty for empty is right.
        extra: Scores that are no column of the paper: name -> ``score``, ``interval``, and ``blind`` where known.
        files: Every result file: its published ``scores``, ``asked``, and what else there is of its kind: ``uar``,
            ``war``, ``macro_f1`` (of single labels over those that truth or answers name, of label sets over all, with
            0 for those that neither names), ``micro_f1``, ``labels`` with ``confusion``, and scores by ``sources``.
        data: Which questions were asked: ``name``, and ``content``, a hash of the test files.
        controls: The same model shown other pixels: control -> column (or name in `extra`) -> score.
        notes: Column -> what a reader must know.
        missing: Column -> why answers have no score -> how many.
        judge: Who judged, with which prompts; empty where rules did.
        generation: How the answers came about, where known: ``drawn_tokens_per_question``, ``seconds_per_question``
            (of the test's, those that several share counted once), a hash of the ``checkpoint``, and a search's
            settings.
    """

    method: str
    columns: dict[str, float] = field(default_factory=dict, metadata=_NUMBERS)
    intervals: dict[str, list[float]] = field(default_factory=dict, metadata=_INTERVALS)
    counts: dict[str, dict[str, int]] = field(default_factory=dict, metadata=_COUNTS)
    unparsed: dict[str, float] = field(default_factory=dict, metadata=_NUMBERS)
    blind: dict[str, float] = field(default_factory=dict, metadata=_NUMBERS)
    native: dict[str, float] = field(default_factory=dict, metadata=_NUMBERS)
    extra: dict[str, dict] = field(default_factory=dict, metadata=_EXTRA)
    files: dict[str, dict] = field(default_factory=dict, metadata=_OBJECTS)
    data: dict[str, str] = field(default_factory=dict, metadata=_TEXTS)
    controls: dict[str, dict[str, float]] = field(default_factory=dict, metadata=_OBJECTS_OF_NUMBERS)
    notes: dict[str, str] = field(default_factory=dict, metadata=_TEXTS)
    missing: dict[str, dict[str, int]] = field(default_factory=dict, metadata=_COUNTS)
    judge: dict = field(default_factory=dict, metadata=_VALUES)
    generation: dict = field(default_factory=dict, metadata=_VALUES)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, allow_nan=False)

    def save(self, path: str | Path) -> None:
        """Write benchmark.json; it appears whole or not at all."""
        write_atomically(Path(path), self.to_json() + "\n")

    @classmethod
    def load(cls, path: str | Path, tolerant: bool = False) -> "BenchmarkResult":
        """Read a benchmark.json.

        Args:
            path: The file.
            tolerant: Takes what can be used: a field or a number that is missing or of the wrong type counts as empty.

        Raises:
            InputError: If it is no whole JSON object, or a field is of the wrong type.
        """
        path = Path(path)
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} is not whole JSON ({error}), so its scores are missing.") from None
        if not isinstance(raw, dict):
            raise InputError(f"{path} holds no JSON object, so its scores are missing.")
        held = {of.name: of.metadata for of in fields(cls) if of.metadata}
        found = {name: _mapping(raw.get(name), of["convert"]) for name, of in held.items()}
        if not tolerant:
            if not isinstance(raw.get("method"), str):
                raise InputError(f'{path} is not a benchmark.json: it has no text under "method"')
            if wrong := [name for name in found if name in raw and raw[name] != found[name]]:
                values = held[wrong[0]]["values"]
                raise InputError(f'{path} is not a benchmark.json: "{wrong[0]}" must be an object of {values}')
        return cls(method=str(raw.get("method", path.parent.name)), **found)

    def figures(self, column: str) -> dict[str, Any]:
        """``score``, ``interval`` and ``blind`` of a column or of a name in `extra`; None for what is not known."""
        extra = self.extra.get(column, {})
        of_columns = {"score": self.columns, "interval": self.intervals, "blind": self.blind}
        return {name: figures.get(column, extra.get(name)) for name, figures in of_columns.items()}


def with_controls(result: BenchmarkResult, controls: Mapping[str, BenchmarkResult]) -> BenchmarkResult:
    """The result with the scores of its controls (``blank``, ...) written beside its own."""
    scores = {
        name: control.columns | {column: extra["score"] for column, extra in control.extra.items()}
        for name, control in controls.items()
    }
    return replace(result, controls=scores)

"""The answers and scores of every method under ``<run>/results``, read with tolerance.

A benchmark.json of another version, cut short or edited by hand still gives what it can: a field that is missing or of
the wrong type counts as empty, a number that is none is left out, and what could not be read is said in one sentence.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from videmo.benchmark import BenchmarkResult, Prediction, read_predictions
from videmo.data.controls import CONTROLS
from videmo.data.records import RecordError
from videmo.errors import InputError
from videmo.tasks import Task, all_tasks, find_task

RESULT_FILE = "benchmark.json"


@dataclass(frozen=True)
class Method:
    """What one method left in its folder.

    Attributes:
        name: The folder's name.
        result: Its benchmark.json, if there is one that can be read.
        data: What the benchmark.json says of the data, as it says it.
        date: When the results were written.
        predictions: Its answers by task, in the order of tasks.yaml.
    """

    name: str
    result: BenchmarkResult | None
    data: dict[str, str]
    date: datetime
    predictions: dict[Task, list[Prediction]] = field(repr=False)

    @property
    def is_control(self) -> bool:
        return self.name in CONTROLS


def read_methods(run: Path) -> tuple[list[Method], list[str]]:
    """The methods of a run, the main one first, then by date, the controls last; and a sentence for each problem.

    The main one is the method, not a control and not ``before``, whose results were written last. Its controls stand in
    subfolders of its folder, or beside it.
    """
    problems: list[str] = []
    folders = sorted(path for path in (run / "results").glob("*") if path.is_dir())
    methods = [method for folder in folders if (method := _read_method(folder, run, problems)) is not None]
    methods.sort(key=lambda m: (m.date, m.name), reverse=True)
    methods.sort(key=lambda m: (m.is_control, m.name == "before"))
    if methods and not methods[0].is_control:
        subfolders = [run / "results" / methods[0].name / control for control in CONTROLS]
        controls = [method for folder in subfolders if (method := _read_method(folder, run, problems)) is not None]
        named = {control.name for control in controls}
        methods = [method for method in methods if method.name not in named] + controls
    return methods, problems


def _read_method(folder: Path, run: Path, problems: list[str]) -> Method | None:
    files = sorted(folder.glob("*.json"))
    if not files:
        return None
    result, data = None, {}
    result_file = folder / RESULT_FILE
    if result_file in files:
        try:
            result, data = read_result(result_file)
        except InputError as error:
            problems.append(_relative(error, run))
    elif folder.name not in CONTROLS:
        problems.append(f"{result_file.relative_to(run)} is missing, so {folder.name} has answers but no scores.")
    predictions: dict[Task, list[Prediction]] = {}
    for file in files:
        if file != result_file:
            _read_answers(file, run, predictions, problems)
    if result is None and not predictions:
        return None
    date = datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC)
    ordered = {task: predictions[task] for task in all_tasks() if task in predictions}
    return Method(folder.name, result, data, date, ordered)


def _read_answers(file: Path, run: Path, predictions: dict[Task, list[Prediction]], problems: list[str]) -> None:
    """Add a file's answers up to its first malformed line."""
    try:
        task = find_task(file.stem)
    except InputError:
        problems.append(f"{file.relative_to(run)} belongs to no task of the benchmark and is left out.")
        return
    answers: list[Prediction] = []
    try:
        for prediction in read_predictions(file):
            answers.append(prediction)
    except RecordError as error:
        problems.append(_relative(error, run) + f"; {len(answers)} answers before it are used.")
    except UnicodeDecodeError:
        problems.append(f"{file.relative_to(run)} is not UTF-8 text; {len(answers)} answers are used.")
    if answers:
        predictions[task] = answers


def _relative(error: Exception, run: Path) -> str:
    return str(error).replace(f"{run}/", "")


def read_result(path: Path) -> tuple[BenchmarkResult, dict[str, str]]:
    """A benchmark.json, and what it says of the data.

    Raises:
        InputError: If it is not a JSON object.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not whole JSON ({error}), so its scores are missing.") from None
    if not isinstance(raw, dict):
        raise InputError(f"{path} holds no JSON object, so its scores are missing.")
    result = BenchmarkResult(
        method=str(raw.get("method", path.parent.name)),
        columns=_mapping(raw.get("columns"), as_number),
        intervals=_mapping(raw.get("intervals"), _as_interval),
        counts=_mapping(raw.get("counts"), lambda counts: {k: int(n) for k, n in _mapping(counts, as_number).items()}),
        unparsed=_mapping(raw.get("unparsed"), as_number),
        blind=_mapping(raw.get("blind"), as_number),
        native=_mapping(raw.get("native"), as_number),
        extra=_mapping(raw.get("extra"), _as_extra),
        files=_mapping(raw.get("files"), lambda file: file if isinstance(file, dict) else None),
        controls=_mapping(raw.get("controls"), lambda columns: _mapping(columns, as_number)),
        notes=_mapping(raw.get("notes"), lambda note: note if isinstance(note, str) else None),
    )
    return result, _mapping(raw.get("data"), lambda v: str(v) if isinstance(v, str | int | float) else None)


def as_number(value: object) -> float | None:
    """The value if it is a finite number, else None: what all JSON read here is held to."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def _mapping(value: object, convert: Callable) -> dict:
    """The entries that can be converted; empty where there is no mapping."""
    if not isinstance(value, dict):
        return {}
    return {str(k): converted for k, v in value.items() if (converted := convert(v)) is not None}


def _as_interval(value: object) -> list[float] | None:
    bounds = [as_number(bound) for bound in value] if isinstance(value, list) else []
    return bounds if len(bounds) == 2 and None not in bounds else None


def _as_extra(value: object) -> dict | None:
    if not isinstance(value, dict) or as_number(value.get("score")) is None:
        return None
    parts = {"score": as_number(value["score"]), "blind": as_number(value.get("blind"))}
    parts["interval"] = _as_interval(value.get("interval"))
    return {key: part for key, part in parts.items() if part is not None}

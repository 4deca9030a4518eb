"""The answers and scores of every method under ``<run>/results``, read with tolerance.

A benchmark.json of another version, cut short or edited by hand still gives what it can: a field that is missing or of
the wrong type counts as empty, a number that is none is left out, and what could not be read is said in one sentence.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from videmo.benchmark import RESULT_FILE, BenchmarkResult
from videmo.benchmark.predictions import Prediction, read_predictions
from videmo.data.controls import CONTROLS
from videmo.data.records import RecordError
from videmo.errors import InputError
from videmo.tasks import Task, all_tasks, find_task, use_tasks_of


@dataclass(frozen=True)
class Method:
    """What one method left in its folder.

    Attributes:
        name: The folder's name.
        result: Its benchmark.json, if there is one that can be read.
        date: When the results were written.
        predictions: Its answers by task, in the order of tasks.yaml.
    """

    name: str
    result: BenchmarkResult | None
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
    use_tasks_of(*folders)
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
    result = None
    result_file = folder / RESULT_FILE
    if result_file in files:
        try:
            result = BenchmarkResult.load(result_file, tolerant=True)
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
    return Method(folder.name, result, date, ordered)


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

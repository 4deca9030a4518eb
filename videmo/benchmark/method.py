"""A method's folder: its answers in the release's format, those to its controls in subfolders, and what they scored.

results/<method>/<result_file>.json            answers
results/<method>/<control>/<result_file>.json  answers of the same model that was shown other pixels
results/<method>/benchmark.json                scores
results/<method>/scores.jsonl                  every answer with what it scored
results/<method>/reasoning.jsonl               how a search found each answer, where one did
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from videmo.benchmark.blind import BlindBaseline
from videmo.benchmark.graded import SCORES_FILE, Graded, write_scores
from videmo.benchmark.grading import grade
from videmo.benchmark.predictions import REASONING_FILE, Prediction, read_predictions, unique_predictions
from videmo.benchmark.results import RESULT_FILE, BenchmarkResult, with_controls
from videmo.benchmark.scoring import grade_blind, summarise
from videmo.data.controls import CONTROLS, Shown
from videmo.data.records import RecordError
from videmo.errors import InputError
from videmo.judge import SupportsAsk
from videmo.tasks import Task, find_task, is_task

_MOST_NAMED = 10  # malformed lines


@dataclass(frozen=True)
class Answers:
    """What a method's folder holds.

    Attributes:
        shown: What the model was shown -> its answers; ``none`` are those to the videos themselves.
        left_out: JSON files that are no task's.
        repeated: Result file -> lines that repeat another word for word, and are left out.
    """

    shown: Mapping[Shown, list[Prediction]]
    left_out: Sequence[Path]
    repeated: Mapping[str, int]


def read_answers(folder: Path) -> Answers:
    """Read all answers of a method.

    Raises:
        InputError: If there is none, a file is malformed or empty, or two are of one task; the message names the first
            ten of these.
    """
    if not folder.is_dir():
        beside = sorted(path.name for path in folder.parent.glob("*") if has_answers(path))
        known = f"; {folder.parent} has {', '.join(beside)}" if beside else ""
        what = "is a file; give the folder that it is in" if folder.is_file() else "is not there" + known
        raise InputError(f"no folder with a method's answers: {folder} {what}")
    shown: dict[Shown, list[Prediction]] = {}
    problems: list[str] = []
    left_out: list[Path] = []
    repeated: Counter[str] = Counter()
    for control in ("none", *CONTROLS):
        found: dict[Task, Path] = {}
        for file in _json_files(folder if control == "none" else folder / control):
            try:
                answers = _answers_in(file)
            except RecordError as error:
                problems.append(str(error))
                continue
            if answers is None:
                left_out.append(file)
                continue
            for task, predictions in answers.items():
                if (other := found.setdefault(task, file)) != file:
                    problems.append(f"{other} and {file} are both of {task.result_file}; remove one")
                kept = {_words(prediction): prediction for prediction in predictions}
                repeated[task.result_file] += len(predictions) - len(kept)
                shown.setdefault(control, []).extend(kept.values())
    if problems:
        more = f"\n... and {len(problems) - _MOST_NAMED} more" if len(problems) > _MOST_NAMED else ""
        raise InputError("\n".join(problems[:_MOST_NAMED]) + more)
    if not shown.get("none"):
        others = f"; {', '.join(file.name for file in left_out[:3])} are named as no task's are" if left_out else ""
        raise InputError(
            f"no answers in {folder}: expected files named as the release's, such as "
            f"DFEW_Single-Label-Emotion-Recognition.json, or lines with their source{others}"
        )
    return Answers(shown, left_out, +repeated)


def has_answers(folder: Path) -> bool:
    """Whether a folder has a file that is named as a task's."""
    return any(is_task(file.stem) for file in _json_files(folder))


def _json_files(folder: Path) -> list[Path]:
    files = sorted([*folder.glob("*.json"), *folder.glob("*.jsonl")])
    return [file for file in files if file.name not in (RESULT_FILE, SCORES_FILE, REASONING_FILE)]


def _answers_in(file: Path) -> dict[Task, list[Prediction]] | None:
    """A file's answers by task; None if neither its name nor its lines' sources name one.

    Raises:
        RecordError: At its first malformed line, or if it holds none.
    """
    found: dict[Task, list[Prediction]] = defaultdict(list)
    try:
        for prediction in read_predictions(file):
            found[find_task(prediction.record.source, str(file))].append(prediction)
    except RecordError:
        if is_task(file.stem):
            raise
        return None
    except InputError:
        return None
    if not found and is_task(file.stem):
        raise RecordError(f"{file}: holds no answers; write them, or remove it")
    return found or None


def _words(prediction: Prediction) -> tuple:
    """What two lines share where one repeats the other."""
    record = prediction.record
    return record.videos, record.question, record.answer, prediction.response


def grade_method(
    answers: Mapping[Shown, Sequence[Prediction]], blind: BlindBaseline | None = None, judge: SupportsAsk | None = None
) -> tuple[dict[Shown, list[Graded]], list[Graded]]:
    """All answers graded, by what the model was shown; and the best answers without looking to the same questions.

    Args:
        answers: What the model was shown -> its answers.
        blind: Answers without looking.
        judge: Reads what rules cannot be trusted with.
    """
    unique = {shown: unique_predictions(predictions) for shown, predictions in answers.items()}
    graded = {shown: grade(predictions, judge) for shown, predictions in unique.items()}
    return graded, grade_blind(unique["none"], blind, judge) if blind else []


def remove_scores(folder: Path) -> None:
    """Take away what an earlier test or `videmo score` wrote beside answers that are others now."""
    for name in (RESULT_FILE, SCORES_FILE):
        (folder / name).unlink(missing_ok=True)


def score_method(
    graded: Mapping[Shown, Sequence[Graded]],
    guessed: Sequence[Graded],
    folder: Path,
    name: str,
    *,
    data: Mapping[str, str] | None = None,
    asked: Mapping[str, int] | None = None,
    judge: Mapping | None = None,
    generation: Mapping | None = None,
) -> BenchmarkResult:
    """Score a method with its controls and blind beside it, and write all that into a folder.

    Args:
        graded: What the model was shown -> its answers, as ``grade_method`` gives them.
        guessed: The best answers without looking.
        folder: Where to write benchmark.json and scores.jsonl, those of controls into subfolders.
        name: The method's.
        data: Which data the questions are of.
        asked: Result file -> how many questions that data asks, where known.
        judge: Who judged.
        generation: How the answers came about, and what they cost, where known.
    """
    about = {"data": data, "asked": asked, "judge": judge}
    result = summarise(graded["none"], guessed, name, **about)
    controls: dict[str, BenchmarkResult] = {
        shown: summarise(ones, (), name, **about) for shown, ones in graded.items() if shown != "none"
    }
    for shown, ones in graded.items():
        write_scores(ones, folder / ("" if shown == "none" else shown) / SCORES_FILE)
    result = replace(with_controls(result, controls), generation=dict(generation or {}))
    result.save(folder / RESULT_FILE)
    return result

"""A method's folder: its answers in the release's format, those to its controls in subfolders, and what they scored.

results/<method>/<result_file>.json            answers
results/<method>/<control>/<result_file>.json  answers of the same model that was shown other pixels
results/<method>/benchmark.json                scores
results/<method>/scores.jsonl                  every answer with what it scored
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from videmo.benchmark.blind import BlindBaseline
from videmo.benchmark.graded import SCORES_FILE, Graded, write_scores
from videmo.benchmark.grading import grade
from videmo.benchmark.predictions import Prediction, read_predictions, unique_predictions
from videmo.benchmark.results import RESULT_FILE, BenchmarkResult, with_controls
from videmo.benchmark.scoring import grade_blind, summarise
from videmo.data.controls import CONTROLS, Shown
from videmo.data.records import RecordError
from videmo.errors import InputError
from videmo.judge import SupportsAsk
from videmo.tasks import find_task

_MOST_NAMED = 10  # malformed lines


@dataclass(frozen=True)
class Answers:
    """What a method's folder holds.

    Attributes:
        shown: What the model was shown -> its answers; ``none`` are those to the videos themselves.
        left_out: JSON files that are no task's.
    """

    shown: Mapping[Shown, list[Prediction]]
    left_out: Sequence[Path]


def read_answers(folder: Path) -> Answers:
    """Read all answers of a method.

    Raises:
        InputError: If there is none, or a line is malformed; the message names the first ten.
    """
    if not folder.is_dir():
        beside = sorted(path.name for path in folder.parent.glob("*") if path.is_dir())
        known = f"; {folder.parent} has {', '.join(beside)}" if beside else ""
        raise InputError(f"no folder {folder} with a method's answers{known}")
    shown: dict[Shown, list[Prediction]] = {}
    problems: list[str] = []
    left_out: list[Path] = []
    for control in ("none", *CONTROLS):
        place = folder if control == "none" else folder / control
        for file in sorted([*place.glob("*.json"), *place.glob("*.jsonl")]):
            if file.name in (RESULT_FILE, SCORES_FILE):
                continue
            try:
                find_task(file.stem)
            except InputError:
                left_out.append(file)
                continue
            shown.setdefault(control, []).extend(_whole(file, problems))
    if problems:
        more = f"\n... and {len(problems) - _MOST_NAMED} more" if len(problems) > _MOST_NAMED else ""
        raise InputError("\n".join(problems[:_MOST_NAMED]) + more)
    if not shown.get("none"):
        others = f"; {', '.join(file.name for file in left_out[:3])} are named as no task's are" if left_out else ""
        raise InputError(
            f"no answers in {folder}: expected files named as the release's, such as "
            f"DFEW_Single-Label-Emotion-Recognition.json{others}"
        )
    return Answers(shown, left_out)


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


def score_method(
    answers: Mapping[Shown, Sequence[Prediction]],
    folder: Path,
    name: str,
    *,
    blind: BlindBaseline | None = None,
    data: Mapping[str, str] | None = None,
    asked: Mapping[str, int] | None = None,
    judge: SupportsAsk | None = None,
) -> BenchmarkResult:
    """Score a method's answers, with its controls and blind beside them, and write what they scored.

    Args:
        answers: What the model was shown -> its answers.
        folder: Where to write benchmark.json and scores.jsonl, those of controls into subfolders.
        name: The method's.
        blind: Answers the same questions without looking.
        data: Which data the questions are of.
        asked: Result file -> how many questions that data asks, where known.
        judge: Reads what rules cannot be trusted with.
    """
    graded, guessed = grade_method(answers, blind, judge)
    about = {"data": data, "asked": asked, "judge": judge.identity if judge else None}
    result = summarise(graded["none"], guessed, name, **about)
    controls = {shown: summarise(ones, (), name, **about) for shown, ones in graded.items() if shown != "none"}
    for shown, ones in graded.items():
        write_scores(ones, folder / ("" if shown == "none" else shown) / SCORES_FILE)
    result = with_controls(result, controls)
    result.save(folder / RESULT_FILE)
    return result


def _whole(file: Path, problems: list[str]) -> list[Prediction]:
    """A file's predictions up to its first malformed line, which is added to the problems."""
    found = []
    try:
        for prediction in read_predictions(file):
            found.append(prediction)
    except RecordError as error:
        problems.append(str(error))
    return found

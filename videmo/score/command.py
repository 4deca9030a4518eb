"""The command ``videmo score``: answers on disk, the authors', ms-swift's or ours, scored with no model loaded.

videmo score runs/demo/results --method demo
videmo score results --method VidEmo-T1 --judge.base_url=http://localhost:8000/v1 --judge.model=Qwen3-32B --dry-run
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from videmo.benchmark import RESULT_FILE, BenchmarkResult
from videmo.benchmark.graded import SCORES_FILE, Graded, read_scores
from videmo.benchmark.method import grade_method, has_answers, read_answers, score_method
from videmo.benchmark.predictions import write_tasks
from videmo.benchmark.table import results_table
from videmo.errors import InputError
from videmo.judge import Judge, JudgeSettings
from videmo.score.asked import DataAsked, read_data
from videmo.score.dry_run import DryRun, plan_table
from videmo.tasks import use_tasks_of
from videmo.terminal import output


def score(
    results: str,
    method: str | None = None,
    data: str | None = None,
    judge: Literal["rules"] | JudgeSettings = "rules",
    out: str | None = None,
    dry_run: bool = False,
) -> int:
    """Score a method's prediction files: the paper's columns with intervals, every denominator and what is missing.

    Writes benchmark.json, and scores.jsonl with every single answer, beside the predictions. The exit status is 1 where
    a judge failed on some answers: they are missing, never 0, and the same command asks for them again.

    Args:
        results: Folder with a folder a method, as in the release: RESULTS/NAME/<task>.json; or a method's folder.
        method: Which of them; not needed where there is one.
        data: The data folder that was asked about: puts the blind baseline beside the scores, names the data, and
            counts questions that have no answer.
        judge: Who reads free answers and captions. rules needs no network and leaves the judge's columns empty; an
            OpenAI-compatible server is named by --judge.base_url and --judge.model, and --judge.help lists the rest.
        out: Folder to write to; the method's by default.
        dry_run: Say what the judge would be asked, with tokens and cost, and send nothing (--dry-run).
    """
    console = output()
    use_tasks_of(*_with_answers(Path(results), method), *([data] if data else []))
    folder = method_folder(Path(results), method)
    answers = read_answers(folder)
    for file in answers.left_out:
        console.print(f"left out, neither its name nor its lines' source is a task's: {file}")
    for file, number in answers.repeated.items():
        console.print(f"left out, word for word as another line: {number} of {file}")
    target = Path(out) if out else folder
    _check_writable(target)
    about = read_data(Path(data), answers.shown["none"]) if data else DataAsked()
    if dry_run:
        if judge == "rules":
            raise InputError(
                "--dry-run says what a judge would be asked: name one by --judge.base_url and --judge.model"
            )
        dry = DryRun(Judge(judge))
        grade_method(answers.shown, about.blind, dry)
        told = [
            folder.name,
            *(shown for shown in answers.shown if shown != "none"),
            *(["blind"] if about.blind else []),
        ]
        console.print(plan_table(dry, told))
        return 0
    if not data:
        _refuse_loss(target)
    asker = None if judge == "rules" else Judge(judge)
    graded, guessed = grade_method(answers.shown, about.blind, asker)
    given = {"data": about.fingerprint, "asked": about.questions, "judge": asker.identity if asker else None}
    given["generation"] = _generation(folder, graded["none"])
    write_tasks(target)
    result = score_method(graded, guessed, target, folder.name, **given)
    console.print(results_table(result))
    console.print(f"benchmark.json and scores.jsonl are in {target}")
    failed = sum(one.by == "judge" and bool(one.missing) for ones in graded.values() for one in ones)
    if not failed:
        return 0
    console.print(
        f"{failed} answers have no verdict; scores.jsonl says why. The same command asks for those that got no reply, "
        "with --retry-missing also for those whose reply could not be read."
    )
    return 1


def method_folder(results: Path, method: str | None) -> Path:
    """The folder of one method's answers.

    Raises:
        InputError: If there is none, or it is not said which of several.
    """
    if not results.is_dir():
        raise InputError(f"no results folder {results}")
    if method is not None:
        return results / method
    if has_answers(results):
        return results
    methods = sorted(folder.name for folder in results.iterdir() if has_answers(folder))
    if len(methods) == 1:
        return results / methods[0]
    if not methods:
        raise InputError(
            f"no answers in {results} or the folders in it: expected files named as the release's, such as "
            "DFEW_Single-Label-Emotion-Recognition.json"
        )
    raise InputError(f"{results} has several methods: give --method, one of {', '.join(methods)}")


def _with_answers(results: Path, method: str | None) -> list[Path]:
    """The folders whose answers may be meant, each of which may have tasks of its own."""
    if method is not None or not results.is_dir():
        return [results / (method or "")]
    return [results, *sorted(path for path in results.iterdir() if path.is_dir())]


def _generation(folder: Path, graded: Sequence[Graded]) -> Mapping:
    """How answers came about, as a test wrote beside them; nothing where it tested others, or wrote nothing."""
    try:
        before = read_scores(folder / SCORES_FILE)
        generation = BenchmarkResult.load(folder / RESULT_FILE).generation
    except (InputError, OSError):
        return {}
    was, now = (sorted((one.file, one.videos, one.question, one.response) for one in ones) for ones in (before, graded))
    return generation if was == now else {}


def _check_writable(target: Path) -> None:
    """Find out before a judge is paid whether the scores can be written."""
    place = next(path for path in (target, *target.absolute().parents) if path.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise InputError(f"scores cannot be written into {target}; name another folder by --out")


def _refuse_loss(target: Path) -> None:
    """Scores with blind beside them are not written over by scores without."""
    file = target / RESULT_FILE
    if file.is_file() and BenchmarkResult.load(file).blind:
        raise InputError(
            f"{file} has the blind baseline beside its scores, which would be lost: name the data folder by --data, or "
            "another folder by --out"
        )

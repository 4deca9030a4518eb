"""The command ``videmo compare``: two methods side by side, and the answers that flipped.

videmo compare runs/a/results/demo runs/b/results/demo
"""

import json
from dataclasses import asdict
from pathlib import Path

from videmo.aside import write_atomically
from videmo.benchmark import RESULT_FILE, BenchmarkResult
from videmo.benchmark.compare import Comparison, compare_graded
from videmo.benchmark.graded import SCORES_FILE, Graded, as_fields, read_scores
from videmo.benchmark.grading import grade
from videmo.benchmark.method import has_answers, read_answers
from videmo.benchmark.predictions import unique_predictions
from videmo.compare.terminal import differences_table, flips_table, remarks
from videmo.errors import InputError, as_word
from videmo.tasks import use_tasks_of
from videmo.terminal import output


def compare(a: str, b: str, flips: int = 2, out: str | None = None) -> int:
    """Hold two methods' answers to the same questions against each other: B's scores less A's, with paired intervals.

    Args:
        a: A method's folder, such as runs/a/results/demo. Its scores.jsonl is taken as it is; answers without one are
            scored by rules.
        b: Another's.
        flips: How many answers that flipped are shown of a column.
        out: A file for everything as JSON, all flipped answers too.
    """
    console = output()
    if flips < 0:
        raise InputError(f"--flips must be 0 or more, got {flips}")
    folders = [Path(a), Path(b)]
    use_tasks_of(*folders)
    first, second = (read_graded(folder) for folder in folders)
    found = compare_graded(first, second)
    if not found.differences:
        raise InputError(f"{a} and {b} answer no question in common: {len(first)} and {len(second)} answers")
    if out:
        write_comparison(found, folders, Path(out))
    console.print(differences_table(found, folders))
    for remark in remarks(found, [judge_of(folder) for folder in folders]):
        console.print(remark)
    if flips and found.flips:
        console.print(flips_table(found, flips))
    if out:
        console.print(f"all of this, and {len(found.flips)} flipped answers, are in {out}")
    return 0


def read_graded(folder: Path) -> list[Graded]:
    """A method's answers as they were scored, or scored now by rules.

    Raises:
        InputError: If there is none, or the scores are of other answers than those beside them.
    """
    if not (folder / SCORES_FILE).is_file():
        return grade(unique_predictions(read_answers(folder).shown["none"]))
    graded = read_scores(folder / SCORES_FILE)
    if has_answers(folder):  # else they were written elsewhere, by --out
        answers = {(p.record.videos, p.record.question, p.response) for p in read_answers(folder).shown["none"]}
        if answers != {(one.videos, one.question, one.response) for one in graded}:
            raise InputError(
                f"{folder / SCORES_FILE} is of other answers than those beside it: run "
                f"`videmo score {as_word(folder)}` again"
            )
    return graded


def judge_of(folder: Path) -> dict:
    """Who judged a method's answers; empty where rules did."""
    file = folder / RESULT_FILE
    return BenchmarkResult.load(file).judge if file.is_file() and (folder / SCORES_FILE).is_file() else {}


def write_comparison(found: Comparison, folders: list[Path], path: Path) -> None:
    """Write a comparison as JSON.

    Raises:
        InputError: If there is a file that is no comparison.
    """
    if path.exists() and not (path.is_file() and path.read_bytes()[:8] in (b"", b'{\n "a": ')):
        raise InputError(f"--out={path} is there, and no comparison; name another file")
    flips = [{"column": column, "a": as_fields(one), "b": as_fields(other)} for column, one, other in found.flips]
    fields = {
        "a": str(folders[0]),
        "b": str(folders[1]),
        "columns": {one.column: asdict(one) | {"difference": one.difference} for one in found.differences},
        "mean": found.mean and asdict(found.mean) | {"difference": found.mean.difference},
        "only_a": found.only_a,
        "only_b": found.only_b,
        "other_references": found.unlike,
        "flips": flips,
    }
    write_atomically(path, json.dumps(fields, indent=1, ensure_ascii=False) + "\n")

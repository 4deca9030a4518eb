"""From predictions to what benchmark.json holds.

Without a judge open answers are scored by vocabulary, and captions get ROUGE-L and the F1 of their affective trees in
`BenchmarkResult.extra`, never in a column of the judge's.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from videmo.benchmark.blind import BlindBaseline
from videmo.benchmark.graded import Graded
from videmo.benchmark.grading import CAPTION_METRICS, grade
from videmo.benchmark.judging import judged_columns
from videmo.benchmark.predictions import Prediction
from videmo.benchmark.results import BenchmarkResult
from videmo.data.presence import source_of
from videmo.errors import InputError
from videmo.judge import SupportsAsk
from videmo.metrics import bootstrap_interval
from videmo.metrics.task_labels import LABEL_KINDS, count_labels, task_labels
from videmo.tasks import Task, all_tasks, find_task

NOTES = {
    "choice_open": "open answers are scored by vocabulary, not by a judge",
    "rouge_l": "ROUGE-L F against the reference, not a judge's score",
    "tree_f1": "F1 of the affective trees that rules read from caption and reference, not a judge's score",
}
NO_ANSWER = "asked, and no answer is there"


def grade_blind(
    predictions: Sequence[Prediction], blind: BlindBaseline, judge: SupportsAsk | None = None
) -> list[Graded]:
    """The best answers without looking to the same questions, but for files that training knew nothing of.

    A caption is scored by each rule as the best by that rule; a judge is asked about the best by ROUGE-L.
    """
    by_task = _by_task(predictions, lambda prediction: find_task(prediction.record.source, prediction.record.file))
    records = [p.record for ps in by_task.values() if all(blind.knows(p.record) for p in ps) for p in ps]
    graded = grade([Prediction(record, blind.answer(record)) for record in records], judge)
    for i, (record, one) in enumerate(zip(records, graded, strict=True)):
        if one.task.kind == "caption":
            metric, name = CAPTION_METRICS["tree_f1"], f"{one.task.column}_tree_f1"
            best = metric(blind.answer(record, metric), record.answer)
            graded[i] = replace(one, scores=one.scores | {name: best})
    return graded


def summarise(
    graded: Sequence[Graded],
    blind: Sequence[Graded],
    method: str,
    *,
    data: Mapping[str, str] | None = None,
    asked: Mapping[str, int] | None = None,
    judge: Mapping | None = None,
) -> BenchmarkResult:
    """Columns, intervals, counts and everything else that graded answers come to.

    Args:
        graded: The model's answers.
        blind: The best answers without looking, graded alike.
        method: The name to put on the result.
        data: Which data the questions are of.
        asked: Result file -> how many questions that data asks, where known: those without an answer are counted.
        judge: Who judged.

    Raises:
        InputError: If there is no answer.
    """
    by_task, guessed = _by_task(graded, lambda one: one.task), _by_task(blind, lambda one: one.task)
    if not by_task:
        raise InputError("no predictions to score: expected at least one answered record")
    result = BenchmarkResult(method, data=dict(data or {}), judge=dict(judge or {}))
    asked_of = {task: (asked or {}).get(task.result_file, 0) for task in all_tasks()}
    parts: dict[str, list[Task]] = defaultdict(list)
    for task in all_tasks():
        names = dict.fromkeys(name for one in by_task[task] for name in (*one.scores, *one.missing))
        for column in names or (judged_columns(task) if asked_of[task] and task.kind != "caption" else ()):
            parts[column].append(task)
    for column, tasks in parts.items():
        absent = sum(max(0, asked_of[task] - len(by_task[task])) for task in tasks)
        _fill(result, column, [by_task[task] for task in tasks], [guessed[task] for task in tasks], absent)
        if lacking := [t for t in all_tasks() if column in judged_columns(t) and not by_task[t]]:
            files = len(lacking) + sum(bool(by_task[task]) for task in tasks)
            note = f"{files - len(lacking)} of {files} files: lacks {', '.join(task.result_file for task in lacking)}"
            result.notes[column] = "; ".join(filter(None, (result.notes.get(column), note)))
    return result


def _fill(
    result: BenchmarkResult, column: str, files: list[list[Graded]], guesses: list[list[Graded]], absent: int
) -> None:
    """Write a column's scores, intervals and counts into the result."""
    everything = [one for file in files for one in file]
    if not everything:
        result.counts[column] = {"asked": absent, "answered": 0, "judged": 0, "unparsed": 0}
        result.missing[column] = {NO_ANSWER: absent}
        return
    judged = [one for one in everything if column in one.scores]
    result.counts[column] = {
        "asked": len(everything) + absent,
        "answered": sum(one.answered for one in everything),
        "judged": len(judged),
        "unparsed": sum(one.answer is None for one in judged),
    }
    result.unparsed[column] = _percent(result.counts[column]["unparsed"] / result.counts[column]["asked"])
    reasons = Counter(one.missing[column] for one in everything if column in one.missing)
    if reasons or absent:
        result.missing[column] = dict(reasons.most_common()) | ({NO_ANSWER: absent} if absent else {})
    task = everything[0].task
    is_column = column in judged_columns(task)
    if note := _note(task, column, is_column, any(one.by == "judge" for one in everything)):
        result.notes[column] = note
    scored = [(file, guess) for file, guess in zip(files, guesses, strict=True) if _scores(file, column).numel()]
    if not scored:
        return
    scores = [_scores(file, column) for file, _ in scored]
    score, interval = _percent(_mean(scores)), [_percent(bound) for bound in bootstrap_interval(*scores)]
    blind = [_scores(guess, column) for _, guess in scored]
    blind = _percent(_mean(blind)) if all(guess.numel() for guess in blind) else None
    if not is_column:
        result.extra[column] = {"score": score, "interval": interval} | ({} if blind is None else {"blind": blind})
        return
    result.columns[column], result.intervals[column] = score, interval
    native = [_scores(file, column, native=True) for file, _ in scored]
    if all(file.numel() for file in native):
        result.native[column] = _percent(_mean(native))
    if blind is not None:
        result.blind[column] = blind
    for file, _ in scored:
        entry = result.files.setdefault(file[0].file, {"asked": len(file), "scores": {}})
        entry["scores"][column] = _percent(_mean([_scores(file, column)]))
        entry |= _by_source(file, column) | _label_figures(file, column)


def _by_source(file: Sequence[Graded], column: str) -> dict:
    """A file's scores apart by where its videos are from, if they are from several places."""
    parts = defaultdict(list)
    for one in file:
        parts[source_of(one.videos[0]) if one.videos else ""].append(one)
    scores = {source: _scores(part, column) for source, part in sorted(parts.items())}
    if len(scores) < 2:
        return {}
    return {"sources": {source: _percent(_mean([part])) for source, part in scores.items() if part.numel()}}


def _label_figures(file: Sequence[Graded], column: str) -> dict:
    """UAR, WAR, macro and micro F1 and what they come from, over the answers that have a score; for tasks of labels."""
    task = file[0].task
    counts = count_labels(task, [(one.answer, one.target) for one in file if column in one.scores]).counts
    if not counts.any():
        return {}
    figures = LABEL_KINDS[task.kind].figures(counts)
    return {"labels": list(task_labels(task))} | {name: _plain(values) for name, values in figures.items()}


def _plain(values: Tensor) -> float | list | None:
    """Counts as they are, shares in per cent, None for what is not defined."""
    if not values.is_floating_point():
        return values.tolist()
    if values.ndim:
        return [_plain(value) for value in values]
    return None if values.isnan() else _percent(values.item())


def _note(task: Task, column: str, is_column: bool, judged: bool) -> str | None:
    if is_column:
        return NOTES.get(task.kind) if not judged else None
    return NOTES[column.removeprefix(f"{task.column}_")]


def _scores(graded: Sequence[Graded], column: str, native: bool = False) -> Tensor:
    """The scores of the answers that have one, [N]."""
    found = [(one.native if native else one.scores).get(column) for one in graded]
    return torch.tensor([score for score in found if score is not None], dtype=torch.float64)


def _by_task(items, task_of) -> dict[Task, list]:
    found = defaultdict(list)
    for item in items:
        found[task_of(item)].append(item)
    return found


def _mean(files: Sequence[Tensor]) -> float:
    """The mean of the files' means."""
    return sum(scores.mean().item() for scores in files) / len(files)


def _percent(share: float) -> float:
    return round(100 * share, 2)

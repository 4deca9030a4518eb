"""From predictions to benchmark.json: the paper's columns, their intervals, every denominator, and blind beside them.

Columns use the authors' variant of each score (F1 of empty against empty is 0); `native` has ours beside it. A column
of several files averages its files first. No judge is asked: open answers are scored by vocabulary, and captions get
ROUGE-L and the F1 of their affective trees in `extra`, never in a column of the judge's.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from videmo.benchmark.blind import BlindBaseline
from videmo.benchmark.predictions import Prediction, unique_predictions, write_atomically
from videmo.errors import InputError
from videmo.metrics import bootstrap_interval, caption_tree_f1, rouge_l, summarise_scores, task_scores
from videmo.metrics.task_score import ScoreTable
from videmo.tasks import Task, all_tasks, find_task

NOTES = {
    "choice_open": "open answers are scored by vocabulary, not by a judge",
    "rouge_l": "ROUGE-L F against the reference, not a judge's score",
    "tree_f1": "F1 of the affective trees that rules read from caption and reference, not a judge's score",
}
CAPTION_METRICS: dict[str, Callable[[str, str], float]] = {"rouge_l": rouge_l, "tree_f1": caption_tree_f1}


@dataclass(frozen=True)
class BenchmarkResult:
    """What benchmark.json holds; scores are 0 to 100, names are the columns of the paper's tables.

    Attributes:
        method: Who answered.
        columns: The published scores.
        intervals: Their 95% bootstrap intervals.
        counts: ``asked``, ``answered`` (any text), ``unparsed`` (cannot be read: wrong), ``unscorable`` (no rule: left
            out); also for what stands in `extra`.
        unparsed: The share of asked questions whose answer cannot be read, in per cent.
        blind: The published scores of the best answers without looking.
        native: Our variant of the scores: empty for empty is right.
        extra: Scores that are no column of the paper: name -> ``score``, ``interval``, and ``blind`` where known.
        files: The published score and ``asked`` of every result file.
        data: Which questions were asked: ``name``, and ``content``, a hash of the test files.
        controls: The same model shown other pixels: control -> column (or name in `extra`) -> score.
        notes: Column -> what a reader must know.
    """

    method: str
    columns: dict[str, float]
    intervals: dict[str, list[float]]
    counts: dict[str, dict[str, int]]
    unparsed: dict[str, float]
    blind: dict[str, float]
    native: dict[str, float]
    extra: dict[str, dict]
    files: dict[str, dict]
    data: dict[str, str] = field(default_factory=dict)
    controls: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, allow_nan=False)

    def save(self, path: str | Path) -> None:
        """Write benchmark.json; it appears whole or not at all."""
        write_atomically(Path(path), self.to_json() + "\n")

    @classmethod
    def load(cls, path: str | Path) -> "BenchmarkResult":
        return cls(**json.loads(Path(path).read_text(encoding="utf-8")))


@dataclass(frozen=True)
class _FileScores:
    """One result file: release and native scores of the samples that can be scored, and blind's where it answers."""

    task: Task
    release: Tensor  # [N]
    native: Tensor  # [N]
    blind: Tensor | None  # [N]
    counts: dict[str, int]
    note: str | None  # a key of NOTES


def score_predictions(
    predictions: Sequence[Prediction],
    blind: BlindBaseline | None = None,
    method: str = "videmo",
    data: Mapping[str, str] | None = None,
) -> BenchmarkResult:
    """Score predictions of any tasks; a record answered twice counts once.

    Args:
        predictions: The model's answers.
        blind: Fitted on the training records; answers the same questions for comparison.
        method: The name to put on the result.
        data: Which data the questions are of.

    Raises:
        InputError: If there is no prediction, or a record belongs to no task.
    """
    by_task = defaultdict(list)
    for prediction in unique_predictions(predictions):
        by_task[find_task(prediction.record.source, prediction.record.file)].append(prediction)
    if not by_task:
        raise InputError("no predictions to score: expected at least one answered record")
    by_column = defaultdict(list)
    for task in all_tasks():
        if task not in by_task:
            continue
        if task.kind == "caption":
            for metric in CAPTION_METRICS:
                by_column[f"{task.column}_{metric}"].append(_score_captions(task, by_task[task], blind, metric))
        else:
            by_column[task.column].append(_score_file(task, by_task[task], blind))

    result = BenchmarkResult(method, *({} for _ in range(8)), data=dict(data or {}))
    for column, parts in by_column.items():
        _fill(result, column, parts)
    return result


def _fill(result: BenchmarkResult, column: str, parts: Sequence[_FileScores]) -> None:
    """Write a column's scores, intervals and counts into the result."""
    result.counts[column] = {key: sum(part.counts[key] for part in parts) for key in parts[0].counts}
    result.unparsed[column] = _percent(result.counts[column]["unparsed"] / result.counts[column]["asked"])
    if parts[0].note:
        result.notes[column] = NOTES[parts[0].note]
    scored = [part for part in parts if len(part.release)]
    if not scored:
        return
    score = _percent(_mean_of_files([part.release for part in scored]))
    interval = [_percent(bound) for bound in bootstrap_interval(*(part.release for part in scored))]
    blind = None
    if all(part.blind is not None for part in scored):
        blind = _percent(_mean_of_files([part.blind for part in scored]))
    if parts[0].task.kind == "caption":
        result.extra[column] = {"score": score, "interval": interval} | ({} if blind is None else {"blind": blind})
        return
    for part in scored:
        own = {"score": _percent(_mean_of_files([part.release])), "asked": part.counts["asked"]}
        result.files[part.task.result_file] = own
    result.columns[column] = score
    result.intervals[column] = interval
    result.native[column] = _percent(_mean_of_files([part.native for part in scored]))
    if blind is not None:
        result.blind[column] = blind


def _score_file(task: Task, predictions: Sequence[Prediction], blind: BlindBaseline | None) -> _FileScores:
    records = [prediction.record for prediction in predictions]
    references = [record.answer for record in records]
    questions = [record.question for record in records]
    scores = task_scores(task, [prediction.response for prediction in predictions], references, questions)
    scorable = ~scores["native"].isnan()  # [N]
    guessed = None
    if blind is not None and all(map(blind.knows, records)):
        guesses = [blind.answer(record) for record in records]
        guessed = task_scores(task, guesses, references, questions)["release"][scorable]
    note = task.kind if task.kind in NOTES else None
    return _FileScores(task, scores["release"][scorable], scores["native"][scorable], guessed, _counts(scores), note)


def _score_captions(
    task: Task, predictions: Sequence[Prediction], blind: BlindBaseline | None, metric: str
) -> _FileScores:
    records = [prediction.record for prediction in predictions]
    references = [record.answer for record in records]
    responses = [prediction.response for prediction in predictions]

    def overlap(texts: Sequence[str]) -> Tensor:
        return torch.tensor([CAPTION_METRICS[metric](*pair) for pair in zip(texts, references, strict=True)])  # [N]

    guessed = None
    if blind is not None and all(map(blind.knows, records)):
        guessed = overlap([blind.answer(record, CAPTION_METRICS[metric]) for record in records])
    scores = overlap(responses)
    counts = _counts(task_scores(task, responses, references, [record.question for record in records]))
    return _FileScores(task, scores, scores, guessed, counts | {"unscorable": 0}, metric)


def _counts(scores: ScoreTable) -> dict[str, int]:
    return {key: int(value) for key, value in summarise_scores(scores).items() if key not in ("native", "release")}


def _mean_of_files(scores: Sequence[Tensor]) -> float:
    return sum(s.double().mean().item() for s in scores) / len(scores)


def _percent(share: float) -> float:
    return round(100 * share, 2)


def with_controls(result: BenchmarkResult, controls: Mapping[str, BenchmarkResult]) -> BenchmarkResult:
    """The result with the scores of its controls (``blank``, ...) written beside its own."""
    scores = {
        name: control.columns | {column: extra["score"] for column, extra in control.extra.items()}
        for name, control in controls.items()
    }
    return replace(result, controls=scores)

"""From predictions to benchmark.json: the paper's columns, their intervals, every denominator, and blind beside them.

Columns use the authors' variant of each score (F1 of empty against empty is 0); `native` has ours beside it. A column
of several files averages its files first. No judge is asked: hair's open answers are scored by vocabulary, and captions
get ROUGE-L in `extra`, never in a column of the judge's.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from videmo.benchmark.blind import BlindBaseline
from videmo.benchmark.predictions import Prediction, unique_predictions, write_atomically
from videmo.errors import InputError
from videmo.metrics import bootstrap_interval, rouge_l, summarise_scores, task_scores
from videmo.tasks import Task, all_tasks, find_task

NOTES = {
    "hair": "open answers are scored by vocabulary, not by a judge",
    "caption_rouge_l": "ROUGE-L F against the reference, not a judge's score",
}


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
        controls: Columns of the same model shown other pixels: control -> column -> score.
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


def score_predictions(
    predictions: Sequence[Prediction], blind: BlindBaseline | None = None, method: str = "videmo"
) -> BenchmarkResult:
    """Score predictions of any tasks; a record answered twice counts once.

    Args:
        predictions: The model's answers.
        blind: Fitted on the training records; answers the same questions for comparison.
        method: The name to put on the result.

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
        if task in by_task:
            by_column[task.column].append(_score_file(task, by_task[task], blind))

    result = BenchmarkResult(method, *({} for _ in range(8)))
    for column, parts in by_column.items():
        result.counts[column] = {key: sum(part.counts[key] for part in parts) for key in parts[0].counts}
        result.unparsed[column] = _percent(result.counts[column]["unparsed"] / result.counts[column]["asked"])
        if column in NOTES:
            result.notes[column] = NOTES[column]
        scored = [part for part in parts if len(part.release)]
        if not scored:
            continue
        score = _percent(_mean_of_files([part.release for part in scored]))
        interval = [_percent(bound) for bound in bootstrap_interval(*(part.release for part in scored))]
        has_blind = all(part.blind is not None for part in scored)
        blind_score = _percent(_mean_of_files([part.blind for part in scored])) if has_blind else None
        for part in scored:
            result.files[part.task.result_file] = {
                "score": _percent(_mean_of_files([part.release])),
                "asked": part.counts["asked"],
            }
        if parts[0].task.kind == "caption":
            result.extra[column] = {"score": score, "interval": interval}
            if has_blind:
                result.extra[column]["blind"] = blind_score
            continue
        result.columns[column] = score
        result.intervals[column] = interval
        result.native[column] = _percent(_mean_of_files([part.native for part in scored]))
        if has_blind:
            result.blind[column] = blind_score
    return result


def _score_file(task: Task, predictions: Sequence[Prediction], blind: BlindBaseline | None) -> _FileScores:
    records = [prediction.record for prediction in predictions]
    responses = [prediction.response for prediction in predictions]
    references = [record.answer for record in records]
    questions = [record.question for record in records]
    guesses = [blind.answer(r) for r in records] if blind is not None and all(map(blind.knows, records)) else None

    scores = task_scores(task, responses, references, questions)
    counts = {key: int(value) for key, value in summarise_scores(scores).items() if key not in ("native", "release")}
    if task.kind == "caption":
        overlap = _rouge_l_scores(responses, references)
        guessed = None if guesses is None else _rouge_l_scores(guesses, references)
        return _FileScores(task, overlap, overlap, guessed, counts | {"unscorable": 0})
    scorable = ~scores["native"].isnan()  # [N]
    guessed = None if guesses is None else task_scores(task, guesses, references, questions)["release"][scorable]
    return _FileScores(task, scores["release"][scorable], scores["native"][scorable], guessed, counts)


def _rouge_l_scores(responses: Sequence[str], references: Sequence[str]) -> Tensor:
    return torch.tensor([rouge_l(*pair) for pair in zip(responses, references, strict=True)])  # [N]


def _mean_of_files(scores: Sequence[Tensor]) -> float:
    return sum(s.double().mean().item() for s in scores) / len(scores)


def _percent(share: float) -> float:
    return round(100 * share, 2)


def with_controls(result: BenchmarkResult, controls: Mapping[str, BenchmarkResult]) -> BenchmarkResult:
    """The result with the columns of its controls (``blank``, ...) written beside its own."""
    return BenchmarkResult(**{**vars(result), "controls": {name: c.columns for name, c in controls.items()}})

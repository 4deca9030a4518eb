"""Predictions on disk, in the release's format: ``<folder>/<method>/<result_file>.json``, one JSON object a line.

A line is ``{"response", "labels", "logprobs", "messages", "videos"}``: what the model said, the reference, the mean
log-probability of the response's tokens (or null), the turns that ended in the response, and the videos.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from videmo.aside import write_atomically
from videmo.data.entries import scan
from videmo.data.faults import Fault
from videmo.data.records import VIDEO_PLACEHOLDER, Record, RecordError, parse_record
from videmo.judge.prompt import well_formed
from videmo.tasks import OWN_FILE, find_task, is_task, own_tasks_text

REASONING_FILE = "reasoning.jsonl"


@dataclass(frozen=True)
class Prediction:
    """What a model said to a record.

    Attributes:
        record: The question with its reference.
        response: The generated text.
        logprob: The mean log-probability of its tokens, where known.
        found: How a search found it, JSON-ready, where one did.
    """

    record: Record
    response: str
    logprob: float | None = None
    found: Mapping[str, Any] | None = None


def unique_predictions(predictions: Iterable[Prediction]) -> list[Prediction]:
    """Predictions in the order of their records; a record answered twice (distributed samplers pad) counts once."""
    first: dict[Record, Prediction] = {}
    for prediction in predictions:
        first.setdefault(prediction.record, prediction)
    return sorted(first.values(), key=lambda prediction: (prediction.record.file, prediction.record.line))


def write_predictions(predictions: Sequence[Prediction], folder: str | Path) -> list[Path]:
    """Write one file a task into a method's folder; each appears whole or not at all.

    Returns:
        The files, in the order of their names.

    Raises:
        InputError: If a record belongs to no task.
    """
    by_file = defaultdict(list)
    for prediction in unique_predictions(predictions):
        task = find_task(prediction.record.source, prediction.record.file)
        by_file[task.result_file].append(json.dumps(_fields(prediction), ensure_ascii=False))
    paths = []
    for result_file, lines in sorted(by_file.items()):
        path = Path(folder) / f"{result_file}.json"
        write_atomically(path, "\n".join(lines) + "\n")
        paths.append(path)
    return paths


def write_searches(predictions: Sequence[Prediction], folder: str | Path) -> None:
    """Write how a search found each answer, in the order of their records, into ``reasoning.jsonl``; without one, an
    earlier file goes."""
    lines = [
        json.dumps({"source": one.record.source, **one.found}, ensure_ascii=False)
        for one in unique_predictions(predictions)
        if one.found
    ]
    if lines:
        write_atomically(Path(folder) / REASONING_FILE, "".join(f"{line}\n" for line in lines))
    else:
        (Path(folder) / REASONING_FILE).unlink(missing_ok=True)


def write_tasks(folder: str | Path) -> None:
    """Write the user's own tasks, where there are some, beside answers, so that these can be read without the data."""
    if text := own_tasks_text():
        write_atomically(Path(folder) / OWN_FILE, text)


def _fields(prediction: Prediction) -> dict:
    turns = [{"role": m.role, "content": m.content} for m in prediction.record.messages]
    logprob = prediction.logprob  # the mean over no tokens is NaN, which JSON has not
    last_answer = max(i for i, turn in enumerate(turns) if turn["role"] == "assistant")
    return {
        "response": prediction.response,
        "labels": prediction.record.answer,
        "logprobs": logprob if logprob is not None and isfinite(logprob) else None,
        "messages": [*turns[:last_answer], {"role": "assistant", "content": prediction.response}],
        "videos": list(prediction.record.videos),
    }


def read_predictions(path: str | Path) -> Iterator[Prediction]:
    """Yield the predictions of one file, ours, ms-swift's or the authors', a JSON object a line or one JSON list; the
    task is told by the file's name, else by the ``source`` of a line.

    Raises:
        FileNotFoundError: If there is no such file.
        RecordError: At the first malformed line, naming file and line.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such prediction file: {path}")
    for entry in scan(path):
        if entry.reason:
            raise RecordError(str(Fault(str(path), entry.line, entry.reason)))
        yield _prediction(entry.fields, str(path), entry.line)


def _prediction(fields: object, file: str, line: int) -> Prediction:
    if not isinstance(fields, dict):
        raise RecordError(f"{file}:{line}: expected a JSON object, found {type(fields).__name__}")
    response, labels = fields.get("response", ""), fields.get("labels")
    if response is None and "response" in fields:
        response = ""  # what ms-swift writes where generation failed: asked, and not answered
    if isinstance(labels, list) and all(isinstance(label, str) for label in labels):
        labels = ", ".join(labels)
    for key, value in (("response", response), ("labels", labels)):
        if key not in fields or not isinstance(value, str):
            raise RecordError(f'{file}:{line}: "{key}" must be text, found {type(fields.get(key)).__name__}')
    if not str(labels).strip():
        raise RecordError(f'{file}:{line}: "labels" is empty; it is the reference, "none" where no label applies')
    turns = fields.get("messages")
    if not isinstance(turns, list) or not turns:
        raise RecordError(f'{file}:{line}: "messages" must be a non-empty list of {{"role", "content"}}')
    if isinstance(turns[-1], dict) and turns[-1].get("role") == "assistant":
        turns = turns[:-1]  # the response
    asked = {"messages": [*map(_turn, turns), {"role": "assistant", "content": labels}], "videos": _paths(fields)}
    if not is_task(Path(file).stem) and "source" in fields:
        asked["source"] = fields["source"]
    record = parse_record(_shown(asked), file, line)
    return Prediction(record, well_formed(response), _mean_logprob(fields.get("logprobs")))


def _turn(turn: object) -> object:
    """A turn whose content is a text, also where it came in parts."""
    if not isinstance(turn, dict) or not isinstance(parts := turn.get("content"), list):
        return turn
    texts = [part.get("text") if "text" in part else VIDEO_PLACEHOLDER for part in parts if isinstance(part, dict)]
    return {**turn, "content": "".join(text for text in texts if isinstance(text, str))}


def _paths(fields: dict) -> object:
    """The videos' paths, also where each is an object with its path."""
    videos = fields.get("videos") or []
    if not isinstance(videos, list):
        return [videos]
    return [video.get("path") or video.get("video") if isinstance(video, dict) else video for video in videos]


def _shown(asked: dict) -> dict:
    """The record with a placeholder for every video: some inference tools drop them from the text that they keep."""
    turns, videos = asked["messages"], asked["videos"]
    texts = [turn.get("content") for turn in turns if isinstance(turn, dict)]
    if any(isinstance(text, str) and VIDEO_PLACEHOLDER in text for text in texts):
        return asked
    first = next((i for i, t in enumerate(turns) if isinstance(t, dict) and t.get("role") == "user"), None)
    if first is not None and isinstance(turns[first].get("content"), str):
        content = VIDEO_PLACEHOLDER * len(videos) + turns[first]["content"]
        return {**asked, "messages": [*turns[:first], {**turns[first], "content": content}, *turns[first + 1 :]]}
    return asked


def _mean_logprob(logprobs: object) -> float | None:
    """Our number, or the mean over ms-swift's ``{"content": [{"logprob": ...}, ...]}``."""
    if isinstance(logprobs, int | float):
        return float(logprobs)
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    values = [t["logprob"] for t in tokens or [] if isinstance(t, dict) and isinstance(t.get("logprob"), int | float)]
    return sum(values) / len(values) if values else None

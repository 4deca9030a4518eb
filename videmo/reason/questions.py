"""What a command is asked: videos, folders of them, and files of questions, as records; a rank's part of them."""

import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from videmo.data.entries import scan
from videmo.data.faults import Fault
from videmo.data.presence import VIDEO_SUFFIXES
from videmo.data.records import Record, RecordError, parse_record
from videmo.errors import InputError
from videmo.reasoning.dialogue import QUESTION, TO_COME, asked
from videmo.tasks import find_task, use_tasks_of

_RECORDS = (".json", ".jsonl")


def find_questions(places: Sequence[str], question: str, video_root: str | None) -> tuple[list[Record], list[str]]:
    """Records of all places, those about the same videos together; and what is wrong with the rest of them.

    Args:
        places: Video files, folders of them, and JSON files of records, whose own questions are asked.
        question: Asked of every video file.
        video_root: What the paths in JSON files are relative to; ``videos`` above a data folder's ``jsons``, else the
            file's folder.

    Raises:
        InputError: If nothing is named.
    """
    found: list[Record] = []
    faults: list[str] = []
    use_tasks_of(*filter(None, (_data_folder(Path(place)) for place in places)))
    for place in map(Path, places):
        if place.is_dir():
            files = sorted(file for file in place.rglob("*") if file.suffix.lower() in VIDEO_SUFFIXES)
            if not files:
                faults.append(f"no videos in {place}; they end in {', '.join(VIDEO_SUFFIXES)}")
            found += [asked(question, [str(file)]) for file in files]
        elif place.is_file() and place.suffix.lower() in _RECORDS:
            records, bad = _records(place, Path(video_root) if video_root else _videos_of(place))
            found, faults = found + records, faults + bad
        elif place.is_file():
            found.append(asked(question, [str(place)]))
        else:
            faults.append(f"{place} is not there; name a video, a folder of videos, or a JSON file of questions")
    if not found and not faults:
        raise InputError("nothing to reason about: name videos, folders of videos, or JSON files of questions")
    order: dict[tuple, list[Record]] = {}
    for record in found:
        order.setdefault(record.videos, []).append(record)
    return list(dict.fromkeys(record for records in order.values() for record in records)), faults


def own_part(records: Sequence[Record]) -> list[Record]:
    """What falls to this process of several, as torchrun numbers them: whole videos in turn."""
    rank, world_size = rank_and_size()
    groups = [[*group] for _, group in groupby(records, lambda record: record.videos)]
    return [record for group in groups[rank::world_size] for record in group]


def rank_and_size() -> tuple[int, int]:
    """Of this process, and how many there are.

    Raises:
        InputError: If the environment says what is none.
    """
    given = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    try:
        rank, size = map(int, given)
    except ValueError:
        rank, size = 0, 0
    if not 0 <= rank < size:
        raise InputError(
            f"RANK {given[0]} and WORLD_SIZE {given[1]} number no process; torchrun sets both, or unset them"
        )
    return rank, size


def _records(file: Path, root: Path) -> tuple[list[Record], list[str]]:
    """The questions of a file, with or without answers; and faults, each with its line."""
    found, faults = [], []
    for entry in scan(file):
        try:
            if entry.reason:
                raise RecordError(str(Fault(str(file), entry.line, entry.reason)))
            record = parse_record(_with_answer(entry.fields), str(file), entry.line)
            found.append(replace(record, videos=tuple(_inside(path, root, record) for path in record.videos)))
        except InputError as error:
            faults.append(str(error))
    return [_known(record) for record in found], faults


def _with_answer(fields: Any) -> Any:
    """A question without an answer gets one to come, as records need one."""
    turns = fields.get("messages") if isinstance(fields, dict) else None
    if isinstance(turns, list) and turns and isinstance(turns[-1], dict) and turns[-1].get("role") == "user":
        return {**fields, "messages": [*turns, {"role": "assistant", "content": TO_COME}], "source": QUESTION}
    return fields


def _known(record: Record) -> Record:
    """A question of no task is one of a user's own."""
    try:
        find_task(record.source, record.file, has_videos=bool(record.videos))
    except InputError:
        return replace(record, source=QUESTION)
    return record if record.videos else replace(record, source=QUESTION)


def _inside(path: str, root: Path, record: Record) -> str:
    whole = os.path.normpath(root / path)
    if not Path(whole).is_relative_to(os.path.normpath(root)):
        raise RecordError(
            f"{record.where}: the video {path} is outside of {root}; give --video_root, or correct the path"
        )
    return whole


def _videos_of(file: Path) -> Path:
    """Where the release's layout keeps the videos of a JSON file."""
    data = _data_folder(file)
    return data / "videos" if data else file.parent


def _data_folder(file: Path) -> Path | None:
    """The data folder in whose ``jsons`` a file is."""
    return next((folder.parent for folder in file.absolute().parents if folder.name == "jsons"), None)

"""Making an index: data files are scanned in parts by several processes, and the parts' columns are joined.

An index is a folder of ``.npy`` columns (N records, V distinct video paths, M uses of them) and two JSON files:

    offset, length, file, line   where each record stands                                            [N]
    task, source, family         positions in `training_tasks()`, in sources.json; equal for the same videos  [N]
    video_start, video_ids       record n uses ``video_ids[video_start[n] : video_start[n + 1]]``    [N + 1], [M]
    video_end, video_text        path i is ``video_text[video_end[i] : video_end[i + 1]]`` in UTF-8  [V + 1], bytes
    sources.json, faults.json    names, and what could not be used
"""

import itertools
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from videmo.data.entries import Entry, Part, parts, scan_part
from videmo.data.pool import spread
from videmo.data.quarantine import identity
from videmo.data.records import what_is_wrong
from videmo.errors import InputError
from videmo.tasks import find_task, training_tasks

PART = 2**24  # bytes of a file that one process scans at a time
COLUMNS = {
    "offset": np.int64,
    "length": np.int32,
    "file": np.int32,
    "line": np.int32,
    "task": np.int16,
    "source": np.int32,
    "family": np.int32,
    "video_start": np.int64,
    "video_ids": np.int32,
    "video_end": np.int64,
    "video_text": np.uint8,
}


def names() -> defaultdict[str, int]:
    """Text -> its number, by first use."""
    return defaultdict(itertools.count().__next__)


@dataclass
class Scanned:
    """What a part of a file holds; sources and videos by the part's own numbers, lines counted from the part's first.

    Attributes:
        columns: offset, length, line, task, source, and ``count``, the videos of each record.
        video_ids: Those of all records, one after the other.
        newlines: In all of the part.
        faults: Line and reason.
    """

    columns: dict[str, np.ndarray]
    video_ids: np.ndarray
    sources: list[str]
    videos: list[str]
    newlines: int
    faults: list[tuple[int, str]] = field(default_factory=list)
    ends_with_fault: bool = False


def build(files: Sequence[Path], folder: Path, workers: int | None, progress: bool) -> None:
    """Index files into a new folder.

    Raises:
        InputError: If a file changes meanwhile.
    """
    before = [identity(file) for file in files]
    joined = _Joined()
    for number, scanned in _scan_all(files, workers, progress):
        joined.add(number, scanned)
    for file, old in zip(files, before, strict=True):
        if identity(file) != old:
            raise InputError(f"{file} changed while it was indexed; start again when it is complete")
    joined.write(folder)


def _scan_all(files: Sequence[Path], workers: int | None, progress: bool) -> Iterator[tuple[int, list[Scanned]]]:
    """The number and the scanned parts of each file."""
    cut: list[list[Part] | Entry] = [parts(file, PART) for file in files]
    jobs = [
        (file, part) for file, of_file in zip(files, cut, strict=True) if isinstance(of_file, list) for part in of_file
    ]
    sizes = [part.stop - part.start for _, part in jobs]
    results = spread(scan, jobs, sizes, "indexing records", workers=workers, progress=progress)
    for number, (file, of_file) in enumerate(zip(files, cut, strict=True)):
        if isinstance(of_file, Entry):
            yield number, [_Scanner(file).result(0, faults=[(of_file.line, of_file.reason or "")])]
            continue
        scanned = [next(results) for _ in of_file]
        if len(scanned) > 1 and any(part.ends_with_fault for part in scanned):  # it may be cut at a wrong place
            scanned = [scan((file, replace(of_file[0], stop=of_file[-1].stop, last=True)))]
        yield number, scanned
    for _ in results:  # ends the progress bar
        pass


def scan(job: tuple[Path, Part]) -> Scanned:
    """Scan one part of a file."""
    file, part = job
    scanner = _Scanner(file)
    with open(file, "rb") as stream:
        for entry in scan_part(stream, part):
            scanner.add(entry)
        return scanner.result(_count_lines(stream, part), scanner.faults)


def _count_lines(stream, part: Part) -> int:
    stream.seek(part.start)
    left, count = part.stop - part.start, 0
    while left > 0 and (data := stream.read(min(left, 2**20))):
        left -= len(data)
        count += data.count(b"\n")
    return count


class _Scanner:
    """Collects the columns of a part."""

    def __init__(self, file: Path) -> None:
        self._file, self._stem = str(file), Path(file).stem
        self._rows: list[tuple[int, int, int, int, int, int]] = []
        self._video_ids: list[int] = []
        self._sources, self._videos = names(), names()
        self._tasks: dict[tuple[str, bool], int | str] = {}
        self._ends_with_fault = False
        self.faults: list[tuple[int, str]] = []

    def add(self, entry: Entry) -> None:
        reason = entry.reason or what_is_wrong(entry.fields)
        self._ends_with_fault = entry.reason is not None
        if reason is None:
            videos = entry.fields.get("videos", ())
            source = entry.fields.get("source", self._stem)
            task = self._task(source, bool(videos))
            if isinstance(task, int):
                where = (entry.offset, entry.length, entry.line)
                self._rows.append((*where, task, self._sources[source], len(videos)))
                self._video_ids += [self._videos[video] for video in videos]
                return
            reason = task
        self.faults.append((entry.line, reason))

    def result(self, newlines: int, faults: list[tuple[int, str]]) -> Scanned:
        rows = np.array(self._rows, dtype=np.int64).reshape(-1, 6)
        return Scanned(
            dict(zip(("offset", "length", "line", "task", "source", "count"), rows.T, strict=True)),
            np.array(self._video_ids, dtype=np.int32),
            list(self._sources),
            list(self._videos),
            newlines,
            faults,
            self._ends_with_fault,
        )

    def _task(self, source: str, has_videos: bool) -> int | str:
        """The position of the task of a source, or why it has none."""
        key = (source, has_videos)
        if key not in self._tasks:
            try:
                self._tasks[key] = training_tasks().index(find_task(source, self._file, has_videos=has_videos))
            except InputError as error:
                self._tasks[key] = str(error)
        return self._tasks[key]


class _Joined:
    """The columns of all files; numbers of sources and videos become those of the whole."""

    def __init__(self) -> None:
        self._columns: dict[str, list[np.ndarray]] = {name: [] for name in (*COLUMNS, "count")}
        self._sources, self._videos = names(), names()
        self._faults: list[tuple[int, int, str]] = []

    def add(self, number: int, scanned: Sequence[Scanned]) -> None:
        """Add the parts of a file."""
        lines, found = 0, len(self._faults)
        records = 0
        for part in scanned:
            columns, size = part.columns, len(part.columns["offset"])
            sources = np.array([self._sources[name] for name in part.sources], dtype=np.int32)
            videos = np.array([self._videos[path] for path in part.videos], dtype=np.int32)
            added = {
                **{name: columns[name] for name in ("offset", "length", "task", "count")},
                "file": np.full(size, number),
                "line": columns["line"] + lines,
                "source": sources[columns["source"]],
                "video_ids": videos[part.video_ids],
            }
            for name, values in added.items():
                self._columns[name].append(values.astype(COLUMNS.get(name, np.int32)))
            self._faults += [(number, line + lines if line else 0, reason) for line, reason in part.faults]
            lines += part.newlines
            records += size
        if not records and len(self._faults) == found:
            self._faults.append((number, 0, "the file holds no record; write its records, or leave it out"))

    def write(self, folder: Path) -> None:
        texts = [path.encode() for path in self._videos]
        count = self._column("count", np.int64)
        columns = {name: self._column(name, dtype) for name, dtype in COLUMNS.items()}
        columns["video_start"] = np.concatenate([[0], np.cumsum(count)])
        columns["video_end"] = np.concatenate([[0], np.cumsum([len(text) for text in texts])])
        columns["video_text"] = np.frombuffer(b"".join(texts), dtype=np.uint8)
        columns["family"] = families(columns["video_start"], columns["video_ids"], len(texts))
        folder.mkdir(parents=True)
        for name, dtype in COLUMNS.items():
            np.save(folder / f"{name}.npy", columns[name].astype(dtype, copy=False))
        _write_json(folder / "sources.json", list(self._sources))
        _write_json(folder / "faults.json", self._faults)

    def _column(self, name: str, dtype) -> np.ndarray:
        return np.concatenate([np.empty(0, dtype), *self._columns[name]]).astype(dtype, copy=False)


def families(video_start: np.ndarray, video_ids: np.ndarray, num_videos: int) -> np.ndarray:
    """Equal numbers for records of the same videos in the same order; a record without videos has its own.

    Args:
        video_start: Where the videos of each record begin.  # [N + 1]
        video_ids: Of all records.  # [M]

    Example:
        >>> families(np.array([0, 1, 3, 3, 4, 6, 6]), np.array([0, 0, 1, 0, 0, 1]), 2).tolist()
        [0, 2, 3, 0, 2, 4]
    """
    count = np.diff(video_start)
    family = np.empty(len(count), dtype=np.int64)
    single = np.flatnonzero(count == 1)
    family[single] = video_ids[video_start[single]]
    several: dict[tuple[int, ...], int] = {}
    for number in np.flatnonzero(count > 1):
        videos = tuple(video_ids[video_start[number] : video_start[number + 1]].tolist())
        family[number] = several.setdefault(videos, num_videos + len(several))
    alone = np.flatnonzero(count == 0)
    family[alone] = num_videos + len(several) + np.arange(len(alone))
    return family


def _write_json(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")

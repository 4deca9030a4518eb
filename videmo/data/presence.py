"""Which videos are there: all of a data set's files by one listing a folder, and whole sources that are missing."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np

VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".flv", ".wmv", ".ts")
"""How files are named that are taken for videos where a folder is given."""


class Place(IntEnum):
    """Where a video was found."""

    THERE = 0
    MISSING = 1
    OUTSIDE = 2  # its path leaves the video root


@dataclass(frozen=True)
class MissingSource:
    """A folder of the video root none of whose videos is there: most users lack some, for their licences.

    Attributes:
        name: The folder.
        videos: How many are named.
        records: How many records name them.
    """

    name: str
    videos: int
    records: int

    def __str__(self) -> str:
        return f"{self.name}: {self.records:,} records of {self.videos:,} videos, all missing"


def find_videos(paths: Iterable[str], root: Path, allow_outside: bool = False) -> np.ndarray:
    """The `Place` of each video, int8 [V]. Folders are listed once; links in them are their owner's.

    Args:
        paths: As records name them.
        root: What they are relative to.
        allow_outside: Whether a path may leave the root.
    """
    base = os.path.abspath(root)
    listed: dict[str, set[str] | None] = {}  # by folder as written; None outside
    places = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        if path.startswith("/") and not folder:
            folder = "/"
        if folder not in listed:
            whole = os.path.normpath(os.path.join(base, folder))
            inside = allow_outside or f"{whole}{os.sep}".startswith(base + os.sep)
            listed[folder] = _files(whole) if inside else None
        names = listed[folder]
        places.append(Place.OUTSIDE if names is None else Place.THERE if name in names else Place.MISSING)
    return np.array(places, dtype=np.int8)


def _files(folder: str) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if _is_file(entry)}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _is_file(entry: os.DirEntry) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself
        return False


def source_of(path: str) -> str:
    """The source that a video is of: the outermost folder of its path.

    >>> source_of("DFEW/clips/1.mp4")
    'DFEW'
    """
    return path.split("/", 1)[0] if "/" in path else "."


NO_SOURCE = ("", ".", "..")
"""What `source_of` says of an absolute path, of a video in the video root itself, and of one that leaves it."""


def record_source(videos: Sequence[str], own: str) -> str:
    """The source of a record: that of its first video, or its own ``source`` where the path names none.

    >>> record_source(["DFEW/1.mp4", "MAFW/1.mp4"], "x"), record_source(["1.mp4"], "x"), record_source([], "magpie")
    ('DFEW', 'x', 'magpie')
    """
    name = source_of(videos[0]) if videos else ""
    return own if name in NO_SOURCE else name


def missing_sources(
    paths: Sequence[str], places: np.ndarray, record: np.ndarray, video: np.ndarray
) -> list[MissingSource]:
    """The sources all of whose videos are missing.

    Args:
        paths: The videos, V of them.
        places: Where each is, [V].
        record: A record, [P], and ``video``, one that it names, as its place in `paths`, [P].
    """
    names, source = np.unique([source_of(path) for path in paths], return_inverse=True)
    videos = np.bincount(source, minlength=len(names))
    there = np.bincount(source[places != Place.MISSING], minlength=len(names))
    pairs = np.unique(record.astype(np.int64) * len(names) + source[video])  # a record may name several of a source
    records = np.bincount(pairs % max(1, len(names)), minlength=len(names))
    found = zip(names.tolist(), videos.tolist(), records.tolist(), there.tolist(), strict=True)
    return [MissingSource(name, *counts) for name, *counts, some in found if not some and name != "."]

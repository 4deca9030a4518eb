"""All videos of a data folder, each looked at and read once, in parallel, as training reads it."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Literal, TypeVar

from videmo.check.folder import DataFolder
from videmo.check.memory import GoodVideos
from videmo.data.decode import probe, read_frames
from videmo.data.quarantine import Identity, identity
from videmo.data.sampling import VideoSettings, clip_grid, frame_size
from videmo.terminal import watch

Reading = Literal["decode", "open", "none"]
"""How far each video is read: to the pixels that training needs, to its metadata, or not at all."""

T = TypeVar("T")
R = TypeVar("R")
_AHEAD = 4  # tasks a thread that wait, so that none is idle and 400,000 of them need no memory
_LOOKERS = 16  # threads that look at files; on a network disk each look waits
_LOOKS = 512  # files a thread looks at at a time


@dataclass
class Examined:
    """What is known of the videos; it grows while they are examined, and says how far a check that is interrupted came.

    Attributes:
        total: How many there are.
        outside: Those whose path leads out of the video root; nothing looks at them.
        missing: Those without a file.
        there: Those with a file, and its identity.
        known: How many of these an earlier check found good, unchanged since.
        good: How many were read and can be used.
        bad: Those that cannot be used, and why.
    """

    total: int = 0
    outside: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    there: dict[str, Identity] = field(default_factory=dict)
    known: int = 0
    good: int = 0
    bad: dict[str, str] = field(default_factory=dict)

    @property
    def read(self) -> int:
        return self.good + len(self.bad)


def examine(
    videos: Sequence[str],
    folder: DataFolder,
    reading: Reading,
    settings: VideoSettings,
    workers: int,
    memory: GoodVideos,
    examined: Examined,
) -> None:
    """Look at every video's file, and read those that are there and not known to be good.

    Args:
        videos: Distinct paths as records write them.
        folder: Whose they are.
        reading: How far each is read.
        settings: How training samples and sizes videos.
        workers: Videos read at once.
        memory: Of videos found good before.
        examined: Is filled.
    """
    examined.total = len(videos)
    examined.outside += [video for video in videos if folder.is_outside(video)]
    outside = set(examined.outside)
    inside = [video for video in videos if video not in outside]
    found = dict(watch("looking for videos", len(inside), _identities(inside, folder.video_root)))
    for video in inside:  # in the order of the records, whichever thread was first
        if (state := found[video]) is None:
            examined.missing.append(video)
        else:
            examined.there[video] = state
    if reading == "none":
        return
    new = [video for video, state in examined.there.items() if not memory.knows(video, state)]
    examined.known = len(examined.there) - len(new)
    results = in_parallel(lambda video: _why_unusable(folder.video_root / video, reading, settings), new, workers)
    for video, reason in watch(f"{'decoding' if reading == 'decode' else 'opening'} videos", len(new), results):
        if reason is None:
            examined.good += 1
            memory.add(video, examined.there[video])
        else:
            examined.bad[video] = reason


def in_parallel(work: Callable[[T], R], things: Iterable[T], workers: int) -> Iterator[tuple[T, R]]:
    """Things with what the work made of them, each as it is done; an error or Ctrl-C gives up the others.

    Its threads are not waited for: one may have twenty seconds to go on a video that hangs.
    """
    asked: SimpleQueue[T | None] = SimpleQueue()
    answered: SimpleQueue[tuple[T, R] | BaseException] = SimpleQueue()

    def serve() -> None:
        while (thing := asked.get()) is not None:
            try:
                answered.put((thing, work(thing)))
            except BaseException as error:
                answered.put(error)

    for _ in range(workers):
        Thread(target=serve, daemon=True).start()
    left, waiting = iter(things), 0
    try:
        while True:
            for thing in islice(left, _AHEAD * workers - waiting):
                asked.put(thing)
                waiting += 1
            if not waiting:
                return
            answer = answered.get()
            waiting -= 1
            if isinstance(answer, BaseException):
                raise answer
            yield answer
    finally:
        with suppress(Empty):
            while True:
                asked.get_nowait()
        for _ in range(workers):
            asked.put(None)


def _identities(videos: Sequence[str], video_root: Path) -> Iterator[tuple[str, Identity | None]]:
    def look(batch: Sequence[str]) -> list[Identity | None]:
        return [identity(os.path.join(video_root, video)) for video in batch]

    batches = (videos[start : start + _LOOKS] for start in range(0, len(videos), _LOOKS))
    for batch, found in in_parallel(look, batches, _LOOKERS):
        yield from zip(batch, found, strict=True)


def _why_unusable(path: Path, reading: Reading, settings: VideoSettings) -> str | None:
    """Read a video as far as asked; None where it can be used."""
    try:
        if reading == "decode":
            count, height, width, _ = read_frames(path, settings)[0].shape
            frame_size(height, width, count, settings)
        else:
            clip_grid(probe(path, settings), settings)
    except ValueError as error:  # a VideoError, or a size that no frame can have
        return str(error).removeprefix(str(path)).lstrip(": ")
    except OSError as error:  # gone since it was looked at, or a disk that fails
        return f"cannot be read ({error.strerror}); look at the disk, or get it again"

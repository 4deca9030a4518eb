"""Which records of a split can be used: what is malformed, quarantined, missing or out of place is left out and said.

A source all of whose videos are missing is a line, since most users lack some for their licences. Everything else that
is bad stops the run with one sentence, or, where the user chose so, is skipped and reported.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np

from videmo.data.faults import Fault
from videmo.data.index import RecordIndex
from videmo.data.presence import MissingSource, Place, find_videos, missing_sources, source_of
from videmo.data.quarantine import Quarantine, any_video
from videmo.data.records import Record
from videmo.errors import InputError


@dataclass(frozen=True)
class Records:
    """The records of an index that are used, numbered from 0; each is read from its file when it is asked for.

    Attributes:
        index: All of them.
        numbers: Which are used, ascending, [N].
    """

    index: RecordIndex
    numbers: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> Record:
        return self.index[int(self.numbers[place])]

    def __iter__(self) -> Iterator[Record]:
        return compress(self.index, self._used)

    def videos_of(self, place: int) -> list[str]:
        """A record's video paths, without reading it."""
        return [self.index.videos[video] for video in self.index.videos_of(self.numbers[place]).tolist()]

    @property
    def family(self) -> np.ndarray:
        """Equal where records have the same videos, [N]."""
        return self.index.family[self.numbers]

    @property
    def videos(self) -> np.ndarray:
        """Positions in ``index.videos`` of their videos, ascending, each once."""
        return np.unique(self.index.video_ids[np.repeat(self._used, np.diff(self.index.video_start))])

    @property
    def task(self) -> np.ndarray:
        """Places in ``index.tasks``, [N]."""
        return self.index.task[self.numbers]

    @property
    def _used(self) -> np.ndarray:
        used = np.zeros(len(self.index), bool)
        used[self.numbers] = True
        return used


@dataclass(frozen=True)
class Found:
    """What a look at an index's files and folders gave.

    Attributes:
        records: What can be used.
        faults: What cannot, but for missing sources; each once.
        missing: Sources that are missing as a whole.
        quarantined: Records that a quarantine covers.
    """

    records: Records
    faults: tuple[Fault, ...]
    missing: tuple[MissingSource, ...]
    quarantined: int


def find_usable(
    index: RecordIndex, video_root: Path, quarantine: Quarantine, allow_outside_root: bool = False
) -> Found:
    """Sort out an index's records.

    Args:
        index: Of a split.
        video_root: What video paths are relative to.
        quarantine: What was found bad before.
        allow_outside_root: Whether a path may leave the root.
    """
    paths = list(index.videos)
    places = find_videos(paths, video_root, allow_outside_root)
    record = np.repeat(np.arange(len(index)), np.diff(index.video_start))
    missing = missing_sources(paths, places, record, index.video_ids)
    gone = {source.name for source in missing}
    covered = quarantine.covers(index)
    bad_video = places != Place.THERE
    usable = ~(covered | any_video(index, bad_video))
    if index.text_tokens is not None:
        usable &= index.text_tokens[:, 0] >= 0  # the tokenizer refuses others, which are among the faults
    faults = [fault for fault in index.faults if quarantine.record_fault(fault.file, fault.line) is None]
    single = np.array([bad and source_of(path) not in gone for bad, path in zip(bad_video, paths, strict=True)], bool)
    for number in np.flatnonzero(any_video(index, single) & ~covered).tolist():  # a video's first record names it
        for video in index.videos_of(number).tolist():
            if single[video]:
                single[video] = False
                reason = _reason(paths[video], Place(int(places[video])), video_root)
                file, line = index.files[index.file[number]], int(index.line[number])
                faults.append(Fault(file, line, reason, paths[video]))
    return Found(Records(index, np.flatnonzero(usable)), tuple(faults), tuple(missing), int(covered.sum()))


def _reason(path: str, place: Place, video_root: Path) -> str:
    if place == Place.OUTSIDE:
        return (
            f"the video {path} is not in {video_root}; set data.video_root to a folder that holds all videos, or "
            "data.allow_outside_root=true if you trust these records to name any file"
        )
    if os.path.isdir(video_root / path):  # Path's own would raise for a name that is too long
        return f"{video_root / path} is a folder, but a video file was expected; correct the record's `videos`"
    if os.path.islink(video_root / path):
        return f"{video_root / path} is a link that leads to no file; get what it names, or leave the record out"
    return f"no video {video_root / path}; get it, set data.video_root, or leave the record out"


def refuse(faults: Sequence[Fault]) -> None:
    """Stop at the first fault, saying how many there are.

    Raises:
        InputError: If there is one.
    """
    if not faults:
        return
    kinds = Counter("video" if fault.video else "record" if fault.line else "file" for fault in faults)
    more = " and ".join(f"{count} bad {kind}{'s' * (count > 1)}" for kind, count in kinds.items())
    raise InputError(
        f"{faults[0]}" + (f" ({more} in all)" if len(faults) > 1 else "") + ". `videmo check` lists what is bad; "
        "data.on_bad_sample=skip goes on without it"
    )

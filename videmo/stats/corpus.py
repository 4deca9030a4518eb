"""What the pictures are of: the records of a data folder, counted by index, and samples of one split of them.

Nothing is parsed to count: the index has every record's task, videos and source. What has to be read (answers,
captions, clips) is drawn at random from the split, by a seed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from videmo.check.findings import Row
from videmo.check.folder import DataFolder
from videmo.check.table import RecordTable
from videmo.data.faults import Fault
from videmo.data.index import RecordIndex
from videmo.data.presence import Place, find_videos, record_source
from videmo.data.quarantine import QUARANTINE_FILE, Quarantine
from videmo.data.records import Record
from videmo.errors import InputError
from videmo.stats.classes import class_of
from videmo.tasks import WITHOUT_TASK, Task

UNREADABLE, NO_TASK, FILE = "unreadable", "without_task", "files"
"""Kinds of what is in no number."""


@dataclass(frozen=True)
class Corpus:
    """The records of a data folder.

    Attributes:
        folder: Where it is.
        indexes: Split -> its records; the splits that have files.
        split: The one that is looked at more closely.
        seed: Of all samples.
    """

    folder: DataFolder
    indexes: Mapping[str, RecordIndex]
    split: str
    seed: int

    @classmethod
    def open(cls, folder: DataFolder, split: str, seed: int) -> "Corpus":
        """Index a folder's files, or map the index that is there.

        Raises:
            InputError: If there is no such folder, or no readable record in the split.
        """
        files = folder.files()
        if split not in files:
            there = ", ".join(files)
            raise InputError(
                f"{folder.root} has no data file of {split}; look at one of {there} by --split, or name files by "
                f"--{split}"
            )
        indexes = {name: RecordIndex.open(paths, folder=folder.index_folder) for name, paths in files.items()}
        index = indexes[split]
        if not len(index):
            first = f": {index.faults[0]}" if index.faults else ""
            raise InputError(
                f"no record of {split} in {folder.root} can be read{first}. `videmo check` lists what is bad"
            )
        return cls(folder, indexes, split, seed)

    @property
    def index(self) -> RecordIndex:
        """The records that are looked at."""
        return self.indexes[self.split]

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        """Split -> how many records and videos each task and source has."""
        return {split: RecordTable({split: index}).summary((), ()) for split, index in self.indexes.items()}

    def faults(self, split: str) -> dict[str, list[Fault]]:
        """What of a split is in no number: records that cannot be read, those whose task is not known, and files."""
        found: dict[str, list[Fault]] = {UNREADABLE: [], NO_TASK: [], FILE: []}
        for fault in self.indexes[split].faults:
            kind = FILE if not fault.line else NO_TASK if fault.reason.startswith(WITHOUT_TASK) else UNREADABLE
            found[kind].append(fault)
        return found

    @cached_property
    def quarantined(self) -> int:
        """Records of the split that the folder's quarantine leaves out of training."""
        root, videos = self.folder.root, self.folder.video_root
        return int(Quarantine.read(root / QUARANTINE_FILE, root, videos).covers(self.index).sum())

    @cached_property
    def places(self) -> np.ndarray:
        """The `Place` of each of the split's videos, [V]."""
        return find_videos(self.index.videos, self.folder.video_root, self.folder.allow_outside_root)

    @cached_property
    def tasks(self) -> dict[Task, np.ndarray]:
        """The numbers of the split's records by their task, in the order of the tasks."""
        order = np.argsort(self.index.task, kind="stable")
        kinds, starts = np.unique(self.index.task[order], return_index=True)
        return dict(zip((self.index.tasks[kind] for kind in kinds), np.split(order, starts[1:]), strict=True))

    @cached_property
    def has_videos(self) -> np.ndarray:
        """Which of the split's records are about a video, [N]."""
        return np.diff(self.index.video_start) > 0

    @cached_property
    def sources(self) -> list[str]:
        """The source of each of the split's videos, [V]; of one in the video root itself that of the first record."""
        index = self.index
        record = np.repeat(np.arange(len(index)), np.diff(index.video_start))
        first = np.zeros(len(index.videos), int)
        first[index.video_ids[::-1]] = record[::-1]
        own = index.source[first].tolist()
        return [record_source([path], index.sources[source]) for path, source in zip(index.videos, own, strict=True)]

    def looked(self, videos: int) -> str:
        """How so many of the split's videos were chosen by `some_videos`."""
        named, there = len(self.index.videos), int((self.places == Place.THERE).sum())
        if videos < there:
            return f"{videos:,} of {there:,} that are here, drawn at random"
        return "all" if there == named else f"all that are here, of {named:,}"

    def in_class(self, name: str) -> np.ndarray:
        """Which of the split's records are of tasks of a class, [N]."""
        return np.isin(
            self.index.task, [place for place, task in enumerate(self.index.tasks) if class_of(task) == name]
        )

    def samples(self, most: int) -> Iterator[tuple[Task, list[Record]]]:
        """Each task with records of it, at most so many, drawn at random; in the order of the files."""
        for task, numbers in self.tasks.items():
            if len(numbers) > most:
                random = np.random.default_rng([self.seed, *task.name.encode()])
                numbers = np.sort(random.choice(numbers, most, replace=False))
            yield task, [self.index[number] for number in numbers.tolist()]

    def some_videos(self, most: int) -> np.ndarray:
        """Positions of videos that are there, at most so many, drawn at random; of two samples one holds the other."""
        there = np.flatnonzero(self.places == Place.THERE)
        return np.sort(np.random.default_rng(self.seed).permutation(there)[:most])

    def where(self, videos: np.ndarray) -> list[str]:
        """The paths of videos, as records write them."""
        return [self.index.videos[number] for number in videos.tolist()]

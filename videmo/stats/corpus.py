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
from videmo.data.index import RecordIndex
from videmo.data.presence import Place, find_videos
from videmo.data.quarantine import QUARANTINE_FILE, Quarantine
from videmo.data.records import Record
from videmo.errors import InputError
from videmo.stats.classes import class_of
from videmo.tasks import Task


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

    def unreadable(self, split: str) -> int:
        """Records of a split that are none, as `videmo check` counts them."""
        return sum(fault.line > 0 for fault in self.indexes[split].faults)

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

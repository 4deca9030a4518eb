"""The records of all splits seen from their videos: which records a video costs, and what is left of each task.

Shapes: N records of all splits together, V distinct videos, P pairs of a record and a video that it names.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from videmo.check.findings import Duplicate, Row
from videmo.data.index import RecordIndex
from videmo.data.presence import NO_SOURCE, source_of
from videmo.data.records import Record


class RecordTable:
    """Records and videos of all splits, numbered through.

    Args:
        indexes: Split -> its records.

    Attributes:
        videos: The distinct videos as records write them.
        refused: Records whose text the tokenizer would misread; they are among their index's faults.  # [N]
    """

    def __init__(self, indexes: Mapping[str, RecordIndex]) -> None:
        self.indexes = indexes
        self._number: dict[str, int] = {}  # of a video
        self._of_split: dict[str, np.ndarray] = {}  # the numbers of a split's videos
        self._starts = np.cumsum([0, *(len(index) for index in indexes.values())])  # each split's first record
        pairs = []
        for (split, index), start in zip(indexes.items(), self._starts, strict=False):
            numbers = [self._number.setdefault(path, len(self._number)) for path in index.videos]
            self._of_split[split] = np.array(numbers, dtype=np.int64)
            record = start + np.repeat(np.arange(len(index)), np.diff(index.video_start))
            pairs.append(np.stack([record, self._of_split[split][index.video_ids]]))
        self.refused = np.concatenate([_refused(index) for index in indexes.values()])
        self.videos = list(self._number)
        record, video = np.concatenate(pairs, axis=1)
        # a record may name a video twice
        self._record, self._video = np.divmod(np.unique(record * len(self.videos) + video), max(1, len(self.videos)))

    def __len__(self) -> int:
        return int(self._starts[-1])

    def videos_of(self, split: str) -> list[str]:
        """The distinct videos of a split."""
        return [self.videos[number] for number in self._of_split[split].tolist()]

    def where(self, record: int) -> tuple[str, int]:
        """File and line of a record."""
        number = int(np.searchsorted(self._starts, record, side="right")) - 1
        index = list(self.indexes.values())[number]
        here = record - int(self._starts[number])
        return index.files[index.file[here]], int(index.line[here])

    def of_videos(self, videos: Iterable[str]) -> np.ndarray:
        """Which records name one of some videos: bool ``[N]``."""
        return self._with_any(self._mask(videos))

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Records, and a video that each names: int ``[P]`` twice."""
        return self._record, self._video

    def usable(self, lost: Iterable[str]) -> dict[str, int]:
        """Records of each split that are left without some videos."""
        left = ~(self.refused | self.of_videos(lost))
        bounds = zip(self.indexes, self._starts, self._starts[1:], strict=False)
        return {split: int(left[start:stop].sum()) for split, start, stop in bounds}

    def uses(self, videos: Iterable[str]) -> Iterator[tuple[str, str, int, int]]:
        """Some videos, each with file and line of the first record that names it, and how many records do."""
        chosen = self._mask(videos)[self._video]
        order = np.argsort(self._video[chosen], kind="stable")  # the records of a video stay in order
        video, record = self._video[chosen][order], self._record[chosen][order]
        numbers, at, counts = np.unique(video, return_index=True, return_counts=True)
        for number, first, count in zip(numbers.tolist(), record[at].tolist(), counts.tolist(), strict=True):
            yield self.videos[number], *self.where(first), count

    def summary(self, missing: Iterable[str], bad: Iterable[str]) -> list[Row]:
        """A row a task and source, in the order of the tasks.

        Args:
            missing: Videos without a file.
            bad: Videos with a file that cannot be used.
        """
        missing, bad = self._mask(missing), self._mask(bad)
        tasks = list(dict.fromkeys(task.name for index in self.indexes.values() for task in index.tasks))
        sources, source = self._sources()
        group = self._join("task", lambda index: [tasks.index(task.name) for task in index.tasks])
        group = group * len(sources) + source  # [N]
        costs = self.refused | self._with_any(missing | bad)
        rows = []
        pairs = np.unique(group[self._record] * len(self.videos) + self._video)
        pair_group, pair_video = np.divmod(pairs, max(1, len(self.videos)))
        for key in np.unique(group).tolist():
            chosen = group == key
            videos = pair_video[pair_group == key]
            rows.append(
                Row(
                    task=tasks[key // len(sources)],
                    source=sources[key % len(sources)],
                    records=int(chosen.sum()),
                    videos=len(videos),
                    missing=int(missing[videos].sum()),
                    bad=int(bad[videos].sum()),
                    usable=int((chosen & ~costs).sum()),
                )
            )
        return rows

    def duplicates(self) -> Iterator[Duplicate]:
        """Records of a split that say word for word what an earlier one says of the same videos."""
        for split, index in self.indexes.items():
            # equal where records may be alike: of these few are read
            key = index.family.astype(np.int64) * (int(index.length.max(initial=0)) + 1) + index.length
            _, group, counts = np.unique(key, return_inverse=True, return_counts=True)
            candidates = np.flatnonzero(counts[group] > 1)
            seen: dict[tuple, str] = {}
            for number in candidates[np.argsort(group[candidates], kind="stable")].tolist():
                record: Record = index[number]
                key = record.messages, record.videos
                if (first := seen.setdefault(key, record.where)) != record.where:
                    yield Duplicate(split, first, record.where)

    def _with_any(self, chosen: np.ndarray) -> np.ndarray:
        """Which records name a chosen video: bool ``[V]`` -> bool ``[N]``."""
        records = np.zeros(len(self), dtype=bool)
        records[self._record[chosen[self._video]]] = True
        return records

    def _mask(self, videos: Iterable[str]) -> np.ndarray:
        mask = np.zeros(len(self.videos), dtype=bool)
        mask[[self._number[video] for video in videos]] = True
        return mask

    def _join(self, column: str, names: Callable[[RecordIndex], list[int]]) -> np.ndarray:
        """A column of all splits ``[N]``, its values renamed for each split."""
        columns = [np.array(names(index), dtype=np.int64)[getattr(index, column)] for index in self.indexes.values()]
        return np.concatenate(columns)

    def _sources(self) -> tuple[list[str], np.ndarray]:
        """Names, and each record's: the first folder of its first video, or its own source where there is none."""
        known: dict[str, int] = {}
        own = self._join("source", lambda index: [known.setdefault(name, len(known)) for name in index.sources])
        names = map(source_of, self.videos)
        of_video = np.array([-1 if name in NO_SOURCE else known.setdefault(name, len(known)) for name in names], int)
        first = np.full(len(self), -1)
        first[self._record[::-1]] = of_video[self._video[::-1]]
        return list(known), np.where(first < 0, own, first)


def _refused(index: RecordIndex) -> np.ndarray:
    return np.zeros(len(index), dtype=bool) if index.text_tokens is None else index.text_tokens[:, 0] < 0

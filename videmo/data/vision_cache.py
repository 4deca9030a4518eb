"""Videos as a frozen vision tower encoded them: read, kept, and promised to the workers that then need not decode.

The features lie in the memory of the process that trains; workers are forked before they are there, and cannot see it.
But nothing leaves that memory, so the order that hands a batch to a worker says what is there by then
(``BatchPlan.known``), and the worker leaves those videos' pixels out. What only the disk has the worker reads itself.

    order       plan      numbers of a batch, and the shapes of the videos in memory
    worker      find      a promised video's shape, or features from disk; otherwise it decodes
    main        fill      puts the promised features into the batch, before it goes to the device
    backbone    keep      the features of each video that it encoded

Features of the release's 16-frame clips are about 1040 tokens x 2048 x 2 bytes = 4.3 MB for the 3B in bfloat16, 7.5 MB
for the 7B, twice that in float32: 1.7 TB for 400,000 videos of the 3B. Where only a part fits, that part is what is hit
from the second epoch on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor

from videmo.data.cache import TensorStore
from videmo.data.video import Video
from videmo.token_tree import TreeBatch, VideoShape


@dataclass(frozen=True)
class BatchPlan:
    """What a worker makes a batch of.

    Attributes:
        numbers: Of the records.
        known: By path, the videos whose features the process that trains will have.
    """

    numbers: list[int]
    known: Mapping[str, VideoShape] = field(default_factory=dict)


class VisionCache:
    """The features of a frozen tower's videos.

    Args:
        store: Where they are kept.
        fingerprint: Of the tower's weights and the precision that it computes in.
    """

    def __init__(self, store: TensorStore, fingerprint: str) -> None:
        self.store = store
        self.fingerprint = fingerprint
        self._known: dict[str, VideoShape] = {}  # by path: what is in memory
        self._expected: dict[str, VideoShape] = {}  # by key: what the batch in training has to encode
        self._said_full = False

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_known": {}, "_expected": {}}

    def key(self, video_key: str) -> str:
        """What the features of a decoded video are kept under."""
        return f"{video_key}-{self.fingerprint}"

    def plan(self, numbers: list[int], paths: Iterable[str]) -> BatchPlan:
        """The batch of these records and their videos, with what is known now and so will be when it is trained on."""
        return BatchPlan(numbers, {path: self._known[path] for path in paths if path in self._known})

    def find(self, path: str, key: str, known: Mapping[str, VideoShape]) -> Video | None:
        """In a worker: the video without pixels, if the plan promises it or the disk has its features."""
        if path in known and known[path].key == key:  # another key: the file was changed since
            return _video(known[path])
        if (tensors := self.store.read(key)) is not None:
            return replace(Video.from_tensors(tensors), path=path, key=key)
        return None

    def fill(self, batch: TreeBatch) -> TreeBatch:
        """Give a batch the features that it was promised, and remember those that a worker read from disk."""
        features = dict(batch.video_features)
        for number in batch.promised:
            kept = self.store.get(batch.videos[number].key)
            assert kept is not None, "what is promised is in memory, and stays there"
            features[number] = kept["features"]
        self._expected = {}
        for number, shape in enumerate(batch.videos):
            if shape.key and number not in features:
                self._expected[shape.key] = shape
            elif number in batch.video_features:
                self._put(shape, features[number])
        return replace(batch, video_features=features, promised=())

    def keep(self, key: str, features: Tensor) -> None:
        """Keep what the backbone made of a video of the batch that ``fill`` saw last."""
        if (shape := self._expected.pop(key, None)) is not None:
            self._put(shape, features)

    def _put(self, shape: VideoShape, features: Tensor) -> None:
        self.store.put(shape.key, _video(shape, features).tensors())
        if shape.key in self.store:
            self._known[shape.path] = shape
        if self.store.full and not self._said_full:
            self._said_full = True
            memory, disk = (used / 2**20 for used in (self.store.memory_used, self.store.disk_used))
            rank_zero_warn(
                f"the vision cache is full ({memory:,.0f} MB in memory, {disk:,.0f} MB on disk): other videos are "
                "encoded each time; data.vision_cache sets its size"
            )


def _video(shape: VideoShape, features: Tensor | None = None) -> Video:
    return Video(
        None, shape.grid_thw, shape.second_per_grid, shape.merge_size, features, path=shape.path, key=shape.key
    )

"""Records as a dataset that builds a whole batch at once: each video is decoded once, siblings share a tree."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import torch
from torch.utils.data import Dataset

from videmo.data.cache import VideoCache
from videmo.data.chat import encode_record
from videmo.data.controls import Shown, swaps
from videmo.data.loader import Failure
from videmo.data.records import Record, RecordError
from videmo.data.sampling import VideoSettings
from videmo.data.trees import Sample, build_trees
from videmo.data.video import Video, load_video
from videmo.errors import InputError
from videmo.token_tree import TokenLayout, TreeBatch, flatten


@dataclass(frozen=True)
class RecordDataset(Dataset):
    """Builds ``TreeBatch`` objects of the records whose numbers a ``BatchOrder`` yields.

    Attributes:
        records: All records of a split.
        video_root: What the records' video paths are relative to.
        tokenizer: The checkpoint's.
        layout: The checkpoint's token facts.
        video: How frames are sampled and resized.
        max_branches: Samples that may share a tree.
        with_answer: False for tests, where the model answers.
        cache: Keeps decoded videos.
        control: What is shown instead of a video.
    """

    records: Sequence[Record]
    video_root: Path
    tokenizer: object
    layout: TokenLayout
    video: VideoSettings
    max_branches: int = 1
    with_answer: bool = True
    cache: VideoCache = field(default_factory=lambda: VideoCache(0))
    control: Shown = "none"

    def __len__(self) -> int:
        return len(self.records)

    def __getitems__(self, numbers: Sequence[int]) -> TreeBatch | Failure:
        try:
            return self._batch(numbers)
        except InputError as error:
            return Failure(error)

    def _batch(self, numbers: Sequence[int]) -> TreeBatch:
        records = [self.records[n if n >= 0 else ~n] for n in numbers]
        videos: dict[str, Video] = {}
        samples = []
        for number, record in zip(numbers, records, strict=True):
            for path in record.videos:
                if path not in videos:
                    videos[path] = self._load(path, record)
            encoded = encode_record(record, self.tokenizer, with_answer=self.with_answer)
            chosen = tuple(videos[path] for path in record.videos)
            samples.append(Sample(encoded, chosen, record.videos, learned=number >= 0))
        trees = build_trees(samples, self.layout.video_token_id, self.max_branches)
        return flatten(trees, self.layout, records)

    @cached_property
    def _swaps(self) -> dict[str, str]:
        return swaps(sorted({path for record in self.records for path in record.videos}))

    def _load(self, path: str, record: Record) -> Video:
        shown = self._swaps[path] if self.control == "swapped" else path
        try:
            video = self.cache.get(shown, lambda: load_video(self.video_root / shown, self.video, self.control))
        except InputError as error:
            raise RecordError(f"{record.where}: {error}") from None
        if self.control == "blank":  # normalised zero is the mean colour of the processor's statistics
            return replace(video, pixel_values=torch.zeros_like(video.pixel_values, dtype=torch.float32))
        return video


def as_batch(batch: TreeBatch | Failure) -> TreeBatch | Failure:
    """The collate function: ``__getitems__`` has already made the batch."""
    return batch

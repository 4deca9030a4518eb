"""Records as a dataset that builds a whole batch at once: each video is decoded once, siblings share a tree."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from torch.utils.data import Dataset

from videmo.data.cache import VideoCache
from videmo.data.chat import EncodedRecord, encode_record
from videmo.data.controls import Shown, swaps
from videmo.data.decode import VideoError
from videmo.data.faults import Fault
from videmo.data.loader import Failure
from videmo.data.records import Record, RecordError
from videmo.data.sampling import VideoSettings
from videmo.data.trees import Sample, build_trees, empty_tree
from videmo.data.video import Video, load_video
from videmo.errors import InputError
from videmo.token_tree import TokenLayout, TreeBatch, flatten

OnBadSample = Literal["raise", "skip"]


@dataclass(frozen=True)
class RecordDataset(Dataset):
    """Builds ``TreeBatch`` objects of the records whose numbers a ``BatchOrder`` yields.

    Attributes:
        records: The usable records of a split.
        video_root: What the records' video paths are relative to.
        tokenizer: The checkpoint's.
        layout: The checkpoint's token facts.
        video: How frames are sampled and resized.
        max_branches: Samples that may share a tree.
        max_tokens: Tokens that a tree may have, and so a sample.
        with_answer: False for tests, where the model answers.
        on_bad_sample: ``skip`` leaves a sample that cannot be used out of its batch, which says so in ``faults``.
        cache: Keeps decoded videos.
        control: What is shown instead of a video.
    """

    records: Sequence[Record]
    video_root: Path
    tokenizer: object
    layout: TokenLayout
    video: VideoSettings
    max_branches: int = 1
    max_tokens: int | None = None
    with_answer: bool = True
    on_bad_sample: OnBadSample = "raise"
    cache: VideoCache = field(default_factory=lambda: VideoCache(0))
    control: Shown = "none"

    def __len__(self) -> int:
        return len(self.records)

    def __getitems__(self, numbers: Sequence[int]) -> TreeBatch | Failure:
        """The batch of these records; one that teaches nothing where there are none, or all are bad."""
        try:
            return self._batch(numbers)
        except InputError as error:
            return Failure(error)

    def _batch(self, numbers: Sequence[int]) -> TreeBatch:
        videos: dict[str, Video | VideoError] = {}
        records, samples, faults = [], [], []
        for number in numbers:
            record = self.records[number]
            try:
                samples.append(self._sample(record, videos))
                records.append(record)
            except InputError as error:
                reason = str(error).removeprefix(f"{record.where}: ")
                fault = Fault(record.file, record.line, reason, _bad_video(record, videos))
                if self.on_bad_sample == "raise":
                    raise RecordError(str(fault)) from None
                faults.append(fault)
        trees = build_trees(samples, self.layout.video_token_id, self.max_branches, self.max_tokens)
        batch = flatten(trees or [empty_tree(self.layout)], self.layout, records)
        return replace(batch, faults=tuple(faults))

    def _sample(self, record: Record, videos: dict[str, Video | VideoError]) -> Sample:
        encoded = encode_record(record, self.tokenizer, with_answer=self.with_answer)
        for path in record.videos:
            if path not in videos:
                videos[path] = self._load(path)
            if isinstance(videos[path], VideoError):
                raise videos[path]
        sample = Sample(encoded, tuple(videos[path] for path in record.videos), record.videos)
        self._check_length(encoded, sample)
        return sample

    def _check_length(self, encoded: EncodedRecord, sample: Sample) -> None:
        tokens = len(encoded.root) + len(encoded.branch) + sum(video.num_tokens - 1 for video in sample.videos)
        if self.max_tokens and tokens > self.max_tokens:
            raise InputError(
                f"{tokens} tokens are more than data.max_tokens or data.batch_tokens allow ({self.max_tokens}); raise "
                "them, lower data.video.max_pixels or max_frames, or leave the record out"
            )

    @cached_property
    def _swaps(self) -> dict[str, str]:
        return swaps(sorted({path for record in self.records for path in record.videos}))

    def _load(self, path: str) -> Video | VideoError:
        shown = self._swaps[path] if self.control == "swapped" else path
        try:
            video = self.cache.get(shown, lambda: load_video(self.video_root / shown, self.video, self.control))
        except VideoError as error:
            return error
        if self.control == "blank":  # a float is normalised already, and 0 is the mean colour
            return replace(video, pixel_values=torch.zeros_like(video.pixel_values, dtype=torch.float32))
        return video


def _bad_video(record: Record, videos: dict[str, Video | VideoError]) -> str | None:
    return next((path for path in record.videos if isinstance(videos.get(path), VideoError)), None)


def as_batch(batch: TreeBatch | Failure) -> TreeBatch | Failure:
    """The collate function: ``__getitems__`` has already made the batch."""
    return batch

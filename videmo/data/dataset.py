"""Records as a dataset that builds a whole batch at once: each video is decoded once, siblings share a tree."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch.utils.data import Dataset

from videmo.data import decode
from videmo.data.cache import TensorStore
from videmo.data.chat import encode_record
from videmo.data.controls import Shown, swaps
from videmo.data.decode import VideoError
from videmo.data.faults import Fault
from videmo.data.loader import Failure
from videmo.data.records import Record, RecordError
from videmo.data.sampling import VideoSettings
from videmo.data.trees import Sample, build_trees, empty_tree
from videmo.data.usable import Records
from videmo.data.video import Video, load_video, video_key
from videmo.data.vision_cache import BatchPlan, VisionCache
from videmo.errors import InputError
from videmo.token_tree import TokenLayout, TreeBatch, VideoShape, flatten

OnBadSample = Literal["raise", "skip"]
_keeps_nothing = partial(TensorStore, 0)


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
        open_frames: Opens the store of decoded videos, in the worker.
        vision: Knows encoded videos.
        control: What is shown instead of a video.
        besides: What a batch needs besides its records: others, about the same videos, that come last in it.
    """

    records: Records | Sequence[Record]
    video_root: Path
    tokenizer: object
    layout: TokenLayout
    video: VideoSettings
    max_branches: int = 1
    max_tokens: int | None = None
    with_answer: bool = True
    on_bad_sample: OnBadSample = "raise"
    open_frames: Callable[[], TensorStore] = _keeps_nothing
    vision: VisionCache | None = None
    control: Shown = "none"
    besides: Callable[[Sequence[Record]], Sequence[Record]] | None = None

    def __len__(self) -> int:
        return len(self.records)

    def __getitems__(self, plan: BatchPlan | Sequence[int]) -> TreeBatch | Failure:
        """The batch of these records; one that teaches nothing where there are none, or all are bad."""
        try:
            return self._batch(plan if isinstance(plan, BatchPlan) else BatchPlan([*plan]))
        except InputError as error:
            return Failure(error)

    def _batch(self, plan: BatchPlan) -> TreeBatch:
        found, decoded, reads = self._frames.hits, self._frames.misses, Counter(decode.reads)
        videos: dict[str, Video | VideoError] = {}
        records, samples, faults = [], [], []
        for number in plan.numbers:
            record = self.records[number]
            try:
                samples.append(self._sample(record, videos, plan.known))
                records.append(record)
            except InputError as error:
                reason = str(error).removeprefix(f"{record.where}: ")
                bad_video = next((path for path in record.videos if isinstance(videos.get(path), VideoError)), None)
                fault = Fault(record.file, record.line, reason, bad_video)
                if self.on_bad_sample == "raise":
                    raise RecordError(str(fault)) from None
                faults.append(fault)
        if self.besides:
            more = self.besides(records)
            samples += [self._sample(record, videos, plan.known) for record in more]
            records += more
        trees = build_trees(samples, self.layout.video_token_id, self.max_branches, self.max_tokens)
        batch = flatten(trees or [empty_tree(self.layout)], self.layout, records)
        batch.faults = tuple(faults)
        batch.frames_found, batch.frames_decoded = self._frames.hits - found, self._frames.misses - decoded
        batch.reads = decode.reads - reads
        return batch

    def _sample(self, record: Record, videos: dict[str, Video | VideoError], known: Mapping[str, VideoShape]) -> Sample:
        encoded = encode_record(record, self.tokenizer, with_answer=self.with_answer)
        shown = []
        for path in record.videos:
            if path not in videos:
                videos[path] = self._load(path, known)
            video = videos[path]
            if isinstance(video, VideoError):
                raise video
            shown.append(video)
        sample = Sample(encoded, tuple(shown), record.videos)
        tokens = len(encoded.root) + len(encoded.branch) + sum(video.num_tokens - 1 for video in sample.videos)
        if self.max_tokens and tokens > self.max_tokens:
            raise InputError(too_long(tokens, self.max_tokens))
        return sample

    @cached_property
    def _frames(self) -> TensorStore:
        return self.open_frames()

    @cached_property
    def _swaps(self) -> dict[str, str]:
        return swaps(sorted({path for record in self.records for path in record.videos}))

    def _load(self, path: str, known: Mapping[str, VideoShape]) -> Video | VideoError:
        shown = self._swaps[path] if self.control == "swapped" else path
        file = self.video_root / shown
        try:
            frames_key = video_key(file, self.video, self.control)
            key = self.vision.key(frames_key) if self.vision else ""
            if self.vision and (video := self.vision.find(path, key, known)) is not None:
                return video
            if (kept := self._frames.get(frames_key)) is not None:
                video = Video.from_tensors(kept)
            else:
                video = load_video(file, self.video, self.control)
                self._frames.put(frames_key, video.tensors())
        except VideoError as error:
            return error
        if self.control == "blank":  # a float is normalised already, and 0 is the mean colour
            video = replace(video, pixel_values=torch.zeros_like(video.patches, dtype=torch.float32))
        return replace(video, path=path, key=key)


def too_long(tokens: int, limit: int) -> str:
    """What is wrong with a sample of so many tokens."""
    return (
        f"{tokens} tokens are more than data.max_tokens or data.batch_tokens allow ({limit}); raise them, lower "
        "data.video.max_pixels or max_frames, or leave the record out"
    )


def as_batch(batch: Any) -> Any:
    """The collate function: ``__getitems__`` has already made the batch."""
    return batch

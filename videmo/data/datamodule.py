"""``EmoCFGDataModule``: Emo-CFG folders as batches of token trees, for fit, validate and test."""

import glob
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import lightning as L
import torch
from torch.utils.data import DataLoader
from transformers import AutoConfig, AutoTokenizer

from videmo.data.cache import VideoCache
from videmo.data.controls import Control, Shown
from videmo.data.curriculum import Curriculum, Stage
from videmo.data.dataset import RecordDataset, as_batch
from videmo.data.loader import BatchLoader, Failure
from videmo.data.order import BatchOrder, accumulation_steps
from videmo.data.records import Record, RecordError, read_records
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.fingerprint import WORLD_FILE, content_hash
from videmo.tasks import find_task
from videmo.token_tree import TokenLayout, TreeBatch


class EmoCFGDataModule(L.LightningDataModule):
    """Reads a data folder of the release's layout, checks it, and serves its splits.

    Args:
        root: The data folder; patterns below are relative to it.
        checkpoint: Hugging Face folder or hub id of the model, for its tokenizer and token facts.
        train: Patterns of the training files, JSON list or JSON lines.
        val: Patterns of the validation files.
        test: Patterns of the benchmark's files.
        video_root: What the records' video paths are relative to; ``<root>/videos`` by default.
        allow_outside_root: Lets records name videos outside `video_root`, by absolute paths or ``..``. Off by default:
            a data folder from elsewhere is not to say which files of this machine are read.
        video: Frame sampling and resizing.
        batch_size: Samples (records) a micro-batch and device.
        global_batch_size: Samples an optimizer step sees over devices and accumulation; sets the accumulation. By
            default one micro-batch a device.
        eval_batch_size: Samples a batch in validation and test.
        max_branches: Samples on one video that may share its tokens in one tree; 1 turns sharing off.
        num_workers: Worker processes that decode videos.
        video_cache_mb: Megabytes of decoded videos that each worker keeps in memory, for sets of few short clips.
        controls: A test asks everything once more of other pixels, to see what a score owes to looking: ``blank``
            uniform videos, ``shuffled`` frames in another order, ``frozen`` first frames, ``swapped`` other clips.
        curriculum: The stages of the training, in order; they set the number of epochs. By default all records in
            every epoch of the trainer's ``max_epochs``.
        seed: Seed of the training order.
    """

    def __init__(
        self,
        root: str,
        checkpoint: str,
        train: list[str] = ["jsons/train/*/full/*.json"],  # noqa: B006 (never changed; jsonargparse shows it in --help)
        val: list[str] = ["jsons/val/*/full/*.json"],  # noqa: B006
        test: list[str] = ["jsons/test/*/full/*.json"],  # noqa: B006
        video_root: str | None = None,
        allow_outside_root: bool = False,
        video: VideoSettings = VideoSettings(),  # noqa: B008 (frozen)
        batch_size: int = 8,
        global_batch_size: int | None = None,
        eval_batch_size: int = 32,
        max_branches: int = 8,
        num_workers: int = 2,
        video_cache_mb: int = 0,
        controls: list[Control] = [],  # noqa: B006
        curriculum: list[Stage] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        sizes = {"batch_size": batch_size, "eval_batch_size": eval_batch_size, "max_branches": max_branches}
        for name, size in sizes.items():
            if size < 1:
                raise InputError(f"data.{name} must be at least 1, got {size}")
        self.root = Path(root)
        self.checkpoint = checkpoint
        self.patterns = {"train": train, "val": val, "test": test}
        self.video_root = Path(video_root) if video_root else self.root / "videos"
        self.allow_outside_root = allow_outside_root
        self.video = video
        self.batch_size = batch_size
        self.global_batch_size = global_batch_size
        self.eval_batch_size = eval_batch_size
        self.max_branches = max_branches
        self.num_workers = num_workers
        self.video_cache_mb = video_cache_mb
        self.shown: list[Shown] = ["none", *controls]
        self.stages = curriculum
        self.curriculum: Curriculum | None = None
        self.seed = seed
        self._records: dict[str, list[Record]] = {}
        self._train_loader: BatchLoader | None = None

    def setup(self, stage: str) -> None:
        """Read and check the records of the stage, and set the accumulation that ``global_batch_size`` asks for."""
        splits = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",)}[stage]
        for split in splits:
            records = self.records(split)
            if split != "val" and not records:
                raise InputError(
                    f"no records match {' '.join(self.patterns[split])} in {self.root}; "
                    "`videmo synth` draws a folder to try"
                )
            check_videos(records, self.video_root, self.allow_outside_root)
        if stage == "fit":
            self.trainer.accumulate_grad_batches = accumulation_steps(
                self.global_batch_size, self.batch_size, self.trainer.world_size
            )
            if self.stages is not None:
                records = self.records("train")
                self.curriculum = Curriculum(
                    self.stages,
                    [task_of(record) for record in records],
                    self.batch_size * self.trainer.world_size * self.trainer.accumulate_grad_batches,
                    self.seed,
                    [family(record) for record in records],
                )
                self.trainer.fit_loop.max_epochs = self.curriculum.num_epochs
                self.trainer.reload_dataloaders_every_n_epochs = 1  # an epoch's length is its stage's

    def records(self, split: str) -> list[Record]:
        """The records of ``train``, ``val`` or ``test``, read once.

        Raises:
            InputError: If the folder is missing, a record is malformed, or its source names no task.
        """
        if split not in self._records:
            if not self.root.is_dir():
                raise InputError(f"no data folder {self.root}; `videmo synth {self.root}` draws one to try")
            records = [record for file in self._files(split) for record in read_records(file)]
            for record in records:
                task_of(record)
            self._records[split] = records
        return self._records[split]

    def train_dataloader(self) -> BatchLoader:
        """The loader of the current epoch: one object for the whole run, so that its workers and caches stay."""
        if self._train_loader is None:
            self._train_loader = self._loader("train", self.batch_size, window=self.trainer.accumulate_grad_batches)
        self._train_loader.sampler.set_epoch(self.trainer.current_epoch)
        return self._train_loader

    def val_dataloader(self) -> BatchLoader | list:
        return self._loader("val", self.eval_batch_size) if self.records("val") else []

    def test_dataloader(self) -> list[BatchLoader]:
        """A loader of the test split, and one more for each control, in the order of ``shown``."""
        return [self._loader("test", self.eval_batch_size, control=control) for control in self.shown]

    def fingerprint(self) -> dict[str, str]:
        """Which questions a result answers: the data's name, and a hash of its test files."""
        name = self.root.name
        if (self.root / WORLD_FILE).is_file():
            name = json.loads((self.root / WORLD_FILE).read_text(encoding="utf-8")).get("preset") or name
        return {"name": name, "content": content_hash(self.root, self._files("test"))}

    def prompts(self, split: str, numbers: list[int]) -> TreeBatch:
        """The chosen records of a split as prompts without their last answer, for a look at what the model says."""
        batch = self._dataset(split, with_answer=False).__getitems__(numbers)
        if isinstance(batch, Failure):
            raise batch.error
        return batch

    def _files(self, split: str) -> list[Path]:
        found = {file for p in self.patterns[split] for file in glob.glob(str(self.root / p), recursive=True)}
        return [Path(file) for file in sorted(found)]

    def _dataset(self, split: str, with_answer: bool, control: Shown = "none") -> RecordDataset:
        tokenizer = AutoTokenizer.from_pretrained(self.checkpoint)
        layout = TokenLayout.from_config(AutoConfig.from_pretrained(self.checkpoint), tokenizer.pad_token_id)
        return RecordDataset(
            self.records(split),
            self.video_root,
            tokenizer,
            layout,
            self.video,
            self.max_branches,
            with_answer=with_answer,
            cache=VideoCache(self.video_cache_mb * 2**20),
            control=control,
        )

    def _loader(self, split: str, batch_size: int, window: int = 1, control: Shown = "none") -> BatchLoader:
        records = self.records(split)
        order = BatchOrder(
            [family(record) for record in records],
            batch_size,
            chosen=self.curriculum.records if split == "train" and self.curriculum else None,
            max_branches=self.max_branches,
            shuffle=split == "train",
            seed=self.seed,
            rank=self.trainer.global_rank,
            world_size=self.trainer.world_size,
        )
        loader = DataLoader(
            self._dataset(split, split != "test", control),
            batch_sampler=order,
            collate_fn=as_batch,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0 and split == "train",
            pin_memory=self.trainer.strategy.root_device.type == "cuda",
        )
        progress = self.trainer.fit_loop.epoch_loop.batch_progress.current
        return BatchLoader(loader, window, self._sum_over_ranks(), lambda: progress.processed)

    def _sum_over_ranks(self) -> Callable[[int], int]:
        strategy = self.trainer.strategy
        if self.trainer.world_size == 1:
            return int
        return lambda count: int(strategy.reduce(torch.tensor(count, device=strategy.root_device), reduce_op="sum"))


def task_of(record: Record):
    """The record's task, or a sentence that says which record names none."""
    try:
        return find_task(record.source, record.file)
    except InputError as error:
        raise RecordError(f"{record.where}: {error}") from None


def family(record: Record) -> tuple[str, ...]:
    """What a record shares with its siblings: its videos; without one it has none."""
    return record.videos or (record.where,)


def check_videos(records: list[Record], video_root: Path, allow_outside_root: bool = False) -> None:
    """Every video file must be there before the first step, and in its place.

    Raises:
        InputError: Naming the first record whose video is outside `video_root` or missing, and how many are missing.
    """
    first_use: dict[str, Record] = {}
    for record in records:
        for path in record.videos:
            first_use.setdefault(path, record)
    for path, record in first_use.items():
        if not allow_outside_root and _leaves(video_root, path):
            raise InputError(
                f"{record.where}: the video {path} is not in {video_root}; set data.video_root to a folder that holds "
                "all videos, or data.allow_outside_root=true if you trust these records to name any file"
            )
    missing = [path for path in first_use if not (video_root / path).is_file()]
    if missing:
        folders = Counter(path.split("/")[0] for path in missing)
        by_folder = ", ".join(f"{name}: {count}" for name, count in folders.most_common())
        record = first_use[missing[0]]
        raise InputError(
            f"{record.where}: no video {video_root / missing[0]} ({len(missing)} of {len(first_use)} videos are "
            f"missing; {by_folder}). Set video_root, or leave the records out"
        )


def _leaves(root: Path, path: str) -> bool:
    """Whether a path leads out of a folder as it is written; links in the folder are its owner's."""
    folder = os.path.abspath(root)
    return os.path.commonpath([folder, os.path.abspath(os.path.join(folder, path))]) != folder

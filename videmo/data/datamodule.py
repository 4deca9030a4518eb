"""``EmoCFGDataModule``: Emo-CFG folders as batches of token trees, for fit, validate and test."""

import hashlib
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader

from videmo.data.cache import CacheRoom, TensorStore
from videmo.data.controls import Control, Shown
from videmo.data.curriculum import Curriculum, Stage
from videmo.data.dataset import OnBadSample, RecordDataset, as_batch, too_long
from videmo.data.decode import usable
from videmo.data.entries import unreadable
from videmo.data.faults import Fault
from videmo.data.index import INDEX_FOLDER, RecordIndex
from videmo.data.loader import BatchLoader, EpochAfterEpoch, Failure, Ranks, Rounds
from videmo.data.metadata import most_tokens, tokens_of_videos, video_infos
from videmo.data.order import BatchOrder, Lengths, accumulation_steps
from videmo.data.patterns import RELEASE, FilePatterns, Patterns
from videmo.data.quarantine import QUARANTINE_FILE, Quarantine
from videmo.data.sampling import VideoSettings
from videmo.data.skips import SkipLog
from videmo.data.usable import Records, find_usable, refuse
from videmo.data.vision_cache import BatchPlan, VisionCache
from videmo.data.worker import set_up_worker
from videmo.errors import InputError, as_word
from videmo.fingerprint import WORLD_FILE, data_fingerprint
from videmo.pretrained import load_config, load_tokenizer, trained_video
from videmo.tasks import use_tasks_of
from videmo.token_tree import TokenLayout, TreeBatch

ENDLESS = 10**6  # epochs of a run without a curriculum: the trainer ends it
LIGHTNINGS_EPOCHS = 1000  # max_epochs where a user gives none
PLANNED_EPOCHS = 20  # that are laid out beforehand to find how many micro-batches hold every step
log = logging.getLogger(__name__)


class EmoCFGDataModule(L.LightningDataModule):
    """Reads a data folder of the release's layout, checks it, and serves its splits.

    Args:
        root: The data folder; patterns below are relative to it. Its tasks.yaml, where there is one, has tasks of the
            user's own.
        checkpoint: Hugging Face folder or hub id of the model, for its tokenizer and token facts.
        train: Pattern of the training files, JSON list or JSON lines; or several, as a list or each with a weight, how
            often an epoch takes its records: ``{jsons/train/*/full/*.json: 1.0, magpie/*.jsonl: 0.1}``. Records without
            a video are text.
        val: Pattern of the validation files, or several; an empty list trains without.
        test: Pattern of the benchmark's files, or several.
        video_root: What the records' video paths are relative to; ``<root>/videos`` by default.
        allow_outside_root: Lets records name videos outside `video_root`, by absolute paths or ``..``. Off by default:
            a data folder from elsewhere is not to say which files of this machine are read.
        video: Frame sampling and resizing.
        batch_size: Samples (records) a micro-batch and device, on average, as whole trees are dealt out by their
            tokens; 8 by default.
        batch_tokens: Or tokens a micro-batch may have, video tokens included; needs ``global_batch_size``, and reads
            every video's length and size once.
        global_batch_size: Samples an optimizer step sees over devices and accumulation; sets the accumulation. By
            default ``accumulate_grad_batches`` micro-batches a device.
        eval_batch_size: Samples that a batch in validation and test may have; those on one video stay together, and
            batches are of clips of about one length, for which every video's length and size are read once.
        max_branches: Samples on one video that may share its tokens in one tree of the training; 1 turns sharing off
            everywhere. A tree of validation and test may have all that a batch has.
        max_tokens: Tokens a tree may have; a sample that is longer alone is bad.
        on_bad_sample: ``raise`` stops at a record or video that cannot be used; ``skip`` leaves it out, says so once
            and writes it to quarantine.jsonl in the trainer's ``default_root_dir``. Sources that are missing as a whole
            are left out either way, and what ``videmo check`` wrote to quarantine.jsonl in the data folder.
        num_workers: Worker processes that decode videos.
        frames_cache: Room for decoded videos: of memory in each worker, for sets of few short clips, and on disk. One
            of 16 frames takes 4.9 MB at the release's size, 2 TB for its 400,000 videos.
        vision_cache: Room for what a frozen vision tower (``model.vision`` and ``model.merger``) makes of videos: of
            memory in each training process, and on disk. A clip of 16 frames takes 4.3 MB for the 3B in bfloat16 and
            7.5 MB for the 7B, in float32 twice that: 1.7 TB for the release's 400,000 videos and the 3B. Where a part
            fits, that part of the videos is found from the second epoch on.
        controls: A test asks everything once more of other pixels, to see what a score owes to looking: ``blank``
            uniform videos, ``shuffled`` frames in another order, ``frozen`` first frames, ``swapped`` other clips.
        curriculum: The stages of the training, in order; they set the number of epochs. By default all records in
            every epoch of the trainer's ``max_epochs``.
        seed: Seed of the training order.
        revision: A branch, tag or commit of the checkpoint on the hub; the command line takes the model's.
        local_files_only: Asks no hub; the command line takes the model's.
    """

    trainer: L.Trainer  # pyrefly: ignore[bad-override-mutable-attribute]  (every hook has one)

    def __init__(
        self,
        root: str,
        checkpoint: str,
        train: Patterns = RELEASE["train"],
        val: list[str] | str = RELEASE["val"],
        test: list[str] | str = RELEASE["test"],
        video_root: str | None = None,
        allow_outside_root: bool = False,
        video: VideoSettings = VideoSettings(),  # noqa: B008 (frozen)
        batch_size: int | None = None,
        batch_tokens: int | None = None,
        global_batch_size: int | None = None,
        eval_batch_size: int = 32,
        max_branches: int = 8,
        max_tokens: int | None = None,
        on_bad_sample: OnBadSample = "raise",
        num_workers: int = 2,
        frames_cache: CacheRoom = CacheRoom(),  # noqa: B008 (frozen)
        vision_cache: CacheRoom = CacheRoom(),  # noqa: B008
        controls: list[Control] = [],  # noqa: B006 (never changed; jsonargparse shows it in --help)
        curriculum: list[Stage] | None = None,
        seed: int = 0,
        revision: str | None = None,
        local_files_only: bool = False,
    ) -> None:
        super().__init__()
        sizes = {
            "batch_size": batch_size,
            "batch_tokens": batch_tokens,
            "global_batch_size": global_batch_size,
            "eval_batch_size": eval_batch_size,
            "max_branches": max_branches,
            "max_tokens": max_tokens,
        }
        for name, size in sizes.items():
            if size is not None and size < 1:
                raise InputError(f"data.{name} must be at least 1, got {size}")
        if seed < 0:
            raise InputError(f"data.seed must be 0 or more, got {seed}")
        if num_workers < 0:
            raise InputError(f"data.num_workers must be 0 or more, got {num_workers}; 0 reads in the training process")
        if batch_tokens and batch_size:
            raise InputError(
                "give data.batch_size or data.batch_tokens: each says what a micro-batch holds "
                "(--data.batch_size=null takes back what a config says)"
            )
        if batch_tokens and not global_batch_size:
            raise InputError("data.batch_tokens needs data.global_batch_size: how many samples an optimizer step sees")
        frames_cache.check("data.frames_cache")
        vision_cache.check("data.vision_cache")
        use_tasks_of(root)
        self.root = Path(root)
        self.checkpoint, self.revision, self.local_files_only = checkpoint, revision, local_files_only
        given = {"train": train, "val": val, "test": test}
        self.patterns = {split: FilePatterns(patterns, f"data.{split}") for split, patterns in given.items()}
        self.video_root = Path(video_root) if video_root else self.root / "videos"
        self.allow_outside_root = allow_outside_root
        self.video = video
        self.batch_size = batch_size or 8
        self.batch_tokens = batch_tokens
        self.global_batch_size = global_batch_size
        self.eval_batch_size = eval_batch_size
        self.max_branches = max_branches
        self.max_tokens = max_tokens
        self.on_bad_sample = on_bad_sample
        self.num_workers = num_workers
        self.frames_cache = frames_cache
        self.vision_cache = vision_cache
        self.shown: list[Shown] = ["none", *controls]
        self.stages = curriculum
        self.curriculum: Curriculum | None = None
        self.seed = seed
        self._records: dict[str, Records] = {}
        self._infos: dict[RecordIndex, np.ndarray] = {}
        self._skips: SkipLog | None = None
        self._train_loader: BatchLoader | None = None
        self._vision_store: TensorStore | None = None
        self._vision: VisionCache | None = None

    def setup(self, stage: str) -> None:
        """Find the usable records of the stage, and set the accumulation and epochs that the options ask for."""
        for split in self.patterns:
            self._files(split)  # a pattern of the test that matches nothing is not to end a training
        usable(self.video.backends)  # what is missing is said here once, and not by every worker
        self._vision = None  # another model may stand there than last time
        for differs in self._other_video(trained_video(self.checkpoint)):
            self._warn("%s was trained in a run with data.video.%s", self.checkpoint, differs)
        if self.on_bad_sample == "skip":
            path = Path(self.trainer.default_root_dir) / QUARANTINE_FILE
            self._skips = SkipLog(path, self.root, self.video_root, quiet=not self.trainer.is_global_zero)
        self.frames_cache.make_folder("data.frames_cache", (self.root, self.video_root))
        self.vision_cache.make_folder("data.vision_cache", (self.root, self.video_root))
        main = {"fit": "train", "validate": "val", "test": "test", "predict": "test"}[stage]
        if not self.patterns[main].weights:
            raise InputError(f"data.{main} is an empty list; name files, such as {RELEASE[main]}")
        if not self.records(main):
            raise InputError(
                f"no records match {' '.join(self.patterns[main].weights)} in {self.root}, or none can be used; "
                "`videmo check` says why, `videmo synth` draws a folder to try"
            )
        if stage == "test":
            try:
                self.records("train")
            except InputError as error:
                raise InputError(f"{error} (a test reads the training files, too, for its blind baseline)") from None
        if stage == "fit":
            if (asked := self.patterns["val"].weights) and not self.records("val") and self.trainer.limit_val_batches:
                self._warn(
                    "no validation: no records match %s in %s, or none can be used. Without it there are no best "
                    "weights, only the last; `videmo check` says why",
                    " ".join(asked),
                    self.root,
                )
            self._plan_fit()

    def _plan_fit(self) -> None:
        self._leave_out_long_ones()
        trainer, records = self.trainer, self.records("train")
        # Or Lightning would cut all epochs to the first one's batches. (It sets some attributes without an annotation.)
        trainer.reload_dataloaders_every_n_epochs = 1  # pyrefly: ignore[missing-attribute]
        # Lightning resumes a run that ends by max_steps as if it had no epochs, and would leave some out.
        trainer.fit_loop._iteration_based_training = lambda: False
        if self.global_batch_size and not self.batch_tokens:
            own = accumulation_steps(self.global_batch_size, self.batch_size, trainer.world_size)
            if trainer.accumulate_grad_batches not in (1, own):
                raise InputError(
                    f"trainer.accumulate_grad_batches {trainer.accumulate_grad_batches} contradicts "
                    f"data.global_batch_size {self.global_batch_size}, which needs {own}; leave the former out"
                )
            trainer.accumulate_grad_batches = own
        micro_batch = self.batch_size * trainer.world_size
        self.samples_a_step = self.global_batch_size or micro_batch * trainer.accumulate_grad_batches
        plan = Curriculum(
            self.stages if self.stages is not None else [Stage("all", epochs=ENDLESS)],
            records.task,
            records.index.tasks,
            self.samples_a_step,
            self.seed,
            records.family,
            self._weights_of_files(records),
        )
        self._chosen = plan.records
        for stage in plan.stages:
            for (task, weight), held in plan.idle_files(stage).items():
                self._warn(
                    "the weight %g of data.train takes none of the %d records of %s in an epoch", weight, held, task
                )
        if self.stages is not None:
            not_the_users = (None, -1, LIGHTNINGS_EPOCHS, plan.num_epochs)
            # pyrefly: ignore[missing-attribute]  (Lightning sets fast_dev_run without an annotation)
            if trainer.max_epochs not in not_the_users and not trainer.fast_dev_run:
                raise InputError(
                    f"trainer.max_epochs {trainer.max_epochs} contradicts data.curriculum, whose stages have "
                    f"{plan.num_epochs} epochs; leave it out, change the stages' epochs, or end earlier by "
                    "trainer.max_steps"
                )
            self.curriculum = plan
            val = self.records("val")
            validated = {val.index.tasks[task] for task in np.unique(val.task)} if trainer.limit_val_batches else set()
            for stage in plan.stages:
                for key, held in plan.idle_keys(stage).items():
                    self._warn("stage %r: an epoch takes none of the %d records of %s", stage.name, held, key)
                if validated and validated.isdisjoint(plan.tasks_of(stage)):
                    self._warn("stage %r: no validation record is of its tasks, so its last weights stay", stage.name)
            trainer.fit_loop.max_epochs = plan.num_epochs
        self.order = self._batch_order("train", self.batch_size, window=trainer.accumulate_grad_batches)
        if rounds := self._rounds:
            self._check_rounds(rounds)
        if self.batch_tokens:
            epochs = min(plan.num_epochs, PLANNED_EPOCHS)
            self.order.window = trainer.accumulate_grad_batches = self.order.plan_window(epochs)

    @property
    def _rounds(self) -> Rounds | None:
        """Of a model that draws its own answers; None for one that learns the records'."""
        return self._module.rounds if self._module else None

    @property
    def _module(self) -> Any:
        """What is trained or tested; None where there is none, yet."""
        return self.trainer.lightning_module if self.trainer else None

    def _check_rounds(self, rounds: Rounds) -> None:
        """
        Raises:
            InputError: If batches are sized by tokens, which are unknown, or the run would end inside a round.
        """
        if self.batch_tokens:
            raise InputError(
                "data.batch_tokens counts the tokens of answers, which the model has yet to draw; give "
                "data.batch_size, how many queries a backward sees with their completions"
            )
        a_round, end = rounds.steps * rounds.iterations, self.trainer.max_steps
        if end <= 0 or a_round == 1:
            return
        begun, epochs = 0, self.trainer.fit_loop.max_epochs or 0
        for epoch in range(epochs if epochs > 0 else ENDLESS):
            steps = math.ceil(len(self._chosen(epoch)) / self.samples_a_step) * rounds.iterations
            if end <= begun + steps:
                break
            begun += steps
        else:
            return  # the epochs end before
        before = begun + (end - begun) // a_round * a_round
        after = min(before + a_round, begun + steps)
        if end not in (before, after):
            raise InputError(
                f"trainer.max_steps {end} ends inside a round of completions, which has {a_round} optimizer steps "
                f"(steps_per_generation {rounds.steps} x num_iterations {rounds.iterations}); take {before} or {after}"
            )

    @property
    def num_steps(self) -> int:
        """Optimizer steps of a fit without a curriculum.

        Raises:
            InputError: If nothing ends it.
        """
        trainer, batches = self.trainer, len(self.order) * (self._rounds.iterations if self._rounds else 1)
        limit = trainer.limit_train_batches
        batches = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
        ends = [trainer.max_steps] if trainer.max_steps >= 0 else []
        if trainer.max_epochs and trainer.max_epochs > 0:
            ends.append(trainer.max_epochs * math.ceil(batches / self.order.window))
        if not ends:
            raise InputError("nothing ends this run; give trainer.max_epochs, trainer.max_steps or data.curriculum")
        return min(ends)

    def records(self, split: str) -> Records:
        """The usable records of ``train``, ``val`` or ``test``, indexed and looked up once.

        Raises:
            InputError: If the folder is missing, or a record is bad and ``on_bad_sample`` is ``raise``.
        """
        if split not in self._records:
            files = self._files(split)
            index = RecordIndex.open(files, folder=self.root / INDEX_FOLDER, tokenizer=self.tokenizer)
            quarantine = Quarantine.read(self.root / QUARANTINE_FILE, self.root, self.video_root)
            found = find_usable(index, self.video_root, quarantine, self.allow_outside_root)
            for source in found.missing:
                self._warn("%s: left out of %s", source, split)
            if found.quarantined:
                self._warn("%d records of %s are in %s", found.quarantined, split, self.root / QUARANTINE_FILE)
            self._left_out(found.faults)
            self._records[split] = found.records
        return self._records[split]

    def _left_out(self, faults: Sequence[Fault]) -> None:
        (self._skips or refuse)(faults)

    def _warn(self, text: str, *values: object) -> None:
        if self.trainer is None or self.trainer.is_global_zero:
            log.warning(text, *values)

    @property
    def _longest(self) -> int | None:
        """Tokens that a sample may have."""
        return min((limit for limit in (self.max_tokens, self.batch_tokens) if limit), default=None)

    def _leave_out_long_ones(self) -> None:
        """Records that are too long are known before a video is decoded, as lengths are."""
        records, limit = self.records("train"), self._longest
        if limit is None:
            return
        lengths = self._lengths(records, unknown=1)  # a video that cannot be read is told as that
        tokens = lengths.root + lengths.branch
        index, long = records.index, tokens > limit
        if long.all():
            raise InputError(
                f"all {len(records):,} training records are too long: the shortest has {tokens.min()} tokens, and "
                f"data.max_tokens or data.batch_tokens allow {limit}; raise them, or lower data.video.max_pixels or "
                "max_frames"
            )
        faults = [
            Fault(index.files[index.file[number]], int(index.line[number]), too_long(count, limit))
            for number, count in zip(records.numbers[long], tokens[long].tolist(), strict=True)
        ]
        if faults and self._skips is None:
            raise InputError(
                f"{faults[0]} ({len(faults)} such records in all); data.on_bad_sample=skip leaves them out"
            )
        self._left_out(faults)
        self._records["train"] = Records(index, records.numbers[~long])

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

    def predict_dataloader(self) -> BatchLoader:
        """The test split once: the same questions, whose answers nobody scores."""
        return self._loader("test", self.eval_batch_size)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint says of the data, which an export passes on: how its videos were sampled and sized, its
        name, and whether it is a drawn world.
        """
        name, drawn = self.root.resolve().name, (self.root / WORLD_FILE).is_file()
        return {"video": asdict(self.video), "name": name, "drawn": drawn}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """A run goes on with videos as they were before; a test may look at them otherwise, and is told so.

        Raises:
            InputError: If a run that resumes would sample or size them otherwise.
        """
        for differs in self._other_video(state_dict["video"]):
            text = f"the checkpoint was saved in a run with data.video.{differs}"
            if self.trainer.state.fn == "fit":
                raise InputError(f"{text}; resume with that, or start anew in another default_root_dir")
            self._warn("%s", text)

    def _other_video(self, was: Mapping[str, Any]) -> Iterator[str]:
        """What differs between the settings of another run and these, in words."""
        now = asdict(self.video)
        for name in [name for name in was if name in now and name not in ("backends", "decode_timeout")]:
            if was[name] != now[name]:
                yield f"{name} {was[name]}, this one has {now[name]}"

    def fingerprint(self) -> dict[str, str]:
        """Which questions a result answers: the data's name, and a hash of its test files."""
        return data_fingerprint(self.root, [file for file in self._files("test") if not unreadable(file)])

    def prompts(self, split: str, numbers: list[int]) -> TreeBatch:
        """The chosen records of a split as prompts without their last answer, for a look at what the model says."""
        batch = self._dataset(split, with_answer=False).__getitems__(numbers)
        if isinstance(batch, Failure):
            raise batch.error
        return batch

    @cached_property
    def data_hash(self) -> str:
        """Which training records a run sees and how they are batched: what two runs must share for one to resume the
        other."""
        records = self.records("train")
        shape = [self.samples_a_step, self.order.window, self.max_branches, self.max_tokens, self.batch_tokens]
        digest = hashlib.sha256(repr(shape).encode())
        for part in (records.numbers, records.index.file, records.index.line, records.family):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def tokenizer(self):
        """The checkpoint's."""
        return load_tokenizer(self.checkpoint, self.revision, self.local_files_only)

    def _files(self, split: str) -> list[Path]:
        if not self.root.is_dir():
            raise InputError(f"no data folder {self.root}; `videmo synth {as_word(self.root)}` draws one to try")
        return list(self.patterns[split].files(self.root))

    def _weights_of_files(self, records: Records) -> np.ndarray:
        """How often an epoch takes each record for its file's sake, [N]."""
        weights = self.patterns["train"].files(self.root)
        return np.array([weights[Path(file)] for file in records.index.files])[records.index.file[records.numbers]]

    def _dataset(self, split: str, with_answer: bool, control: Shown = "none") -> RecordDataset:
        config = load_config(self.checkpoint, self.revision, self.local_files_only)
        search = self._module.reasoning if self._module else None
        return RecordDataset(
            self.records(split),
            self.video_root,
            self.tokenizer,
            TokenLayout.from_config(config, self.tokenizer.pad_token_id),
            self.video,
            self._branches(split),
            self._longest if split == "train" else None,
            with_answer=with_answer,
            on_bad_sample=self.on_bad_sample,
            open_frames=partial(self.frames_cache.open, writers=max(1, self.num_workers) * self._world_size),
            control=control,
            besides=search.first_records if search and split == "test" else None,
        )

    @property
    def _world_size(self) -> int:
        return self.trainer.world_size if self.trainer else 1

    def _vision_of_model(self) -> VisionCache | None:
        """The cache of the features of the model in training or test, where there is room for one."""
        if self._vision is None and self.vision_cache:
            backbone = self._module.backbone
            if not backbone.tower_is_frozen:
                raise InputError(
                    "data.vision_cache keeps what a frozen vision tower makes of videos, and this one trains; set "
                    "model.vision.mode and model.merger.mode to frozen, or leave vision_cache out"
                )
            if self._vision_store is None:
                self._vision_store = self.vision_cache.open(writers=self._world_size)
            fingerprint = f"{backbone.vision_fingerprint()}-{self.trainer.precision}"
            self._vision = VisionCache(self._vision_store, fingerprint)
            backbone.keep_features = self._vision.keep
        return self._vision

    def transfer_batch_to_device(self, batch: TreeBatch, device: torch.device, dataloader_idx: int) -> TreeBatch:
        """From pinned memory beside what the device computes; Lightning would wait for it."""
        return batch.to(device, non_blocking=True)

    def on_before_batch_transfer(self, batch: TreeBatch, dataloader_idx: int) -> TreeBatch:
        """Add the encoded videos that the batch was promised."""
        return self._vision.fill(batch) if self._vision else batch

    def _batch_order(self, split: str, batch_size: int, window: int = 1) -> BatchOrder:
        records, train = self.records(split), split == "train"
        return BatchOrder(
            self._lengths(records, exact=not train),
            batch_size,
            window=window,
            chosen=self._chosen if train else None,
            max_branches=self._branches(split),
            max_tokens=self.max_tokens if train else None,
            batch_tokens=self.batch_tokens if train else None,
            global_batch_size=self.samples_a_step if train else None,
            # DeepSpeed counts micro-batches over the ends of epochs, and rounds come again in their midst
            whole_steps=train and (self.trainer.strategy.handles_gradient_accumulation or self._rounds is not None),
            shuffle=train,
            seed=self.seed,
            rank=self.trainer.global_rank,
            world_size=self.trainer.world_size,
        )

    def _branches(self, split: str) -> int:
        """Of a tree; a backward, whose memory bounds them, is training's alone."""
        return self.max_branches if split == "train" or self.max_branches == 1 else self.eval_batch_size

    def _lengths(self, records: Records, unknown: int | None = None, exact: bool = False) -> Lengths:
        """Tokens of records: exact where asked for or a limit needs it, else videos as long as the settings allow.

        Args:
            records: Of a split.
            unknown: Tokens of a video that cannot be read; by default it, too, is as long as the settings allow.
            exact: Whether every video's length and size are looked at.
        """
        index, text = records.index, records.index.text_tokens
        assert text is not None
        if exact or self.max_tokens or self.batch_tokens:
            quiet = not self.trainer.is_global_zero
            if index not in self._infos:  # each file is looked at, and records are only ever left out
                self._infos[index] = video_infos(index, self.video_root, self.video, records.videos, quiet)
            of_video = tokens_of_videos(self._infos[index], self.video, unknown or most_tokens(self.video))
        else:
            of_video = np.full(len(index.videos), most_tokens(self.video))
        sums = np.concatenate(([0], np.cumsum(of_video[index.video_ids] - 1)))  # a placeholder becomes so many tokens
        added = (sums[index.video_start[1:]] - sums[index.video_start[:-1]])[records.numbers]
        root, branch = text[records.numbers].T.astype(np.int64)
        return Lengths(records.family, root + added, branch)

    def _loader(self, split: str, batch_size: int, window: int = 1, control: Shown = "none") -> BatchLoader:
        vision = self._vision_of_model() if control == "none" else None
        order = self.order if split == "train" else self._batch_order(split, batch_size)
        order.plan = partial(_plan, self.records(split), vision) if vision else None
        dataset = self._dataset(split, split != "test" and self._rounds is None, control)
        loader = DataLoader(
            replace(dataset, vision=vision),
            # With a vision cache the next epoch waits: its first batches would be handed out before they are known.
            batch_sampler=EpochAfterEpoch(order) if split == "train" and not vision else order,
            collate_fn=as_batch,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0 and split == "train",
            worker_init_fn=set_up_worker,
            pin_memory=self.trainer.strategy.root_device.type == "cuda",
        )
        progress: Any = self.trainer.fit_loop.epoch_loop.batch_progress.current
        ranks = Ranks(self.trainer.strategy if self.trainer.world_size > 1 else None)
        rounds = self._rounds if split == "train" else None
        return BatchLoader(loader, window, ranks, self._left_out, lambda: progress.processed, rounds)


def _plan(records: Records, vision: VisionCache, numbers: list[int]) -> BatchPlan:
    """What a worker is told of a batch when it is handed out: which of its videos it need not decode."""
    return vision.plan(numbers, (path for number in numbers for path in records.videos_of(number)))


def data_of(trainer: L.Trainer) -> EmoCFGDataModule:
    """The data of a trainer's run."""
    return trainer.datamodule  # pyrefly: ignore[missing-attribute]  (set without an annotation)


def curriculum_of(trainer: L.Trainer) -> Curriculum | None:
    """The plan of a trainer's run, where its data has one."""
    return getattr(data_of(trainer), "curriculum", None)

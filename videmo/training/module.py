"""What SFT and GRPO share: backbone, optimizer, validation by teacher forcing, and the benchmark in ``test``."""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.fabric.utilities.data import AttributeDict
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from rich.console import Console
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from videmo.benchmark.blind import BlindBaseline
from videmo.benchmark.method import grade_method, remove_scores, score_method
from videmo.benchmark.predictions import Prediction, write_predictions, write_searches, write_tasks
from videmo.data.backends import MODULES as BACKENDS
from videmo.data.controls import Shown
from videmo.data.curriculum import Curriculum, difference
from videmo.data.datamodule import EmoCFGDataModule, curriculum_of, data_of
from videmo.data.loader import Rounds
from videmo.data.text_lengths import tokenizer_hash
from videmo.errors import InputError, check_positive
from videmo.models.adapters import Lora
from videmo.models.backbone import FULL, Backbone, Dtype, Quantization, TokenScores
from videmo.models.encoding import is_wrapped
from videmo.models.generation import Generation, generate, text_of
from videmo.models.scopes import SCOPES, Scope, count_scopes, scope_of, scope_table
from videmo.models.sharding import refuse_what_cannot_be_cut, shard
from videmo.pretrained import load_tokenizer
from videmo.reasoning import SearchSettings, TreeSearch
from videmo.tasks import find_task
from videmo.token_tree import IGNORE_INDEX, TreeBatch
from videmo.training.checkpoints import content_hash, read_checkpoint
from videmo.training.optimizer import Group, OptimizerName, make_optimizer
from videmo.training.schedule import Span, learning_rate
from videmo.training.trained import outline, refuse_other_model, refuse_other_weights, trained_names


class VidEmoModule(L.LightningModule):
    """The base of the training modules.

    Args:
        checkpoint: Hugging Face folder or hub id of a Qwen2.5-VL model; ``random:3b`` or ``random:7b`` is one of random
            weights.
        optimizer: ``adamw``; ``adamw_8bit``, whose state takes a quarter of the memory, and ``paged_adamw_8bit``, which
            moves it to the host when a GPU is full (both bitsandbytes'); or ``muon``, for random weights.
        learning_rate: Peak learning rate (paper: 2e-5 in SFT, 1e-5 in RL), where a stage has none of its own.
        weight_decay: Decoupled (paper: 0).
        adam_beta2: AdamW's second-moment decay; lower it for runs of a few hundred steps.
        warmup_ratio: Share of a stage's steps in which the rate rises linearly; it then falls as a cosine to 0 (paper:
            0.03).
        max_new_tokens: Longest answer in a test, in tokens (release: 2048).
        method: The name under which a test writes its predictions.
        results_dir: Where a test writes; ``results`` in the trainer's ``default_root_dir`` by default.
        revision: A branch, tag or commit of the checkpoint on the hub.
        local_files_only: Asks no hub, and takes what was downloaded before.
        start_from: A checkpoint of `videmo fit`, ``last.ckpt`` or a stage's, whose weights or adapters a new run starts
            from; it was trained from the same ``checkpoint`` in the same scopes.
        dtype: In which the weights are read, and kept where they do not train; what trains is float32.
        attn_implementation: ``sdpa``, ``eager``, or ``flex_attention``, which leaves out the blocks that a tree hides
            (on a GPU, compiled for each length of batches when that first comes); ``flash_attention_2`` is it for the
            language model, and FlashAttention for the vision tower.
        vision: How the vision tower's blocks train. Where neither they nor the merger do, each video is encoded by
            itself, and ``data.vision_cache`` may keep what the tower makes of it.
        merger: How the tower's merger trains.
        language: How the language model trains, with its embeddings and its output head.
        lora: The adapters of scopes that train by them.
        quantization: ``nf4`` packs the linear layers of a language model that is not trained fully into 4 bits (QLoRA).
        compile: Compiles each block by ``torch.compile``, one under activation checkpointing in training alone; the
            first steps wait for it.
    """

    hparams: AttributeDict
    backbone: Backbone
    """From `configure_model` on."""
    rounds: Rounds | None = None
    """How a module trains on answers of its own; None for one that learns the records' answers."""
    selected_by = "loss"
    """The figure of validation, as `log_by_task` is given it, by which the best weights are selected."""
    higher_is_better = False
    """Of that figure."""
    reasoning: SearchSettings | None = None
    """How a test searches for its answers; None takes the likeliest tokens, once."""

    def __init__(
        self,
        checkpoint: str,
        optimizer: OptimizerName = "adamw",
        learning_rate: float = 2e-5,
        weight_decay: float = 0.0,
        adam_beta2: float = 0.999,
        warmup_ratio: float = 0.03,
        max_new_tokens: int = 2048,
        method: str = "videmo",
        results_dir: str | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        start_from: str | None = None,
        dtype: Dtype = "float32",
        attn_implementation: str = "sdpa",
        vision: Scope = FULL,
        merger: Scope = FULL,
        language: Scope = FULL,
        lora: Lora = Lora(),  # noqa: B008 (frozen)
        quantization: Quantization | None = None,
        compile: bool = False,
    ) -> None:
        super().__init__()
        check_positive("learning_rate", learning_rate)
        if not 0 <= adam_beta2 < 1:
            raise InputError(f"adam_beta2 is from 0 to below 1; got {adam_beta2}")
        if not 0 <= weight_decay < math.inf:
            raise InputError(f"weight_decay must be 0 or more, got {weight_decay}")
        if max_new_tokens < 1:
            raise InputError(f"max_new_tokens must be at least 1, got {max_new_tokens}")
        if not 0 <= warmup_ratio <= 1:
            raise InputError(f"warmup_ratio is a share of the steps, from 0 to 1; got {warmup_ratio}")
        # What Lightning gives back from a checkpoint's hyper_parameters are the plain values that stand there.
        given = {"vision": vision, "merger": merger, "language": language}
        scopes = {name: Scope(**scope) if isinstance(scope, dict) else scope for name, scope in given.items()}
        for name, scope in scopes.items():
            check_positive(f"{name}.learning_rate", scope.learning_rate)
        self._training = {**scopes, "lora": Lora(**lora) if isinstance(lora, dict) else lora}
        # Plain, for checkpoints. Lightning reads these names in this frame.
        vision, merger, language, lora = map(asdict, self._training.values())  # pyrefly: ignore[bad-assignment]
        self.save_hyperparameters(ignore=["rewards"])
        self.hparams.update(vision=vision, merger=merger, language=language, lora=lora)  # what subclasses pass on
        self._started_from: str | None = None  # a hash of start_from
        self._predictions: dict[Shown, list[Prediction]] = {}
        self._validation: dict[str, list[tuple[float, float]]] = {}
        self._reads: Counter[str] = Counter()
        self._cost: dict[str, float] = defaultdict(float)

    def configure_model(self) -> None:
        if not hasattr(self, "backbone"):
            given = self.hparams
            source = {"revision": given.revision, "local_files_only": given.local_files_only}
            mesh = self._device_mesh
            shares = mesh is not None  # under FSDP2; other strategies cut what they are given
            if shares:
                refuse_what_cannot_be_cut(given.quantization, given.optimizer)
            with torch.device("meta") if shares and self.global_rank else nullcontext():
                self.backbone = Backbone.load(
                    given.checkpoint,
                    **source,
                    dtype=given.dtype,
                    attn_implementation=given.attn_implementation,
                    quantization=given.quantization,
                    compile=given.compile,
                    **self._training,
                )
            self.tokenizer = load_tokenizer(given.checkpoint, **source)
            if given.start_from and self._resuming:
                held = read_checkpoint(given.start_from)
                self._started_from = content_hash(given.start_from)
                self.refuse_other(held)
                if not (shares and self.global_rank):
                    self.load_state_dict(held["state_dict"])
            if mesh is not None:
                shard(self.backbone, mesh["data_parallel"], self.trainer.precision)

    def on_fit_start(self) -> None:
        """Say what trains."""
        table = scope_table(count_scopes(self.named_parameters()), self.backbone.scopes, self.hparams.learning_rate)
        if self.trainer.is_global_zero:
            Console(stderr=True).print(table)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        groups = [
            Group(
                name,
                scope.learning_rate or self.hparams.learning_rate,
                [(key, p) for key, p in self.named_parameters() if scope_of(key) == name],
            )
            for name, scope in self.backbone.scopes.items()
        ]
        optimizer = make_optimizer(
            groups, self.hparams.optimizer, weight_decay=self.hparams.weight_decay, beta2=self.hparams.adam_beta2
        )
        peak, warmup_ratio = self.hparams.learning_rate, self.hparams.warmup_ratio
        if curriculum := self.curriculum:
            updates = self.rounds.iterations if self.rounds else 1
            spans = [Span(phase.steps * updates, phase.stage.learning_rate or peak) for phase in curriculum.phases]
        else:
            # Lightning's own estimate makes the loader before a checkpoint is read, which then begins the epoch anew.
            spans = [Span(self.data.num_steps, peak)]
        schedule = LambdaLR(optimizer, lambda step: learning_rate(step, spans, warmup_ratio) / peak)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def state_dict(self, *args, prefix: str = "", **kwargs) -> dict[str, Any]:
        """Of what trains, in torch's form; FSDP 1 wants all weights in it."""
        state = super().state_dict(*args, prefix=prefix, **kwargs)
        if is_wrapped(self):
            return state
        kept = {f"{prefix}{name}" for name in trained_names(self)}
        for name in [name for name in state if name.startswith(prefix) and name not in kept]:
            del state[name]
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False):
        """Load what ``state_dict`` returned.

        Raises:
            InputError: If it is that of another model, or of one that trained elsewhere.
        """
        if strict:
            refuse_other_weights(state_dict, self.state_dict(), super().state_dict().keys())
        return super().load_state_dict(state_dict, strict=False, assign=assign)

    @property
    def _resuming(self) -> bool:
        return self._trainer is not None and self.trainer.state.fn == "fit"

    @property
    def between_rounds(self) -> bool:
        """Whether a checkpoint would hold all that the next step needs."""
        return True

    def refuse_other(self, checkpoint: Mapping[str, Any]) -> None:
        """Compare what a checkpoint says of its model with this run's.

        Raises:
            InputError: Naming both sides of what differs.
        """
        if "outline" in checkpoint:
            refuse_other_model(checkpoint["outline"], self._outline(), self._resuming)

    def _outline(self) -> dict[str, Any]:
        return outline(self.hparams.checkpoint, self.backbone, tokenizer_hash(self.tokenizer))

    @property
    def data(self) -> EmoCFGDataModule:
        """Of the run."""
        return data_of(self.trainer)

    @property
    def curriculum(self) -> Curriculum | None:
        """The plan of the run, where the data has one."""
        return curriculum_of(self.trainer)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """A checkpoint says what its weights fit, in which order its run sees which data, and which stage it is of."""
        _take_back_the_end(self.trainer, checkpoint["loops"]["fit_loop"])
        checkpoint["outline"] = self._outline()
        checkpoint["started_from"] = self._started_from
        checkpoint["strategy"] = type(self.trainer.strategy).__name__
        checkpoint["data_seed"] = self.data.seed
        checkpoint["data_hash"] = self.data.data_hash
        checkpoint["curriculum"] = self.curriculum.outline if self.curriculum else None
        if self.curriculum:
            checkpoint["stage"] = self.curriculum.phase(self.trainer.current_epoch).stage.name

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """A checkpoint's model is this run's, and a resumed run goes on in the order of the run that it resumes.

        Raises:
            InputError: If this run's base, scopes or adapters are others, or its seed, optimizer, records or batches.
        """
        self.refuse_other(checkpoint)
        if not self._resuming:
            return
        step, max_steps = checkpoint["global_step"], self.trainer.max_steps
        if 0 <= max_steps < step:
            raise InputError(f"the checkpoint is at step {step}, beyond trainer.max_steps {max_steps}; raise that")
        was, now = checkpoint.get("data_seed"), self.data.seed
        if was not in (None, now):
            raise InputError(
                f"the checkpoint was saved in a run with seed {was}, this one has {now}; resume with that seed, or "
                "start anew in another default_root_dir"
            )
        was, now = (_learning(given) for given in (checkpoint.get("hyper_parameters", {}), self.hparams))
        for name in [name for name in now if was.get(name) != now[name] and name in was]:
            value = "null" if was[name] is None else was[name]
            raise InputError(
                f"the checkpoint was saved in a run with {name} {value}, this one has {now[name]}; resume with "
                f"--model.init_args.{name}={value}, or start anew in another default_root_dir"
            )
        was, now = checkpoint.get("curriculum"), self.curriculum.outline if self.curriculum else None
        if "curriculum" in checkpoint and was != now:
            raise InputError(
                f"the checkpoint was saved in a run of another curriculum: {difference(was, now)}. Resume with that "
                "curriculum and data, or start anew in another default_root_dir"
            )
        if checkpoint.get("data_hash") not in (None, self.data.data_hash):
            raise InputError(
                "the checkpoint was saved in a run with other training records, batch sizes or devices, so its place "
                "in the epoch means nothing here; restore them, or start anew in another default_root_dir (videos that "
                "came or went, and a new quarantine.jsonl, change the records, too)"
            )

    def on_train_batch_start(self, batch: TreeBatch, batch_idx: int) -> None:
        """Seed what is random by the place in the run, so that a resumed run draws the same; log what caches found."""
        place = (self.data.seed, self.trainer.current_epoch, batch_idx, self.trainer.global_rank)
        torch.manual_seed(int(np.random.SeedSequence(place).generate_state(1, np.uint64)[0]))
        if any(video.key for video in batch.videos):
            videos = len(batch.videos)
            self.log("cache/vision_hit_rate", len(batch.video_features) / videos, batch_size=videos)
        looked_up = batch.frames_found + batch.frames_decoded
        if looked_up and self.data.frames_cache:
            self.log("cache/frames_hit_rate", batch.frames_found / looked_up, batch_size=looked_up)
        self._reads.update(batch.reads)

    def on_train_epoch_end(self) -> None:
        """Log how the videos of all ranks were read."""
        reads = sum(gather(self._reads), Counter())
        self._reads.clear()
        for name, videos in sorted(reads.items()):
            self.log(f"data/read_by_{name}" if name in BACKENDS else f"data/{name}", float(videos))

    def on_validation_epoch_start(self) -> None:
        self._validation = defaultdict(list)

    def validation_step(self, batch: TreeBatch, batch_idx: int) -> None:
        scores = self.backbone.score(batch)
        for record, (nll, exact) in zip(batch.records, per_sample(scores, batch), strict=True):
            if not math.isnan(nll):  # a sample that only kept this rank in step
                self._validation[find_task(record.source, record.file).name].append((nll, exact))

    def on_validation_epoch_end(self) -> None:
        """Log the loss an answer token and the share of answers greedily exact: by task, by stage, and as the mean."""
        merged: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for part in gather(dict(self._validation)):
            for task, values in part.items():
                merged[task] += values
        means = {task: torch.tensor(values).mean(0).tolist() for task, values in sorted(merged.items())}
        self.log_by_task({task: {"loss": nll, "exact": exact} for task, (nll, exact) in means.items()})

    def log_by_task(self, figures: Mapping[str, Mapping[str, float]]) -> None:
        """Log what validation says of each task, and its mean over a stage's own tasks and over all.

        Args:
            figures: Of each task by their names; what is unknown of one is in no mean.
        """
        for task, own in figures.items():
            for name, value in own.items():
                self.log(f"val/{task}_{name}", value)
        if plan := self.curriculum:
            for stage in plan.stages:
                tasks = [figures[task.name] for task in plan.tasks_of(stage) if task.name in figures]
                for name, value in _means(tasks).items():
                    self.log(f"val_stage/{stage.name}_{name}", value)
        for name, value in _means(figures.values()).items():
            self.log(f"val/{name}", value, prog_bar=True)

    def on_test_epoch_start(self) -> None:
        self._predictions, self._cost = defaultdict(list), defaultdict(float)

    on_predict_epoch_start = on_test_epoch_start

    def test_step(self, batch: TreeBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        self._predictions[self.data.shown[dataloader_idx]] += self.answer(batch)

    def predict_step(self, batch: TreeBatch, batch_idx: int) -> None:
        self._predictions["none"] += self.answer(batch)

    def answer(self, batch: TreeBatch) -> list[Prediction]:
        """Answers to a batch of prompts, in the order of its samples: greedy, or found by search."""
        begun = time.perf_counter()
        if self.reasoning:
            found = TreeSearch(self.backbone, self.tokenizer, self.reasoning, self.hparams.max_new_tokens)(batch)
            steps = {id(step): step for one in found for step in one.steps}.values()
            self._cost["drawn_tokens"] += sum(one.num_tokens for step in steps for one in step.candidates)
            predictions = [Prediction(one.record, one.answer, one.logp, one.to_json()) for one in found]
        else:
            answers = self.generations(batch)
            self._cost["drawn_tokens"] += sum(len(answer.logps) for answer in answers)
            predictions = [
                Prediction(record, text_of(self.tokenizer, answer.tokens), float(answer.logps.mean()))
                for record, answer in zip(batch.records, answers, strict=True)
            ]
        self._cost["questions"] += len(predictions)
        self._cost["seconds"] += time.perf_counter() - begun
        return predictions

    def generations(self, batch: TreeBatch) -> list[Generation]:
        """What ``answer`` makes texts of without a search, as tokens."""
        return generate(
            self.backbone,
            batch,
            max_new_tokens=self.hparams.max_new_tokens,
            eos_token_id=self.tokenizer.eos_token_id,
        )

    def on_test_epoch_end(self) -> None:
        """Write the answers, and what they scored beside them; controls in subfolders."""
        gathered = self._write_answers()
        if gathered is None:
            return
        blind = BlindBaseline.fit(self.data.records("train"))
        graded = grade_method(gathered, blind)
        about = {"data": self.data.fingerprint(), "generation": self._generation}
        self.result = score_method(*graded, self.results_folder, self.hparams.method, **about)

    def on_predict_epoch_end(self) -> None:
        """Write the answers; scores of others go."""
        if self._write_answers():
            remove_scores(self.results_folder)

    def _write_answers(self) -> dict[Shown, list[Prediction]] | None:
        """Those of all ranks in the release's format, those to controls in subfolders, and how they were found; on the
        first rank, which alone has something to return.
        """
        gathered = {shown: [p for part in gather(ps) for p in part] for shown, ps in self._predictions.items()}
        costs = gather(self._cost)
        if not self.trainer.is_global_zero:
            return None
        for shown, predictions in gathered.items():
            write_predictions(predictions, self.results_folder / ("" if shown == "none" else shown))
        questions = max(1, sum(cost["questions"] for cost in costs))
        self._generation = {
            "drawn_tokens_per_question": sum(cost["drawn_tokens"] for cost in costs) / questions,
            "seconds_per_question": max(cost["seconds"] for cost in costs) / questions,
        }
        if (path := self.trainer.ckpt_path) and Path(path).is_file():
            self._generation["checkpoint"] = content_hash(path)
        if self.reasoning:
            self._generation |= self.reasoning.to_json()
        write_searches(gathered["none"], self.results_folder)
        write_tasks(self.results_folder)
        return gathered

    @property
    def results_folder(self) -> Path:
        """Where a test writes, ``<results_dir>/<method>`` as in the release."""
        return Path(self.hparams.results_dir or Path(self.trainer.default_root_dir) / "results") / self.hparams.method


def epoch_is_cut(trainer: L.Trainer) -> bool:
    """Whether batches of the current epoch are still to come, also where ``max_steps`` has just ended it."""
    return not trainer.fit_loop.epoch_loop.batch_progress.is_last_batch


def validation_is_due(trainer: L.Trainer) -> bool:
    """Whether Lightning validates after the current batch."""
    fetcher = trainer.fit_loop._data_fetcher
    return fetcher is not None and trainer.fit_loop.epoch_loop._should_check_val_fx(fetcher)


def logging_is_due(trainer: L.Trainer, step: int) -> bool:
    """Whether Lightning's own metrics are logged after so many steps."""
    return step % trainer.log_every_n_steps == 0  # pyrefly: ignore[missing-attribute]  (set without an annotation)


def _learning(hparams: Mapping[str, Any]) -> dict[str, Any]:
    """Options that a resumed run takes from its checkpoint, so that other values would change nothing; and the type in
    which it reads what does not train.
    """
    names = ("optimizer", "learning_rate", "weight_decay", "adam_beta2", "warmup_ratio", "dtype")
    names += ("num_iterations", "steps_per_generation")  # by which a place in an epoch is counted
    given = {name: hparams[name] for name in names if name in hparams}
    scopes = {name: hparams[name] for name in SCOPES if name in hparams}
    return {**given, **{f"{name}.learning_rate": scope["learning_rate"] for name, scope in scopes.items()}}


def _take_back_the_end(trainer: L.Trainer, saved: dict[str, Any]) -> None:
    """Where ``max_steps`` cuts an epoch, Lightning counts it as done; a resumed run shall go on inside it."""
    epochs = saved["epoch_progress"]
    if epoch_is_cut(trainer) and epochs["current"]["processed"] > epochs["current"]["completed"]:
        for progress in epochs.values():
            progress["processed"] = progress["completed"]
        if validation_is_due(trainer):  # counted once more after the check is resumed
            saved["epoch_loop.state_dict"]["_batches_that_stepped"] -= 1


def sums_by_sample(per_token: Tensor, batch: TreeBatch) -> tuple[Tensor, Tensor]:
    """How many learned tokens each sample of a batch has, [K], and the sum of what is known of each, [K].

    Args:
        per_token: A figure of each learned token, as `Backbone.score` orders them, [N].
        batch: Whose they are.
    """
    sample = batch.sample[batch.labels != IGNORE_INDEX]  # [N]
    count = torch.bincount(sample, minlength=batch.num_samples)
    return count, torch.zeros(batch.num_samples, device=sample.device).index_add(0, sample, per_token.float())


def per_sample(scores: TokenScores, batch: TreeBatch) -> list[tuple[float, float]]:
    """Each sample's mean negative log-probability a token (NaN without one), and 1.0 if all are the greedy ones."""
    count, nll = sums_by_sample(-scores.logps, batch)
    _, hits = sums_by_sample(scores.correct, batch)
    return list(zip((nll / count).tolist(), (hits == count).float().tolist(), strict=True))


def _means(figures: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each figure over the tasks that have it."""
    by_name: dict[str, list[float]] = defaultdict(list)
    for own in figures:
        for name, value in own.items():
            by_name[name].append(value)
    return {name: fmean(values) for name, values in by_name.items()}


def gather(value) -> list:
    """Every rank's value, in rank order; just this one's where there is a single process."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [value]
    parts = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(parts, value)
    return parts

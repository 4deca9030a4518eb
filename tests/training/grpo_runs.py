"""Short GRPO runs on the drawn world, and a look at what each of their turns learns from."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import lightning as L
import torch
from torch import Tensor

from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.losses.grpo import GRPOTerms
from videmo.models.adapters import Lora
from videmo.models.generation import Generation
from videmo.models.scopes import Scope
from videmo.rewards import Completion, Reward, RewardTerm
from videmo.token_tree import TreeBatch
from videmo.training import GRPOModule, grpo

SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)
FILES = [f"jsons/train/qa/full/QA_{name}.json" for name in ("Gender", "Hair", "Age")]
LORA = {"vision": Scope("frozen"), "merger": Scope("frozen"), "language": Scope("lora"), "lora": Lora(rank=4)}
FROZEN_TOWER = {"vision": Scope("frozen"), "merger": Scope("frozen")}


class Spelling(Reward):
    """A number that follows from the text, and nothing else does: completions of a group differ in it."""

    name = "spelling"

    def __call__(self, completions: Sequence[Completion]) -> list[float | None]:
        return [crc32(completion.text.encode()) % 7 / 6 for completion in completions]


class Says(Reward):
    """What a function says of each completion."""

    name = "says"

    def __init__(self, function) -> None:
        self.function = function

    def __call__(self, completions: Sequence[Completion]) -> list[float | None]:
        return [self.function(completion) for completion in completions]


@dataclass
class FixedEngine:
    """Answers that follow from the question, of 1 to 5 tokens, some of them ended by the limit."""

    asked: int = 0

    def generate(
        self, prompts: TreeBatch, *, num_generations, max_completion_length, sampling, samples=None
    ) -> list[Generation]:
        numbers = range(prompts.num_samples) if samples is None else samples.tolist()
        self.asked += len(numbers)
        return [self._answer(prompts.records[n], g) for n in numbers for g in range(num_generations)]

    @staticmethod
    def _answer(record, number: int) -> Generation:
        seed = crc32(f"{record.file} {record.line} {number}".encode())
        size, finished = 1 + seed % 5, seed % 3 > 0
        tokens = torch.randint(8, 60, (size,), generator=torch.Generator().manual_seed(seed))
        return Generation(tokens, torch.zeros(size + finished), finished)


def records(world, checkpoint, **options) -> EmoCFGDataModule:
    """Questions of which several are about one clip."""
    options = {"train": FILES, "val": [], "num_workers": 0, "batch_size": 4, "video": SMALL, **options}
    return EmoCFGDataModule(str(world), str(checkpoint), **options)


def policy(checkpoint, *rewards: Reward, kind: type[GRPOModule] = GRPOModule, **options) -> GRPOModule:
    """One that learns fast, and answers in a few tokens."""
    terms = [RewardTerm(reward) for reward in rewards or [Spelling()]]
    options = {"num_generations": 3, "max_completion_length": 4, "learning_rate": 1e-2, "warmup_ratio": 0.0, **options}
    return kind(terms, checkpoint=str(checkpoint), **options)


def fit(module: L.LightningModule, datamodule: EmoCFGDataModule, folder: Path, ckpt: Path | None = None, **options):
    """Train; returns the trainer."""
    options = {
        "accelerator": "cpu",
        "devices": 1,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "use_distributed_sampler": False,
        "limit_val_batches": 0,
        "max_steps": 1,
        **options,
    }
    trainer = L.Trainer(default_root_dir=folder, **options)
    trainer.fit(module, datamodule, ckpt_path=ckpt, weights_only=True if ckpt else None)
    return trainer


def figures(trainer: L.Trainer) -> dict[str, float]:
    """What was logged last, but for what took how long."""
    timed = ("time/", "throughput/")
    return {
        name: value.item()
        for name, value in trainer.callback_metrics.items()
        if not name.startswith(timed) and not name.endswith("/seconds")
    }


@dataclass
class Turn:
    """What one turn was given, and what came of it."""

    logps: Tensor
    old_logps: Tensor
    ref_logps: Tensor | None
    advantages: Tensor
    sample: Tensor
    keep: Tensor
    num_sequences: int
    num_tokens: int
    terms: GRPOTerms

    @property
    def ratio(self) -> Tensor:
        return (self.logps - self.old_logps).exp()


@contextmanager
def watched() -> Iterator[list[Turn]]:
    """The turns of the runs inside the block, in their order."""
    turns: list[Turn] = []
    real = grpo.grpo_loss

    def watching(logps, old_logps, ref_logps, advantages, sample, **options):
        terms = real(logps, old_logps, ref_logps, advantages, sample, **options)
        ref = None if ref_logps is None else ref_logps.clone()
        counts = {name: options[name] for name in ("keep", "num_sequences", "num_tokens")}
        turns.append(Turn(logps.detach().clone(), old_logps.clone(), ref, advantages, sample, **counts, terms=terms))
        return terms

    grpo.grpo_loss = watching
    try:
        yield turns
    finally:
        grpo.grpo_loss = real

"""last.ckpt: where a run goes on after an interruption, exactly.

It is saved between two optimizer steps only, or two rounds of a model's own answers, and after a validation that is
due there, since Lightning would not make it up. Ctrl-C (SIGINT) and the SIGTERM of a scheduler let the step or round
end and save it first; a second Ctrl-C ends the run at once, with the checkpoint of the last time. A killed run has
that, too: it is replaced whole or not at all.
"""

import signal
import threading
from types import FrameType
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint
from rich.console import Console

from videmo.errors import InputError
from videmo.token_tree import TreeBatch
from videmo.training.checkpoints import last_checkpoint, save_whole
from videmo.training.module import validation_is_due

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class LastCheckpoint(Checkpoint):
    """Keeps ``checkpoints/last.ckpt`` in the trainer's ``default_root_dir``: at the end of every epoch, and between.

    Args:
        every_n_train_steps: Optimizer steps from one to the next inside an epoch; none by default.
    """

    def __init__(self, every_n_train_steps: int | None = None) -> None:
        if every_n_train_steps is not None and every_n_train_steps < 1:
            raise InputError(f"every_n_train_steps must be at least 1, got {every_n_train_steps}")
        self.every_n_train_steps = every_n_train_steps
        self._saved_at = -1
        self._signal = 0
        self._stopping = 0
        self._handlers: dict[int, Any] = {}

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if stage == "fit":  # where the folder cannot be made, that is better known now
            last_checkpoint(trainer.default_root_dir).parent.mkdir(parents=True, exist_ok=True)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._saved_at = trainer.global_step
        self._signal = self._stopping = 0
        if threading.current_thread() is threading.main_thread():
            self._handlers = {number: signal.signal(number, self._on_signal) for number in SIGNALS}

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: TreeBatch, batch_idx: int
    ) -> None:
        if self._stopping == signal.SIGINT:  # only here are the last step's metrics logged
            raise KeyboardInterrupt
        if self._stopping:
            raise SystemExit(128 + self._stopping)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs, batch: TreeBatch, batch_idx: int
    ) -> None:
        if not trainer.fit_loop._should_accumulate() and not validation_is_due(trainer):
            self._between_steps(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        loop = trainer.fit_loop.epoch_loop
        if trainer.state.fn == "fit" and not trainer.sanity_checking and not loop._should_accumulate():
            self._between_steps(trainer)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._save(trainer)

    def teardown(self, *args: Any, **kwargs: Any) -> None:
        """Give the signals back."""
        while self._handlers:
            signal.signal(*self._handlers.popitem())

    on_train_end = on_exception = teardown

    def _between_steps(self, trainer: L.Trainer) -> None:
        if not trainer.lightning_module.between_rounds:
            return
        self._stopping = self._agreed_signal(trainer)
        every = self.every_n_train_steps
        due = every is not None and trainer.global_step % every == 0
        if (self._stopping or due) and trainer.global_step != self._saved_at:
            self._save(trainer)

    def _agreed_signal(self, trainer: L.Trainer) -> int:
        """The signal that any rank was sent, the same number on all of them."""
        if trainer.world_size == 1:
            return self._signal
        sent = torch.tensor(self._signal, device=trainer.strategy.root_device)
        return int(trainer.strategy.reduce(sent, reduce_op="max"))

    def _save(self, trainer: L.Trainer) -> None:
        save_whole(trainer, last_checkpoint(trainer.default_root_dir))
        self._saved_at = trainer.global_step

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._signal and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._signal = number
        again = "; Ctrl-C again stops at once" if number == signal.SIGINT else ""
        Console(stderr=True).print(f"saving after this step, then stopping{again}")

"""A sentence where GRPO cannot learn, and why; and why rewards are missing."""

import re
from collections import Counter, deque

import lightning as L
from rich.console import Console

from callbacks.completions import drawing
from callbacks.writer import writer_of
from videmo.errors import InputError, printable
from videmo.token_tree import TreeBatch
from videmo.training.completions import Round
from videmo.training.diagnosis import diagnose
from videmo.training.module import logging_is_due

REASONS = 20  # that the table has at most
_AT_LINE = re.compile(r"^\S+:\d+: ")  # the record, where a reason names it: many have the same


class Diagnosis(L.Callback):
    """Says on the console and in TensorBoard, as the text ``diagnosis``, why some rounds in a row teach nothing, once
    for each cause; and in the text ``missing_rewards`` how often which reason took a reward away.

    Args:
        rounds: How many in a row.
    """

    def __init__(self, rounds: int = 5) -> None:
        if rounds < 1:
            raise InputError(f"callbacks.Diagnosis: rounds must be at least 1, got {rounds}")
        self._rounds: deque[Round] = deque(maxlen=rounds)
        self._cause = ""
        self._missing: Counter[tuple[str, str]] = Counter()

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        drawing(self, pl_module)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs, batch: TreeBatch, batch_idx: int
    ) -> None:
        module = drawing(self, pl_module)
        answered = module.round
        if not trainer.is_global_zero or (self._rounds and answered is self._rounds[-1]):
            return
        self._rounds.append(answered)
        self._note_missing(trainer, answered)
        if len(self._rounds) < (self._rounds.maxlen or 0):
            return
        given = {name: module.hparams[name] for name in ("num_generations", "max_completion_length", "temperature")}
        found = diagnose(self._rounds, **given)
        cause = found.cause if found else ""
        if cause == self._cause:
            return
        self._cause = cause
        sentence = found.sentence if found else "nothing stands in the way of learning any more"
        line = f"diagnosis at step {trainer.global_step}: {sentence}"
        Console(stderr=True).print(line, style="yellow", markup=False, highlight=False)
        _write(trainer, "diagnosis", sentence)

    def _note_missing(self, trainer: L.Trainer, answered: Round) -> None:
        known = set(self._missing)
        for name, reasons in answered.missing.items():
            for reason, count in reasons.items():
                self._missing[name, _AT_LINE.sub("", printable(reason))] += count
        due = logging_is_due(trainer, trainer.global_step)
        if self._missing.keys() - known or (due and any(map(Counter.total, answered.missing.values()))):
            frequent = self._missing.most_common(REASONS)
            lines = [f"| {name} | {reason.replace('|', '/')} | {count} |" for (name, reason), count in frequent]
            table = ["| reward | why it is missing | times |", "|---|---|---:|", *lines]
            _write(trainer, "missing_rewards", "\n".join(table))


def _write(trainer: L.Trainer, tag: str, text: str) -> None:
    if writer := writer_of(trainer):
        writer.add_text(tag, text, trainer.global_step)

"""GRPO killed inside a round, or interrupted there: it goes on as if nothing had been, to the bit."""

import json
import multiprocessing
import os
import signal
from pathlib import Path

import lightning as L
import pytest
import torch
from grpo_runs import LORA, figures, fit, policy, records

from callbacks import LastCheckpoint
from videmo.models.adapters import Lora
from videmo.training.checkpoints import last_checkpoint

STEPS = 8
ROUNDS = {"once": {}, "twice": {"num_iterations": 2, "steps_per_generation": 2}}


class Diary(L.Callback):
    """Writes down what every step logged."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "diary.jsonl"

    def on_train_batch_end(self, trainer, *args) -> None:
        if logged := figures(trainer):
            with self.file.open("a") as stream:
                stream.write(json.dumps([trainer.global_step, logged]) + "\n")


class At(L.Callback):
    """Sends this process a signal in the midst of a batch."""

    def __init__(self, batch: int, number: signal.Signals) -> None:
        self.batch, self.number = batch, number

    def on_before_backward(self, trainer, *args) -> None:
        if trainer.fit_loop.epoch_loop.batch_idx == self.batch:
            os.kill(os.getpid(), self.number)


def run(world: Path, checkpoint: Path, folder: Path, rounds: str, *watch: L.Callback, ckpt: Path | None = None):
    """Train with dropout, in two micro-batches a step."""
    L.seed_everything(0 if ckpt is None else 1, verbose=False)  # the adapters' first weights
    trains = {**LORA, "lora": Lora(rank=4, dropout=0.2)}
    module = policy(checkpoint, **ROUNDS[rounds], **trains)
    watch = [*watch, Diary(folder), LastCheckpoint(every_n_train_steps=1)]
    options = {"callbacks": watch, "enable_checkpointing": True, "max_steps": STEPS}
    fit(module, records(world, checkpoint, batch_size=3, global_batch_size=6), folder, ckpt, **options)


def diary(folder: Path) -> dict[int, dict[str, float]]:
    """By step; one that was done again stands for the first time."""
    return dict(map(json.loads, (folder / "diary.jsonl").read_text().splitlines()))


def assert_same_end(peace: Path, other: Path) -> None:
    states = [torch.load(last_checkpoint(folder), weights_only=True) for folder in (peace, other)]
    assert states[0]["global_step"] == states[1]["global_step"] == STEPS
    weights, trained = (state["state_dict"] for state in states)
    assert all(torch.equal(trained[name], weight) for name, weight in weights.items())
    moments = [state["optimizer_states"][0]["state"] for state in states]
    for key, values in moments[0].items():
        assert all(torch.equal(value, moments[1][key][name]) for name, value in values.items())
    assert diary(peace) == diary(other) and len(diary(peace)) == STEPS
    assert len({values["train/reward"] for values in diary(peace).values()}) > 1


@pytest.fixture(scope="module")
def peace(world, world_checkpoint, tmp_path_factory):
    """A function from the rounds to the folder of a run that nothing happened to."""
    found = {}

    def train(rounds: str) -> Path:
        if rounds not in found:
            found[rounds] = tmp_path_factory.mktemp(rounds)
            run(world, world_checkpoint, found[rounds], rounds)
        return found[rounds]

    return train


@pytest.mark.parametrize(("rounds", "batch", "kept"), [("once", 7, 3), ("twice", 13, 4)])
def test_a_run_killed_inside_a_round_goes_on_to_the_bit(rounds, batch, kept, peace, world, world_checkpoint, tmp_path):
    context = multiprocessing.get_context("forkserver")
    killed = context.Process(
        target=run, args=(world, world_checkpoint, tmp_path, rounds, At(batch, signal.SIGKILL)), daemon=True
    )
    killed.start()
    killed.join(100)
    assert killed.exitcode == -signal.SIGKILL
    last = last_checkpoint(tmp_path)
    assert torch.load(last, weights_only=True)["global_step"] == kept
    run(world, world_checkpoint, tmp_path, rounds, ckpt=last)
    assert_same_end(peace(rounds), tmp_path)


def test_an_interrupt_lets_the_round_end_and_saves_it(peace, world, world_checkpoint, tmp_path, heard_interrupts):
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        run(world, world_checkpoint, tmp_path, "twice", At(2, signal.SIGINT))
    last = last_checkpoint(tmp_path)
    assert torch.load(last, weights_only=True)["global_step"] == max(diary(tmp_path)) == 4
    run(world, world_checkpoint, tmp_path, "twice", ckpt=last)
    assert_same_end(peace("twice"), tmp_path)

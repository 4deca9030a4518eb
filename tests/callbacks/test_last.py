"""A run that is told to stop, by a terminal or a scheduler, in a process group as they do it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

ROOT = Path(__file__).resolve().parent.parent.parent


def _start(world, checkpoint, folder) -> subprocess.Popen:
    callback = {"class_path": "callbacks.LastCheckpoint", "init_args": {"every_n_train_steps": 1}}
    command = [
        *(sys.executable, "-m", "videmo.cli", "fit", "--config=configs/demo/sft.yaml"),
        *(f"--data.root={world}", f"--model.init_args.checkpoint={checkpoint}", "--data.num_workers=2"),
        *("--data.video.min_pixels=3136", "--data.video.max_pixels=3136", "--trainer.accelerator=cpu"),
        *(f"--trainer.default_root_dir={folder}", "--trainer.log_every_n_steps=1"),
        f"--trainer.callbacks={json.dumps([callback])}",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with (folder / "output.txt").open("wb") as output:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )


def _logged_steps(folder: Path) -> list[int]:
    """Steps whose loss has reached TensorBoard's file."""
    files = list(folder.rglob("events.out.*"))
    if not files:
        return []
    events = EventAccumulator(str(files[0].parent)).Reload()
    return [event.step for event in events.Scalars("train/loss")] if "train/loss" in events.Tags()["scalars"] else []


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_to_all_processes_saves_the_step_and_ends(number, code, world, world_checkpoint, tmp_path):
    running = _start(world, world_checkpoint, tmp_path)
    log, last = tmp_path / "output.txt", tmp_path / "checkpoints" / "last.ckpt"
    while not last.is_file() and running.poll() is None:
        time.sleep(0.05)
    os.killpg(running.pid, number)
    assert running.wait(60) == code, log.read_text()
    assert "Traceback" not in log.read_text() and "saving after this step, then stopping" in log.read_text()
    assert f"{last} is saved, and the same command with --ckpt_path=last goes on from it" in log.read_text()
    saved = torch.load(last, weights_only=True)
    assert _logged_steps(tmp_path)[-1] == saved["global_step"] - 1  # the step it ended with is logged, too

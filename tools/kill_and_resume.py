"""Runs killed with SIGKILL at random points and resumed: does the result equal that of a run that was never killed?

A curriculum of two stages over a drawn world, with accumulation, dropout and validation inside its epochs, is trained
once in peace. Then the same command is started again and again, with another number of workers each time, and killed
with all its processes after a random time, or ended by a random max_steps, until as many kills have been dealt as were
asked for, one of them left a checkpoint to go on from, and the last run has ended. Every finished run's last.ckpt must
equal the first one's to the bit: weights, optimizer, schedule, loop counters and callbacks. Prints one JSON line, in
which `resumed` counts those kills; the exit status is 1 if anything differs.

    python tools/kill_and_resume.py --kills 20 --world_size 2 --strategy fsdp2
"""

import ctypes
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import Literal

import torch
from jsonargparse import auto_cli
from lightning.fabric.utilities.load import _load_distributed_checkpoint

from videmo import cli
from videmo.data.records import read_records
from videmo.models.tiny import make_tiny
from videmo.synth import Plan, synthesize
from videmo.training.checkpoints import kept, last_checkpoint

STAGES = [
    {"name": "one", "mix": {"head_pose": 1, "gender": 1, "emotion_single": 1}, "epochs": 2},
    {"name": "two", "mix": {"appearance_cls": 1, "understanding": 1}, "steps": 12, "replay": 0.3},
]

CONTEXT = multiprocessing.get_context("forkserver")
PR_SET_PDEATHSIG = 1
FROZEN_TOWER = [f"--model.init_args.{scope}.mode=frozen" for scope in ("vision", "merger")]


def main(
    kills: int = 20,
    world_size: int = 1,
    seed: int = 0,
    frozen: bool = False,
    lora: bool = False,
    strategy: Literal["ddp", "fsdp2"] = "ddp",
) -> int:
    """Kill runs at random points, resume them, and compare their ends with that of a run that was never killed.

    Args:
        kills: How many.
        world_size: Processes that train together, over gloo.
        seed: Of the times at which they are killed.
        frozen: With a frozen vision tower and its features cached on disk.
        lora: With adapters of the language model alone, and dropout in them.
        strategy: What two processes or more train by, of configs/trainer.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    CONTEXT.set_forkserver_preload(["videmo.trainer", "callbacks"])  # so that no run has to load them itself
    rng = random.Random(seed)
    with TemporaryDirectory() as work:
        folder = Path(work)
        prepare(folder)
        options = command(folder, world_size, frozen, lora, strategy)
        CONTEXT.Process(target=int).start()  # the server has its libraries before a run is timed
        began = time.monotonic()
        finish(options, folder / "peace", workers=0)
        duration = time.monotonic() - began  # later runs find what it had to load, and take two thirds of it
        expected = state(folder / "peace")
        all_steps = expected["/global_step"]
        dealt, cuts, runs, differ, resumed = 0, 0, 0, set(), 0
        while dealt < kills or not resumed:
            run = folder / f"run{runs}"
            while dealt < kills or not resumed:
                end = rng.randint(min(step(run) + 1, all_steps), all_steps)
                cut = [] if rng.random() < 0.75 else [f"--trainer.max_steps={end}"]
                soonest = 0.1 if dealt else 0.45  # the first time there is something to go on from
                if killed_early([*options, *cut], run, rng, rng.uniform(soonest, 0.7) * duration):
                    dealt += 1
                    resumed += step(run) > 0
                    print(f"{dealt} kills, {progress(run)}", file=sys.stderr)
                elif not cut:
                    break
                else:
                    cuts += 1
                    print(f"{cuts} times ended by max_steps, {progress(run)}", file=sys.stderr)
            cut = rng.choice([[], [f"--trainer.max_steps={all_steps}"]])
            finish([*options, *cut], run, workers=rng.choice([0, 1, 2]))
            differ |= differences(expected, state(run))
            shutil.rmtree(run)
            runs += 1
    result = {
        "kills": dealt,
        "ended_by_max_steps": cuts,
        "runs": runs,
        "resumed": resumed,
        "world_size": world_size,
        "strategy": strategy if world_size > 1 else "auto",
        "identical": not differ,
        "differ": sorted(differ)[:20],
        "tensors": len([value for value in expected.values() if isinstance(value, torch.Tensor)]),
    }
    print(json.dumps(result))
    return 0 if not differ else 1


def prepare(folder: Path) -> None:
    """A drawn world, and a tiny model with dropout."""
    synthesize(folder / "data", Plan(60), workers=1)
    files = sorted((folder / "data").glob("jsons/train/*/full/*.json"))
    texts = [message.content for file in files for record in read_records(file) for message in record.messages]
    make_tiny(texts, folder / "tiny", hidden_size=64, layers=2)
    config = json.loads((folder / "tiny" / "config.json").read_text())
    config["text_config"]["attention_dropout"] = 0.1
    (folder / "tiny" / "config.json").write_text(json.dumps(config))


def command(folder: Path, world_size: int, frozen: bool, lora: bool, strategy: str) -> list[str]:
    cache = {"memory_mb": 4, "disk_mb": 16, "folder": str(folder / "features")}
    return [
        *("fit", "--config=configs/demo/sft.yaml"),
        *([f"--config=configs/trainer/{strategy}.yaml"] if world_size > 1 else []),
        f"--data.root={folder / 'data'}",
        f"--model.init_args.checkpoint={folder / 'tiny'}",
        *("--data.video.min_pixels=3136", "--data.video.max_pixels=3136", f"--data.curriculum={json.dumps(STAGES)}"),
        *("--data.batch_size=8", f"--data.global_batch_size={16 * world_size}", "--trainer.val_check_interval=0.5"),
        *("--trainer.accelerator=cpu", f"--trainer.devices={world_size}"),
        *([*FROZEN_TOWER, f"--data.vision_cache={json.dumps(cache)}"] if frozen else []),
        *(["--model.init_args.language.mode=lora", "--model.init_args.lora.dropout=0.1"] if lora else []),
        "--trainer.callbacks="
        + json.dumps(
            [
                {"class_path": "callbacks.LastCheckpoint", "init_args": {"every_n_train_steps": 3}},
                {"class_path": "callbacks.StageCheckpoint"},
            ]
        ),
        *("--trainer.enable_progress_bar=false", "--model.init_args.max_new_tokens=12"),
    ]


def start(options: list[str], run: Path, workers: int) -> list[ForkServerProcess]:
    """The command's processes, each in a session of its own, going on where the run's last.ckpt is."""
    last = kept(last_checkpoint(run))
    own = [f"--trainer.default_root_dir={run}", f"--data.num_workers={workers}"]
    own += [f"--ckpt_path={last}"] if last.exists() else []
    run.mkdir(exist_ok=True)
    with socket() as held:
        held.bind(("localhost", 0))
        port = held.getsockname()[1]
    size = next((int(word.partition("=")[2]) for word in options if word.startswith("--trainer.devices=")), 1)
    given = ([*options, *own], run / "output.txt", port)
    ranks = [CONTEXT.Process(target=train, args=(rank, *given)) for rank in range(size)]
    for rank in ranks:
        rank.start()
    return ranks


def train(rank: int, args: list[str], output: Path, port: int) -> None:
    """One process of a run, as a scheduler would start it."""
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ |= {"LOCAL_RANK": str(rank), "MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    os.chdir(Path(__file__).resolve().parent.parent)
    torch.set_num_threads(1)
    multiprocessing.set_start_method(None, force=True)  # the loader's workers are made as they always are
    with output.open("ab") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    sys.exit(cli.main(args))


def finish(options: list[str], run: Path, workers: int) -> None:
    if not ended(start(options, run, workers), run, seconds=600):
        raise SystemExit(f"the run did not end in ten minutes:\n{(run / 'output.txt').read_text()[-3000:]}")


def killed_early(options: list[str], run: Path, rng: random.Random, seconds: float) -> bool:
    """Start the run and kill it after some seconds; False if it had ended by then."""
    return not ended(start(options, run, rng.choice([0, 1, 2])), run, seconds)


def ended(ranks: list[ForkServerProcess], run: Path, seconds: float) -> bool:
    """Whether all processes of a run end within some seconds; those that do not are killed with all of theirs."""
    deadline = time.monotonic() + seconds
    try:
        while alive := [rank.sentinel for rank in ranks if rank.is_alive()]:
            if any(rank.exitcode for rank in ranks):  # the others would wait for it
                break
            if not wait(alive, timeout=deadline - time.monotonic()):
                return False
        if any(rank.exitcode for rank in ranks):
            raise SystemExit(f"the run failed:\n{(run / 'output.txt').read_text()[-3000:]}")
        return True
    finally:
        for rank in ranks:
            with suppress(ProcessLookupError):
                os.killpg(rank.pid, signal.SIGKILL)
            rank.kill()  # where it had no session of its own yet
            rank.join()


def progress(run: Path) -> str:
    return f"last.ckpt at step {step(run)}" if step(run) else "no step yet"


def step(run: Path) -> int:
    """Of a run's last checkpoint, 0 without one."""
    last = kept(last_checkpoint(run))
    file = last / "meta.pt" if last.is_dir() else last
    return torch.load(file, weights_only=True)["global_step"] if file.exists() else 0


def state(run: Path) -> dict[str, object]:
    """Everything in a run's last checkpoint, by its path in it."""
    last = last_checkpoint(run)
    return flat(_load_distributed_checkpoint(last) if last.is_dir() else torch.load(last, weights_only=True))


def flat(value: object, path: str = "") -> dict[str, object]:
    if isinstance(value, dict):
        return {p: v for key, part in value.items() for p, v in flat(part, f"{path}/{key}").items()}
    if isinstance(value, list | tuple):
        return {p: v for key, part in enumerate(value) for p, v in flat(part, f"{path}/{key}").items()}
    return {path: value}


def differences(one: dict[str, object], other: dict[str, object]) -> set[str]:
    """Paths whose values are not the same to the bit."""
    return {path for path in one.keys() | other.keys() if not same(one.get(path), other.get(path))}


def same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    return type(one) is type(other) and one == other


if __name__ == "__main__":
    sys.exit(auto_cli(main))

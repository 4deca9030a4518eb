"""Two processes (gloo, on CPU) under each strategy: the losses, scores and predictions of one, and resuming.

What only CUDA can run is marked ``gpu``: ``pytest -m gpu tests/training/test_strategies.py`` on a machine with GPUs.
"""

import csv
import ctypes
import json
import multiprocessing
import os
import signal
import sys
import time
from multiprocessing.connection import wait
from pathlib import Path
from socket import socket

import pytest
import torch
import yaml
from jsonargparse import ArgumentParser
from lightning.fabric.utilities.load import _load_distributed_checkpoint
from lightning.pytorch.strategies import SingleDeviceStrategy, Strategy

from videmo.cli import main
from videmo.errors import InputError
from videmo.training.checkpoints import check_folder, kept, last_checkpoint
from videmo.training.strategies import FSDP2

PR_SET_PDEATHSIG = 1
ROOT = Path(__file__).resolve().parent.parent.parent
OVERLAYS = sorted(ROOT.glob("configs/trainer/*.yaml"))
SECONDS = 240
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["videmo.cli", "callbacks"])  # imported once for all processes of all runs
STAGES = [
    {"name": "one", "mix": {"head_pose": 1, "text": 1}, "epochs": 2},
    {"name": "two", "mix": {"emotion_single": 1, "gender": 1}, "steps": 5, "replay": 0.3},
]
ONE = ["--trainer.accelerator=cpu", "--trainer.devices=1", "--data.batch_size=12"]
TWO = {
    name: [f"--config=configs/trainer/{name}.yaml", "--trainer.accelerator=cpu", "--trainer.devices=2"]
    for name in ("ddp", "fsdp", "fsdp2")
}


def run(command: str, folder: Path, *options: str, world_size: int = 1) -> str:
    """Run the command line in processes of their own, which end with it, and return what they said."""
    folder.mkdir(parents=True, exist_ok=True)
    said = folder / f"{command}.txt"
    with socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    args = [command, *options, f"--trainer.default_root_dir={folder}"]
    ranks = [
        CONTEXT.Process(target=_rank, args=(rank, port, args, said), name=f"rank {rank}", daemon=True)
        for rank in range(world_size)
    ]
    deadline = time.monotonic() + SECONDS
    try:
        for rank in ranks:
            rank.start()
        while (
            (alive := [rank.sentinel for rank in ranks if rank.is_alive()])
            and not any(rank.exitcode for rank in ranks)  # the others would wait for it
            and time.monotonic() < deadline
        ):
            wait(alive, timeout=1)
        assert [rank.exitcode for rank in ranks] == [0] * world_size, said.read_text()[-4000:]
    finally:
        for rank in ranks:
            rank.kill()
    return said.read_text()


def _rank(rank: int, port: int, args: list[str], said: Path) -> None:
    """One process of a run, as a scheduler would start it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ |= {"LOCAL_RANK": str(rank), "MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    os.chdir(ROOT)
    torch.set_num_threads(1)
    with said.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.exit(main(args))


@pytest.fixture(scope="module")
def common(world, world_checkpoint, tmp_path_factory) -> list[str]:
    """The demo's config on the small world with a few records of text alone, so that some ranks have no video."""
    text = tmp_path_factory.mktemp("text") / "text.jsonl"
    turns = [
        [
            {"role": "user", "content": f"Which emotion has face {n}?"},
            {"role": "assistant", "content": "Happy" * (n % 5)},
        ]
        for n in range(1, 60)
        if n % 5
    ]
    text.write_text("".join(json.dumps({"messages": messages}) + "\n" for messages in turns))
    callbacks = [{"class_path": f"callbacks.{name}"} for name in ("LastCheckpoint", "StageCheckpoint", "SampleLogger")]
    place = {"save_dir": "${....default_root_dir}", "name": ""}
    loggers = [
        {"class_path": f"lightning.pytorch.loggers.{kind}Logger", "init_args": {**place, "version": kind}}
        for kind in ("CSV", "TensorBoard")
    ]
    return [
        "--config=configs/demo/sft.yaml",
        f"--model.init_args.checkpoint={world_checkpoint}",
        f"--data.root={world}",
        f"--data.train=[jsons/train/*/full/*.json, {text}]",
        "--data.video.min_pixels=3136",
        "--data.video.max_pixels=3136",
        "--data.global_batch_size=24",
        "--data.num_workers=0",
        "--trainer.log_every_n_steps=1",
        "--trainer.enable_progress_bar=false",
        f"--trainer.callbacks={json.dumps(callbacks)}",
        f"--trainer.logger={json.dumps(loggers)}",
        f"--data.curriculum={json.dumps(STAGES)}",
        "--model.init_args.optimizer=adamw",
        "--model.init_args.max_new_tokens=12",
    ]


TRAINS = {
    "all": [],
    "language": [
        "--model.init_args.vision.mode=frozen",
        "--model.init_args.merger.mode=frozen",
        '--data.vision_cache={"memory_mb": 64}',
    ],
    "adapters": [f"--model.init_args.{scope}.mode=lora" for scope in ("vision", "merger", "language")],
}


def logged(folder: Path, name: str) -> list[float]:
    with (folder / "CSV" / "metrics.csv").open() as stream:
        return [float(row[name]) for row in csv.DictReader(stream) if row.get(name)]


@pytest.fixture(scope="module")
def runs(common, tmp_path_factory):
    """A function from a strategy (or None) and what trains to the folder of its run, trained once."""
    found: dict[tuple, Path] = {}

    def trained(strategy: str | None, trains: str) -> Path:
        if (strategy, trains) not in found:
            folder = tmp_path_factory.mktemp(f"{strategy}-{trains}")
            own = [*TWO[strategy], "--data.batch_size=6"] if strategy else ONE
            run("fit", folder, *common, *TRAINS[trains], *own, world_size=2 if strategy else 1)
            found[strategy, trains] = folder
        return found[strategy, trains]

    return trained


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "trains"),
    [
        ("ddp", "all"),
        ("ddp", "language"),
        ("fsdp2", "all"),
        ("fsdp2", "language"),
        ("fsdp2", "adapters"),
        ("fsdp", "all"),
        ("fsdp", "adapters"),
    ],
)
def test_two_ranks_have_the_losses_of_one(strategy, trains, runs):
    one, two = runs(None, trains), runs(strategy, trains)
    for name in ("train/loss", "train/token_accuracy", "val/loss", "val/exact"):
        expected = logged(one, name)
        assert len(expected) > 2
        assert logged(two, name) == pytest.approx(expected, rel=1e-4), name
    stages = [json.loads((folder / "curriculum.json").read_text())["stages"] for folder in (one, two)]
    assert [stage["best_epoch"] for stage in stages[1]] == [stage["best_epoch"] for stage in stages[0]]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["fsdp"])  # ddp and fsdp2: test_kill.py
def test_a_stopped_run_goes_on_where_it_was(strategy, runs, common, tmp_path):
    whole = runs(strategy, "all")
    own = [*TWO[strategy], "--data.batch_size=6"]
    run("fit", tmp_path, *common, *own, "--trainer.max_steps=6", world_size=2)
    assert last_checkpoint(tmp_path).is_dir()
    run("fit", tmp_path, *common, *own, f"--ckpt_path={last_checkpoint(tmp_path)}", world_size=2)
    resumed = logged(tmp_path, "train/loss")
    assert resumed == logged(whole, "train/loss")[6:]


def results(folder: Path) -> tuple[dict[str, list[dict]], dict]:
    """Every line of every prediction file, without its log-probability, and the scores."""
    files = sorted((folder / "results" / "videmo").glob("*.json"))
    lines = {
        file.name: [json.loads(line) for line in file.read_text().splitlines()]
        for file in files
        if file.name != "benchmark.json"
    }
    benchmark = json.loads((folder / "results" / "videmo" / "benchmark.json").read_text())
    return lines, benchmark


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp", "fsdp2", "fsdp"])
def test_two_ranks_have_the_predictions_and_scores_of_one(strategy, runs, common, tmp_path):
    """From the same weights: those that FSDP2 trained, which it reads from its folder, and others from one file."""
    folder = last_checkpoint(runs("fsdp2", "all"))
    whole = _load_distributed_checkpoint(folder)
    file = tmp_path / "whole.ckpt"
    torch.save(whole, file)
    own = ["--data.eval_batch_size=7", "--data.batch_size=6"]
    run("test", tmp_path / "one", *common, *own, *ONE, f"--ckpt_path={file}")
    read = folder if strategy == "fsdp2" else file
    run("test", tmp_path / "two", *common, *own, *TWO[strategy], f"--ckpt_path={read}", world_size=2)
    (one, scores), (two, scores_of_two) = results(tmp_path / "one"), results(tmp_path / "two")
    assert scores == scores_of_two
    assert one.keys() == two.keys()
    for name, lines in one.items():
        assert len(lines) == len(two[name])
        for line, other in zip(lines, two[name], strict=True):
            assert line.pop("logprobs") == pytest.approx(other.pop("logprobs"), abs=1e-4)
            assert line == other


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_every_overlay_makes_its_strategy(overlay):
    chosen = yaml.safe_load(overlay.read_text())["trainer"]["strategy"]
    if chosen == "auto":
        return
    if "DeepSpeed" in chosen["class_path"]:
        pytest.importorskip("deepspeed")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--strategy", type=Strategy)
    strategy = parser.instantiate_classes(parser.parse_object({"strategy": chosen})).strategy
    assert type(strategy).__name__ == chosen["class_path"].split(".")[-1]


def test_a_checkpoint_whose_replacement_was_interrupted_is_found_again(tmp_path):
    last = last_checkpoint(tmp_path)
    aside = last.with_name(".last.ckpt.old")
    aside.mkdir(parents=True)
    (aside / "meta.pt").touch()
    assert (kept(last) / "meta.pt").is_file()
    assert not aside.exists()


def test_a_folder_is_refused_where_it_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="no whole checkpoint for FSDP2"):
        check_folder(tmp_path, FSDP2())
    (tmp_path / "meta.pt").touch()
    check_folder(tmp_path, FSDP2())
    with pytest.raises(InputError, match="no whole checkpoint for SingleDeviceStrategy; give the strategy that wrote"):
        check_folder(tmp_path, SingleDeviceStrategy())


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_each_overlay_fits_saves_resumes_and_tests_on_gpus(overlay, common, tmp_path):
    if "deepspeed" in overlay.stem:
        pytest.importorskip("deepspeed")
    devices = 1 if overlay.stem == "one_gpu" else torch.cuda.device_count()
    own = [f"--config=configs/trainer/{overlay.name}", f"--trainer.devices={devices}", "--data.batch_size=1"]
    own += [f"--data.global_batch_size={4 * devices}"]
    common = [*common, *own]
    run("fit", tmp_path / "whole", *common, "--trainer.max_steps=8", world_size=devices)
    run("fit", tmp_path / "parts", *common, "--trainer.max_steps=4", world_size=devices)
    last = last_checkpoint(tmp_path / "parts")
    run("fit", tmp_path / "parts", *common, "--trainer.max_steps=8", f"--ckpt_path={last}", world_size=devices)
    assert logged(tmp_path / "parts", "train/loss")[-4:] == pytest.approx(
        logged(tmp_path / "whole", "train/loss")[-4:], rel=2e-2
    )
    run(
        "test",
        tmp_path / "parts",
        *common,
        f"--ckpt_path={last}",
        "--model.init_args.max_new_tokens=8",
        world_size=devices,
    )
    lines, _ = results(tmp_path / "parts")
    assert sum(map(len, lines.values())) > 0

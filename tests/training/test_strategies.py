"""Two processes (gloo, on CPU) under each strategy: losses, scores and predictions of one, resuming, and the export.

They accumulate, clip, score answers in chunks, and meet batches in which only one of them has a video. What only CUDA
can run is marked ``gpu``: ``pytest -m gpu tests/training/test_strategies.py`` on a machine with GPUs.
"""

import csv
import ctypes
import faulthandler
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
import yaml
from jsonargparse import ArgumentParser
from lightning.fabric.utilities.load import _load_distributed_checkpoint
from lightning.pytorch.strategies import SingleDeviceStrategy, Strategy
from ranks import free_port
from transformers import Qwen2_5_VLForConditionalGeneration

from videmo.cli import main
from videmo.errors import InputError
from videmo.export.checkpoint import TrainedWeights, read_checkpoint
from videmo.models import backbone
from videmo.models.adapters import Lora
from videmo.models.backbone import Backbone
from videmo.models.scopes import SCOPES, Scope
from videmo.models.token_scores import score_tokens
from videmo.token_tree import TreeBatch
from videmo.training.checkpoints import DirectIO, check_kind, kept, last_checkpoint, save_whole
from videmo.training.strategies import FSDP, FSDP2

PR_SET_PDEATHSIG = 1
ROOT = Path(__file__).resolve().parent.parent.parent
OVERLAYS = sorted(ROOT.glob("configs/trainer/*.yaml"))
SECONDS = 120
CHUNK_LOGITS = 2**12  # of two processes: a few answer tokens of the small vocabulary
CONTEXT = multiprocessing.get_context("forkserver")
STAGES = [
    {"name": "one", "mix": {"head_pose": 1, "text": 1}, "epochs": 2},
    {"name": "text", "mix": {"text": 1, "gender": 0.1}, "steps": 3},
    {"name": "two", "mix": {"emotion_single": 1, "gender": 1}, "steps": 5, "replay": 0.3},
]
FEW = ["attribute/full/*", "emotion/full/*", "caption/full/*Emotion*", "qa/full/*Gender"]  # of val and test, every kind
ONE = ["--trainer.accelerator=cpu", "--trainer.devices=1", "--data.batch_size=12"]
TWO = {
    name: [f"--config=configs/trainer/{name}.yaml", "--trainer.accelerator=cpu", "--trainer.devices=2"]
    for name in ("ddp", "fsdp", "fsdp2")
}


def run(command: str, folder: Path, *options: str, world_size: int = 1, kill_at: Path | None = None) -> None:
    """Run the command line in processes of their own, which end with it, or by SIGKILL as soon as a path exists."""
    folder.mkdir(parents=True, exist_ok=True)
    said = folder / f"{command}.txt"
    args = [command, *options, f"--trainer.default_root_dir={folder}"]
    deadline = time.monotonic() + SECONDS
    with free_port() as port:
        ranks = [
            CONTEXT.Process(target=_rank, args=(rank, port, args, said), name=f"rank {rank}", daemon=True)
            for rank in range(world_size)
        ]
        try:
            for rank in ranks:
                rank.start()
            while (
                (alive := [rank.sentinel for rank in ranks if rank.is_alive()])
                and not any(rank.exitcode for rank in ranks)  # the others would wait for it
                and time.monotonic() < deadline
            ):
                wait(alive, timeout=0.05 if kill_at else 1)
                if kill_at and kill_at.exists():
                    return
            assert [rank.exitcode for rank in ranks] == [0] * world_size, said.read_text()[-4000:]
        finally:
            for rank in ranks:
                rank.kill()
                rank.join(10)


def _rank(rank: int, port: int, args: list[str], said: Path) -> None:
    """One process of a run, as a scheduler would start it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ |= {"LOCAL_RANK": str(rank), "MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    os.chdir(ROOT)
    torch.set_num_threads(1)
    if args[0] == "fit":
        _note_videos(said.with_name(f"videos.{rank}.txt"))
    if any("configs/trainer/" in arg for arg in args):
        backbone.score_tokens = partial(score_tokens, chunk_logits=CHUNK_LOGITS)
    with said.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    faulthandler.dump_traceback_later(SECONDS - 5, file=2)  # where a process waits for ever
    sys.exit(main(args))


def _note_videos(file: Path) -> None:
    """Write down how many videos each batch of this process has."""
    score = Backbone.score

    def noting(self: Backbone, batch: TreeBatch):
        with file.open("a") as stream:
            stream.write(f"{len(batch.videos)}\n")
        return score(self, batch)

    Backbone.score = noting


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
    callbacks = [
        {"class_path": "callbacks.StageCheckpoint"},
        {"class_path": "callbacks.LastCheckpoint", "init_args": {"every_n_train_steps": 2}},
    ]
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
        *(f"--data.{split}=[{', '.join(f'jsons/{split}/{part}.json' for part in FEW)}]" for split in ("val", "test")),
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
    "all": ["--trainer.callbacks+=callbacks.SampleLogger"],
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


def whole(checkpoint: Path) -> dict[str, Any]:
    """A checkpoint, put together where it is a folder."""
    if checkpoint.is_dir():
        return _load_distributed_checkpoint(checkpoint)
    return torch.load(checkpoint, weights_only=True)


def first_moments(value: Any) -> Iterator[torch.Tensor]:
    """AdamW's in a checkpoint, to which gradients add as they were clipped; its steps hide how large they were."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from [part] if key == "exp_avg" else first_moments(part)


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    """By Lightning's own reader, not by the one of the export."""
    found = whole(checkpoint)
    named = found["state_dict"] if "state_dict" in found else found["model"]  # FSDP 1
    return {name.removeprefix("backbone."): value for name, value in named.items()}


@pytest.fixture(scope="module")
def runs(common, tmp_path_factory):
    """A function from a strategy (or None) and what trains to the folder of its run, trained once."""
    found: dict[tuple, Path] = {}

    def trained(strategy: str | None, trains: str) -> Path:
        if (strategy, trains) not in found:
            folder = tmp_path_factory.mktemp(f"{strategy}-{trains}")
            own = [*TWO[strategy], "--data.batch_size=6"] if strategy else ONE
            if strategy and trains == "adapters":  # must change nothing
                own += [f"--model.init_args.{name}.activation_checkpointing=true" for name in ("vision", "language")]
            run("fit", folder, *common, *TRAINS[trains], *own, world_size=2 if strategy else 1)
            found[strategy, trains] = folder
        return found[strategy, trains]

    return trained


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("strategy", "trains"),
    [
        ("ddp", "all"),
        ("ddp", "language"),
        ("ddp", "adapters"),
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
    norms = [[moment.norm().item() for moment in first_moments(whole(last_checkpoint(run)))] for run in (one, two)]
    assert len(norms[0]) == len(norms[1]) > 10
    assert sorted(norms[1]) == pytest.approx(sorted(norms[0]), rel=1e-3, abs=1e-7)
    videos = [[int(n) for n in (two / f"videos.{rank}.txt").read_text().split()] for rank in (0, 1)]
    assert any(bool(first) != bool(second) for first, second in zip(*videos, strict=True))


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("strategy", "trains"), [("fsdp", "adapters"), ("fsdp2", "all"), ("fsdp2", "adapters")])
def test_a_killed_run_goes_on_and_its_export_is_the_model(strategy, trains, runs, common, world_checkpoint, tmp_path):
    peace = runs(strategy, trains)
    own = [*common, *TRAINS[trains], *TWO[strategy], "--data.batch_size=6"]
    folder, last, out = tmp_path / "run", last_checkpoint(tmp_path / "run"), tmp_path / "model"
    run("fit", folder, *own, world_size=2, kill_at=last.with_name("one.ckpt"))
    run("fit", folder, *own, f"--ckpt_path={kept(last)}", world_size=2)
    losses, resumed = logged(peace, "train/loss"), logged(folder, "train/loss")
    assert 0 < len(resumed) < len(losses)
    assert resumed == losses[-len(resumed) :]
    trained, expected = weights(last), weights(last_checkpoint(peace))
    assert trained.keys() == expected.keys()
    assert all(torch.equal(trained[name], weight) for name, weight in expected.items())

    assert main(["export", f"--ckpt={last}", f"--out={out}", "--merge=true"]) == 0
    assert_export_is(out, replace(read_checkpoint(last), weights=expected), world_checkpoint)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_what_cannot_be_sharded_or_resumed_is_refused_by_both_ranks_in_a_sentence(runs, common, tmp_path):
    last = last_checkpoint(runs("fsdp2", "adapters"))
    broken = tmp_path / "broken.ckpt"
    shutil.copytree(last, broken)
    next(broken.glob("__1*.distcp")).unlink()
    own = [*common, *TRAINS["adapters"], *TWO["fsdp2"], "--data.batch_size=6"]
    rank = "--model.init_args.lora.rank=8"
    for number, (options, says) in enumerate(
        [
            ([f"--ckpt_path={last}", rank], "was saved in a run with model.lora.rank=16, this one has 8"),
            ([f"--ckpt_path={broken}"], f"{broken} cannot be read into this run's model"),
        ]
    ):
        folder = tmp_path / str(number)
        with pytest.raises(AssertionError, match=says):
            run("fit", folder, *own, *options, world_size=2)
        assert "Traceback" not in (folder / "fit.txt").read_text()


@torch.inference_mode()
def assert_export_is(out: Path, expected: TrainedWeights, base: Path) -> None:
    """Plain transformers computes from the export what the model that trained computes."""
    arguments = expected.arguments
    scopes = {name: Scope(**arguments[name]) for name in SCOPES}
    model = Backbone.load(str(base), **scopes, lora=Lora(**arguments["lora"])).eval()
    model.load_state_dict(expected.weights, strict=False)
    pad = model.config.video_token_id
    input_ids = torch.tensor([[5, 6, 7, *[pad] * 12, 8, 9, 10]])
    given = {
        "input_ids": input_ids,
        "mm_token_type_ids": 2 * (input_ids == pad).int(),
        "pixel_values_videos": torch.randn(48, 3 * 2 * 14 * 14, generator=torch.Generator().manual_seed(0)),
        "video_grid_thw": torch.tensor([[2, 4, 6]]),
        "second_per_grid_ts": torch.tensor([1.25]),
    }
    plain = Qwen2_5_VLForConditionalGeneration.from_pretrained(out, dtype=torch.float32).eval()
    logits, untrained = model.model(**given).logits, Backbone.load(str(base)).eval().model(**given).logits
    assert (plain(**given).logits - logits).abs().max() < 1e-4
    assert (untrained - logits).abs().max() > 1e-3


def results(folder: Path) -> tuple[dict[str, list[dict]], dict]:
    """Every line of every prediction file, and the scores, without their seconds and the checkpoint's hash."""
    files = sorted((folder / "results" / "videmo").glob("*.json"))
    lines = {
        file.name: [json.loads(line) for line in file.read_text().splitlines()]
        for file in files
        if file.name != "benchmark.json"
    }
    benchmark = json.loads((folder / "results" / "videmo" / "benchmark.json").read_text())
    del benchmark["generation"]["seconds_per_question"]
    benchmark["generation"].pop("checkpoint", None)
    return lines, benchmark


@pytest.fixture(scope="module")
def tested(runs, common, tmp_path_factory):
    """The options of a test, FSDP2's weights in one file, and what one process makes of them."""
    folder = tmp_path_factory.mktemp("tested")
    file = folder / "whole.ckpt"
    torch.save(whole(last_checkpoint(runs("fsdp2", "all"))), file)
    own = [*common, "--data.eval_batch_size=7", "--data.batch_size=6"]
    run("test", folder, *own, *ONE, f"--ckpt_path={file}")
    return own, file, results(folder)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("strategy", ["ddp", "fsdp2", "fsdp"])
def test_two_ranks_have_the_predictions_and_scores_of_one(strategy, tested, runs, tmp_path):
    """From the same weights: those that FSDP2 trained, which it reads from its folder, and others from one file."""
    own, file, (one, scores) = tested
    read = last_checkpoint(runs("fsdp2", "all")) if strategy == "fsdp2" else file
    run("test", tmp_path, *own, *TWO[strategy], f"--ckpt_path={read}", world_size=2)
    two, scores_of_two = results(tmp_path)
    assert scores == scores_of_two
    assert one.keys() == two.keys()
    for name, lines in one.items():
        assert len(lines) == len(two[name])
        for line, other in zip(lines, two[name], strict=True):
            assert line["logprobs"] == pytest.approx(other["logprobs"], abs=1e-4)
            assert {**line, "logprobs": None} == {**other, "logprobs": None}


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


def test_a_checkpoint_is_written_to_its_place_and_no_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "mkstemp", None)
    trainer = L.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(L.LightningModule())
    save_whole(trainer, tmp_path / "run" / "last.ckpt", weights_only=True)
    assert torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["global_step"] == 0
    with pytest.raises(InputError, match=r"/dev/full cannot be written \(.*\); is its disk full"):
        DirectIO().save_checkpoint({"weight": torch.zeros(10**6)}, "/dev/full")


def test_a_folder_is_refused_where_it_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="no whole checkpoint for FSDP2"):
        check_kind(tmp_path, FSDP2())
    torch.save({"strategy": "FSDP2"}, tmp_path / "meta.pt")
    check_kind(tmp_path, FSDP2())
    with pytest.raises(InputError, match="was written by FSDP2, and this run's strategy is FSDP;"):
        check_kind(tmp_path, FSDP())
    with pytest.raises(InputError, match="is one file, of a strategy that does not shard, and FSDP2 reads folders"):
        check_kind(tmp_path / "meta.pt", FSDP2())
    with pytest.raises(InputError, match="no whole checkpoint for SingleDeviceStrategy; give the strategy that wrote"):
        check_kind(tmp_path, SingleDeviceStrategy())


@pytest.mark.parametrize("strategy", [SingleDeviceStrategy, FSDP2])
@pytest.mark.parametrize(
    "file, says",
    [
        ("config.json", "is a model, and no run's checkpoint; give it as --model.init_args.checkpoint"),
        ("adapter_config.json", "it is an adapter: export its run with --merge=true, and give that as --model.init"),
    ],
)
def test_a_model_is_no_checkpoint(file, says, strategy, tmp_path):
    (tmp_path / file).touch()
    with pytest.raises(InputError, match=says):
        check_kind(tmp_path, strategy())


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("trains", ["all", "adapters"])
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_each_overlay_fits_resumes_tests_and_exports_on_gpus(overlay, trains, common, world_checkpoint, tmp_path):
    if "deepspeed" in overlay.stem:
        pytest.importorskip("deepspeed")
    devices = 1 if overlay.stem == "one_gpu" else torch.cuda.device_count()
    own = [*common, *TRAINS[trains], f"--config=configs/trainer/{overlay.name}", f"--trainer.devices={devices}"]
    own += ["--data.batch_size=2", f"--data.global_batch_size={4 * devices}", "--trainer.precision=32-true"]
    peace, folder, out = tmp_path / "peace", tmp_path / "run", tmp_path / "model"
    last = last_checkpoint(folder)
    run("fit", peace, *own, "--trainer.max_steps=8", world_size=devices)
    run("fit", folder, *own, "--trainer.max_steps=8", world_size=devices, kill_at=last)
    run("fit", folder, *own, "--trainer.max_steps=8", f"--ckpt_path={kept(last)}", world_size=devices)
    losses, resumed = logged(peace, "train/loss"), logged(folder, "train/loss")
    assert 0 < len(resumed) < len(losses) == 8
    assert resumed == pytest.approx(losses[-len(resumed) :], rel=1e-3)

    run("test", folder, *own, f"--ckpt_path={last}", world_size=devices)
    lines, _ = results(folder)
    assert sum(map(len, lines.values())) > 0
    assert main(["export", f"--ckpt={last}", f"--out={out}", "--merge=true"]) == 0
    assert_export_is(out, read_checkpoint(last), world_checkpoint)

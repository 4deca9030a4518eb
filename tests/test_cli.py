"""The command line as a user meets it: real processes, what they print, and how they end."""

import json
import os
import re
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

import videmo
from videmo.cli import COMMANDS, load, main
from videmo.trainer import _with_shipped_configs

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = sorted(ROOT.glob("configs/**/*.yaml"))


def run(*args, cwd=None):
    """Exit status, standard output and standard error of ``videmo args``."""
    command = [sys.executable, "-m", "videmo.cli", *map(str, args)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=300)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def sft(world, world_checkpoint, tmp_path_factory):
    """The options that put the demo's config on the small world."""
    folder = tmp_path_factory.mktemp("run")
    return [
        "--config=configs/demo/sft.yaml",
        f"--trainer.default_root_dir={folder}",
        f"--model.init_args.checkpoint={world_checkpoint}",
        f"--data.root={world}",
        "--data.video.min_pixels=3136",
        "--data.video.max_pixels=3136",
    ]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: str(c.relative_to(ROOT)))
def test_every_shipped_config_says_how_to_launch_it_and_builds(config, capsys):
    first = config.read_text().splitlines()[0]
    assert first.startswith("# videmo "), "the first line is the command that launches it"
    command = first.removeprefix("# videmo ").split()
    assert f"configs/{config.relative_to(ROOT / 'configs')}" in first
    with pytest.raises(SystemExit) as stop:
        main([*command, "--print_config"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert "class_path: videmo.training." in printed
    assert "${" not in printed, "an interpolation was left unresolved"


def test_a_shipped_config_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    args = _with_shipped_configs(["fit", "--config", "configs/demo/sft.yaml", "--config=configs/demo/sft.yaml"])
    assert args[2] == str(ROOT / "configs/demo/sft.yaml")
    assert args[3] == f"--config={ROOT / 'configs/demo/sft.yaml'}"


@pytest.mark.slow
def test_fit_then_test_write_what_they_promise(sft, capsys):
    folder = Path(sft[1].split("=")[1])
    code, said, errors = run("fit", *sft, "--trainer.max_steps=3")
    assert code == 0, errors
    checkpoint = folder / "checkpoints" / "last.ckpt"
    assert f"the weights are in {checkpoint}: --ckpt_path=last takes them" in said
    assert torch.load(checkpoint, weights_only=True)["global_step"] == 3
    assert "Failed to load" not in errors
    assert main(["fit", *sft, "--trainer.max_steps=3"]) == 1
    assert "holds a run already: resume it with --ckpt_path=" in capsys.readouterr().err
    assert main(["test", *sft, f"--ckpt_path={checkpoint}", "--model.init_args.max_new_tokens=4"]) == 0
    said = capsys.readouterr().out
    assert "head_pose" in said and f"predictions and benchmark.json of {checkpoint} are in" in said
    result = json.loads((folder / "results" / "videmo" / "benchmark.json").read_text())
    assert set(result["columns"]) >= {"emotion_single", "head_pose", "identity", "appearance_cls", "action_unit"}
    assert {"counts", "unparsed", "blind"} <= set(result)


EVERY_STEP = [
    "--trainer.max_steps=12",
    "--trainer.log_every_n_steps=1",
    "--data.batch_size=8",
    '--data.curriculum=[{"name": "one", "mix": {"head_pose": 1, "gender": 1}, "steps": 12}]',
]


@pytest.mark.slow
def test_tensorboard_holds_loss_rate_throughput_and_pictures(sft, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert main(["fit", *sft, f"--trainer.default_root_dir={tmp_path}", *EVERY_STEP]) == 0
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    scalars = events.Tags()["scalars"]
    assert {"train/loss", "val/loss", "val/exact", "val_stage/one_loss", "stage"} <= set(scalars)
    assert any(tag.startswith("lr-") for tag in scalars)
    assert any("samples_per_sec" in tag for tag in scalars)
    assert any(tag.startswith("samples/") for tag in events.Tags()["images"])


ONE_STEP = ["--trainer.max_steps=1", "--trainer.callbacks=[]"]


def test_bad_input_ends_in_one_sentence(sft, world, tmp_path, capfd):
    train = world / "jsons/train/attribute/full/MEAD_Head-Pose.json"
    records = json.loads(train.read_text())
    absent = [{**records[0], "videos": ["DrawnFaces/train/none.mp4"]}, records[1]]
    unknown = [records[0], {**records[1], "source": "MEAD_Head-Poes"}]
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")
    cases = {
        "absent.json": (
            json.dumps(absent, indent=None),
            r"absent.json:1: no video .*none.mp4; get it",
        ),
        "malformed.json": (json.dumps(records[0]) + "\n{oops\n", r"malformed.json:2: not valid JSON"),
        "source.json": ("\n".join(json.dumps(r) for r in unknown), r"source.json:2: .*MEAD_Head-Poes.*MEAD_Head-Pose"),
        "broken.json": (json.dumps([{**records[0], "videos": [str(broken)]}]), r"broken.json:1: .*broken.mp4"),
    }

    for name, (text, says) in cases.items():
        (tmp_path / name).write_text(text)
        own = [f"--trainer.default_root_dir={tmp_path / f'run of {name}'}", f"--data.train=[{tmp_path / name}]"]
        own.append("--data.allow_outside_root=true")
        command = ["fit", *sft, *own, "--data.curriculum=null", *ONE_STEP]
        if name == "broken.json":  # the one that a worker finds, in a process to its end
            code, _, errors = run(*command)
        else:
            code, errors = main(command), capfd.readouterr().err
        lines = [line for line in errors.splitlines() if line.startswith("videmo: ")]
        assert code == 1, errors
        assert len(lines) == 1 and re.search(says, lines[0]), errors
        assert "Traceback" not in errors, errors


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (
            ["fit", "--config=configs/demo/sft.yaml", "--trainer.max_stpes=5"],
            "(did you mean --trainer.max_steps?)",
        ),
        (["fit", "--config=configs/demo/sft.yaml", "--model.init_args.learning_rtae=1"], "learning_rtae"),
        (["fit", "--config=configs/demo/none.yaml"], "none.yaml"),
        (["synth", "out", "--vidoes=3"], "--vidoes=3 (did you mean --videos?)"),
        (["fit", "--config=configs/demo/sft.yaml", "--trainer.max_step=5"], "max_step=5"),
        (["synth", "out", "--preset=demo-v1", "--work=3"], "work"),
        (["tset"], "no command tset (did you mean test?); there are"),
    ],
)
def test_a_misspelt_option_is_refused_by_name(args, says, capsys):
    try:
        code = main(args)
    except SystemExit as stop:
        code = stop.code
    assert code != 0
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--model.init_args.learning_rate=-1", "learning_rate must be above 0, got -1.0"),
        ("--model.init_args.vision.learning_rate=.nan", "vision.learning_rate must be above 0, got nan"),
        ("--model.init_args.warmup_ratio=5", "warmup_ratio is a share of the steps, from 0 to 1; got 5.0"),
        ("--model.init_args.adam_beta2=1", "adam_beta2 is from 0 to below 1; got 1.0"),
        ("--model.init_args.weight_decay=-1", "weight_decay must be 0 or more, got -1.0"),
        ("--model.init_args.max_new_tokens=0", "max_new_tokens must be at least 1, got 0"),
        ("--model.init_args.lora.rank=0", "lora.rank must be at least 1, got 0"),
        ("--trainer.max_steps=-2", "`max_steps` must be a non-negative integer or -1"),
        ("--model.init_args.lora.alpha=-3", "lora.alpha must be above 0, got -3.0"),
        ("--trainer.accumulate_grad_batches=0", "trainer.accumulate_grad_batches must be above 0, got 0"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_in_one_line(option, says, sft, capsys):
    assert main(["fit", *sft, option]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"videmo: {says}")


@pytest.mark.skipif(find_spec("deepspeed") is not None, reason="DeepSpeed is installed")
def test_a_strategy_whose_package_lacks_is_named(sft, capsys):
    assert main(["fit", *sft, "--config=configs/trainer/deepspeed_zero2.yaml"]) == 1
    assert "videmo: trainer.strategy is DeepSpeed's, which is not installed" in capsys.readouterr().err


def test_a_run_is_not_written_over_nor_into(sft, tmp_path, capsys):
    own = f"--trainer.default_root_dir={tmp_path}"
    (tmp_path / "curriculum.json").write_text("{}")
    assert main(["fit", *sft, own]) == 1
    assert "the best weights of a run's stages (curriculum.json), though not its last.ckpt" in capsys.readouterr().err
    (tmp_path / "curriculum.json").unlink()
    holds = f"from videmo.training.checkpoints import hold; held = hold({str(tmp_path)!r}); print(); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", holds], cwd=ROOT, **pipes) as other:
        other.stdout.readline()
        assert main(["fit", *sft, own]) == 1
        assert f"another run is writing into {tmp_path} (process {other.pid} on" in capsys.readouterr().err
        other.communicate(b"\n")
    (tmp_path / "checkpoints").touch()
    assert main(["fit", *sft, own]) == 1
    assert f"videmo: {tmp_path}/checkpoints: File exists" in capsys.readouterr().err


def test_a_synth_without_workers_is_refused(tmp_path, capsys):
    assert main(["synth", str(tmp_path / "data"), "--videos=60", "--workers=0"]) == 1
    assert "--workers must be at least 1, got 0" in capsys.readouterr().err


def test_the_last_checkpoint_is_that_of_the_runs_folder(tmp_path, capsys):
    options = ["--config=configs/demo/sft.yaml", f"--trainer.default_root_dir={tmp_path}", "--ckpt_path=last"]
    assert main(["fit", *options]) == 1
    assert f"no checkpoint {tmp_path}/checkpoints/last.ckpt" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.usefixtures("heard_interrupts")
def test_a_signal_while_libraries_are_loaded_leaves_no_trace(number, code, tmp_path):
    loading = "import time\ntry:\n    print('loading', flush=True)\n    time.sleep(60)\nexcept BaseException:\n    pass"
    (tmp_path / "torch.py").write_text(loading)  # swallows what a signal raises, as numpy does
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "videmo", "doctor"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes) as running:
        assert running.stdout.readline() == "loading\n"
        running.send_signal(number)
        errors = running.stderr.read()
    assert running.returncode == code and "Traceback" not in errors


def test_missing_data_and_model_are_named(tmp_path, capsys):
    common = [
        "fit",
        "--config=configs/demo/sft.yaml",
        f"--trainer.default_root_dir={tmp_path}",
        f"--data.root={tmp_path}/no",
    ]
    assert main(common) == 1
    assert f"no data folder {tmp_path}/no" in capsys.readouterr().err


def test_a_missing_or_broken_checkpoint_is_named(world, world_checkpoint, tmp_path, capsys):
    common = [
        "--config=configs/demo/sft.yaml",
        f"--trainer.default_root_dir={tmp_path}",
        f"--data.root={world}",
    ]
    model = f"--model.init_args.checkpoint={world_checkpoint}"
    assert main(["test", *common, model, f"--ckpt_path={tmp_path}/none.ckpt"]) == 1
    assert f"no checkpoint {tmp_path}/none.ckpt" in capsys.readouterr().err
    (tmp_path / "text.ckpt").write_text("hello")
    assert main(["test", *common, model, f"--ckpt_path={tmp_path}/text.ckpt"]) == 1
    assert "text.ckpt is not a torch checkpoint" in capsys.readouterr().err
    for name, content, says in (
        ("weights.ckpt", {"model.weight": torch.ones(2)}, "weights.ckpt is a torch file, but no checkpoint of"),
        ("code.ckpt", {"state_dict": Path}, "code.ckpt cannot be read as a checkpoint of plain values and tensors"),
        (
            "stage.ckpt",
            {"state_dict": {}, "pytorch-lightning_version": "2"},
            "stage.ckpt holds the best weights of a stage, and nothing of the optimizer",
        ),
    ):
        torch.save(content, tmp_path / name)
        assert main(["fit", *common, model, f"--ckpt_path={tmp_path / name}"]) == 1
        assert says in capsys.readouterr().err


@pytest.mark.slow
def test_controls_stand_beside_the_scores(sft, capsys):
    folder = Path(sft[1].split("=")[1])
    options = [
        "--data.controls=[blank,shuffled]",
        "--model.init_args.method=ours",
        "--model.init_args.max_new_tokens=2",
    ]
    assert main(["test", *sft, *options]) == 0
    printed = capsys.readouterr().out
    assert "head_pose" in printed and "shuffled" in printed
    result = json.loads((folder / "results" / "ours" / "benchmark.json").read_text())
    assert set(result["controls"]) == {"blank", "shuffled"}
    assert set(result["controls"]["blank"]) == set(result["columns"]) | set(result["extra"])
    assert (folder / "results" / "ours" / "blank" / "MEAD_Head-Pose.json").is_file()
    assert result["data"]["name"] == "data" and len(result["data"]["content"]) == 16


def test_a_preset_is_frozen(capsys, tmp_path):
    assert main(["synth", str(tmp_path / "w"), "--preset=demo-v1", "--seed=3"]) == 1
    assert "give --preset or --seed" in capsys.readouterr().err
    assert main(["synth", str(tmp_path / "w"), "--preset=demo-v9"]) == 1
    assert "there are demo-v1, bench-v1" in capsys.readouterr().err


def test_an_empty_run_has_no_report(capsys, tmp_path):
    assert main(["report", str(tmp_path)]) == 1
    assert str(tmp_path) in capsys.readouterr().err


def test_overview_and_version(capsys):
    assert main(["--help"]) == main([]) == main(["--version"]) == 0
    printed = capsys.readouterr().out
    for name in (*COMMANDS, videmo.__version__):
        assert name in printed


def test_every_command_has_its_function():
    assert all(callable(load(command)) for command in COMMANDS)


def test_a_command_that_needs_no_model_starts_without_the_libraries_of_models():
    """They take seconds to load."""
    loads = "import sys; from videmo.cli import load; [*map(load, sys.argv[1:])]; print(*sys.modules)"
    command = [sys.executable, "-c", loads, "check", "curate", "stats", "synth", "tables"]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert "videmo.stats.command" in loaded
    assert not {"torch", "lightning", "torchmetrics", "transformers", "openai"} & {*loaded}

"""``videmo plan`` as a user meets it."""

import json

import pytest

from videmo.cli import main

SMALL = ["--data.video.min_pixels=3136", "--data.video.max_pixels=3136"]


def test_a_published_size_without_data_or_weights(capsys, tmp_path):
    out = tmp_path / "plan.json"
    args = ["plan", "--config=configs/sft.yaml", "--model.init_args.checkpoint=random:3b", f"--data.root={tmp_path}/no"]
    assert main([*args, "--gpu_memory=24", f"--json={out}", "--trainer.devices=1"]) == 1
    printed = capsys.readouterr().out
    assert "3,754,622,976" in printed and "does not fit" in printed and "configs/qlora.yaml" in printed
    assert max(map(len, printed.splitlines())) <= 100
    made = json.loads(out.read_text())
    assert sum(made["trained"].values()) == 3_754_622_976
    assert not made["fits"] and made["memory"]["weights"] == 4 * 3_754_622_976
    assert made["workload"]["micro_batches"] == 128


@pytest.mark.slow
def test_tokens_and_steps_are_those_of_the_data(world, world_checkpoint, capsys, tmp_path):
    out = tmp_path / "plan.json"
    args = ["plan", "--config=configs/demo/sft.yaml", f"--model.init_args.checkpoint={world_checkpoint}", *SMALL]
    assert main([*args, f"--data.root={world}", "--gpu_memory=24", f"--json={out}", "--trainer.devices=1"]) == 0
    assert "It fits" in capsys.readouterr().out
    made = json.loads(out.read_text())
    stages = {stage["name"]: stage["steps"] for stage in made["workload"]["stages"]}
    assert list(stages) == ["looking", "attribute", "expression", "emotion"]
    assert all(steps > 0 for steps in stages.values())
    assert made["workload"]["samples"] <= 64


def test_own_options_are_checked(capsys):
    assert main(["plan", "--config=configs/sft.yaml", "--gpu_memory=-1"]) == 1
    assert "--gpu_memory must be above 0, got -1" in capsys.readouterr().err
    assert main(["plan", "--config=configs/sft.yaml", "--mfu=35"]) == 1
    assert "--mfu is a share of the peak, up to 1; got 35" in capsys.readouterr().err


FSDP2 = ["--config=configs/trainer/fsdp2.yaml", "--trainer.devices=2", "--trainer.accelerator=cpu"]
LORA = ["--config=configs/lora.yaml"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([*LORA, "--config=configs/qlora.yaml", *FSDP2], "4-bit weights cannot be sharded"),
        ([*LORA, "--model.init_args.optimizer=adamw_8bit", *FSDP2], "adamw_8bit cannot update what FSDP2 shards"),
        ([*LORA, "--model.init_args.language.mode=frozen"], "nothing trains"),
        (["--model.init_args.attn_implementation=bogus"], "'bogus' cannot attend over trees; use sdpa, flex_attention"),
        (["--trainer.devices=0"], "a number from 1 or a list of devices, and trainer.num_nodes a number from 1; got 0"),
        (["--trainer.devices=-5"], "got -5 and 1"),
        (["--data.curriculum=[{name: one, epochs: 1, steps: 5}]"], "stage 'one': give either epochs or steps"),
    ],
)
def test_what_fit_refuses_is_not_planned(options, says, world_checkpoint, tmp_path, capsys):
    common = [f"--model.init_args.checkpoint={world_checkpoint}", f"--data.root={tmp_path}/no"]
    assert main(["plan", "--config=configs/sft.yaml", *options, *common]) == 1
    assert says in capsys.readouterr().err


def test_the_memory_of_eager_attention_is_not_guessed(world_checkpoint, tmp_path, capsys):
    args = [f"--model.init_args.checkpoint={world_checkpoint}", "--model.init_args.attn_implementation=eager"]
    assert main(["plan", "--config=configs/sft.yaml", f"--data.root={tmp_path}/no", *args]) == 1
    assert "no plan knows how much that is; use sdpa or flex_attention" in " ".join(capsys.readouterr().err.split())


def test_time_is_that_of_the_models_operations_at_the_assumed_utilisation(tmp_path):
    out, found = tmp_path / "plan.json", []
    args = ["--config=configs/sft.yaml", "--model.init_args.checkpoint=random:3b", f"--data.root={tmp_path}/no"]
    for more in ([], ["--model.init_args.attn_implementation=flex_attention"], ["--config=configs/lora.yaml"]):
        main(["plan", *args, *more, "--peak_tflops=100", "--mfu=0.5", f"--json={out}", "--trainer.devices=1"])
        found.append(json.loads(out.read_text()))
    whole, flex, lora = (made["time"] for made in found)
    assert flex["flops"] == whole["flops"] > lora["flops"]  # a mask that hides costs time, which is the utilisation's
    assert whole["seconds"] == pytest.approx(128 * whole["flops"] / (0.5 * 100e12))

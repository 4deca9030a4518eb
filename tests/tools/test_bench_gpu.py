"""The tool that measures at real size, on two narrow layers: both ways train alike, and it says what it promises."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

TOOL = Path(__file__).resolve().parents[2] / "tools" / "bench_gpu.py"


@pytest.fixture
def tool(monkeypatch):
    spec = importlib.util.spec_from_file_location(TOOL.stem, TOOL)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, TOOL.stem, module)  # dataclasses look their module up
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec.loader.exec_module(module)
    return module


def test_the_plain_loop_sends_no_gradients_through_a_frozen_tower(tool):
    row, config = tool.ROWS["3b-lora"], tool.config_of("3b", tiny=True)
    batch = tool.make_batch(config, 1, tool.SMALL_GRID)
    model = tool.make_model(row, config, "cpu")
    learns = []
    model.model.visual.patch_embed.register_forward_hook(lambda module, args, out: learns.append(out.requires_grad))
    _, plain = tool.plain_step(row, model, batch)
    _, ours = tool.our_step(row, "ours-sdpa", tool.make_model(row, config, "cpu"), batch)
    assert float(plain()) == pytest.approx(float(ours()), abs=2e-3)
    assert learns == [False]


def test_operations_of_the_plain_loop_are_those_that_torch_counts(tool, monkeypatch):
    row, config = tool.ROWS["3b-full"], tool.config_of("3b", tiny=True)
    batch = tool.make_batch(config, 1, tool.SMALL_GRID)
    model = tool.make_model(row, config, "cpu")
    monkeypatch.setattr(model, "gradient_checkpointing_enable", lambda *_: None)  # nothing is computed twice
    _, step = tool.plain_step(row, model, batch)
    with FlopCounterMode(display=False, depth=9) as counter:
        step()
    modes = {name: scope.mode for name, scope in row.scopes.items()}
    shape, work = tool.Shape.of(config), tool.plain_work(batch, config.video_token_id)
    expected, headless = (tool.count_flops(shape, of, modes) for of in (work, replace(work, learned=0)))
    found = {name: sum(counts.values()) for name, counts in counter.get_flop_counts().items()}
    assert next(count for name, count in found.items() if name.endswith(".lm_head")) == expected - headless
    assert found["Global"] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("way", ["ours-sdpa", "plain"])
def test_gradients_are_cleared_between_forward_and_backward_outside_autocast(way, tool):
    row, config = tool.Row("3b", "lora", clips=2), tool.config_of("3b", tiny=True)
    batch = tool.make_batch(config, row.clips, tool.SMALL_GRID)  # two micro-batches of the plain loop
    model = tool.make_model(row, config, "cpu")
    module, step = tool.plain_step(row, model, batch) if way == "plain" else tool.our_step(row, way, model, batch)
    weight = next(p for name, p in module.named_parameters() if "lora_B" in name)
    old, held, inside = torch.full_like(weight, 1e6), [], []
    weight.grad = old
    model.model.language_model.register_forward_hook(lambda *_: held.append(weight.grad is old))
    weight.register_hook(lambda gradient: inside.append(torch.is_autocast_enabled("cpu")))
    found = []
    for _ in range(2):
        torch.manual_seed(1)  # of dropout
        step()
        found.append(weight.grad.clone())
    assert held[0] and not any(inside)
    assert torch.equal(*found)  # the sum of all micro-batches, and of nothing else


@pytest.mark.slow
def test_ours_and_the_plain_loop_train_alike(tool, monkeypatch, capsys):
    options = ["--tiny", "--steps=1", "--rows", "3b-full", "--ways", "ours", "plain"]
    monkeypatch.setattr(sys, "argv", [str(TOOL), *options])
    tool.main()  # which starts a process for each way, and one for the tower
    result = json.loads(capsys.readouterr().out)
    ways = result["rows"]["3b-full"]
    assert ways["ours"]["losses"] == pytest.approx(ways["plain"]["losses"], abs=1e-3)
    assert all(way["samples_per_second"] > 0 for way in ways.values())
    assert ways["ours"]["planned"]["peak_gb"] > ways["ours"]["planned"]["allocated_gb"] > 0
    assert result["vision"].keys() == {"1", "8"}


def test_what_takes_too_long_says_so(tool):
    found = tool.alone({"vision": 1, "steps": 1, "tiny": True}, 0.1)
    assert found == {"error": "took more than 0.1 s"}

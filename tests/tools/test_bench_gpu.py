"""The tool that measures at real size, on two narrow layers: both ways train alike, and it says what it promises."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "bench_gpu.py"


@pytest.mark.slow
def test_ours_and_the_plain_loop_train_alike(monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location(TOOL.stem, TOOL)
    tool = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, TOOL.stem, tool)  # dataclasses look their module up
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec.loader.exec_module(tool)
    options = ["--tiny", "--steps=1", "--rows", "3b-full", "--ways", "ours", "plain"]
    monkeypatch.setattr(sys, "argv", [str(TOOL), *options])
    tool.main()  # which starts a process for each way, and one for the tower
    result = json.loads(capsys.readouterr().out)
    ways = result["rows"]["3b-full"]
    assert ways["ours"]["losses"] == pytest.approx(ways["plain"]["losses"], abs=1e-3)
    assert all(way["samples_per_second"] > 0 for way in ways.values())
    assert ways["ours"]["planned"]["peak_gb"] > ways["ours"]["planned"]["allocated_gb"] > 0
    assert result["vision"].keys() == {"1", "8"}

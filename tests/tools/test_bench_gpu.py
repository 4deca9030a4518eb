"""The tool that measures at real size, on two narrow layers: both ways train alike, and it says what it promises."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_ours_and_the_plain_loop_train_alike():
    options = ["--tiny", "--steps=1", "--rows", "3b-full", "--ways", "ours", "plain"]
    command = [sys.executable, "tools/bench_gpu.py", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    ways = result["rows"]["3b-full"]
    assert ways["ours"]["losses"] == pytest.approx(ways["plain"]["losses"], abs=1e-3)
    assert all(way["samples_per_second"] > 0 for way in ways.values())
    assert ways["ours"]["planned"]["peak_gb"] > ways["ours"]["planned"]["allocated_gb"] > 0
    assert result["vision"].keys() == {"1", "8"}

"""SIGKILL at random points: the resumed run ends with the bits of one that was never killed (20 kills: the tool)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kills", "world_size", "strategy", "frozen"), [(2, 1, "ddp", True), (1, 2, "ddp", False), (1, 2, "fsdp2", True)]
)
def test_a_killed_run_ends_as_if_it_had_not_been(kills, world_size, strategy, frozen):
    tool = [sys.executable, "tools/kill_and_resume.py", f"--kills={kills}", f"--world_size={world_size}"]
    tool += [f"--strategy={strategy}", f"--frozen={frozen}", f"--lora={frozen}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(tool, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=560)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["kills"] == kills and result["identical"] and result["tensors"] > 50

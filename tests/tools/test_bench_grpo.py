"""The tool that measures GRPO steps, in small: both ways say the same of the same tokens, and it ends with JSON."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_shared_tree_and_the_plain_loop_say_the_same_of_what_was_drawn():
    command = [sys.executable, "tools/bench_grpo.py", "--quick", "--steps=2", "--turns=1", "--threads=1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    assert result["difference"] < 1e-4
    assert result["curve"].keys() == result["tokens"].keys() == {"4", "8"}
    assert result["tokens"]["8"] - result["tokens"]["4"] == 8 * 4  # completions have the length that was asked for
    if find_spec("trl"):
        assert result["trl_ratio"] > 0
    else:
        assert result["trl_ratio"] is None and "not installed" in result["trl_reason"]

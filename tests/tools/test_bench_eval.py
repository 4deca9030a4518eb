"""The tool that measures answering, in small: both ways say the same, and it ends with one line of JSON."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_both_ways_give_the_same_answers():
    command = [sys.executable, "tools/bench_eval.py", "--quick", "--clips=3", "--rounds=1", "--batch=8"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    assert result["identical"] and result["different"] == []
    assert 0 < result["stopped"] < result["questions"] == 15  # some answers end by themselves, some by the limit
    assert result["speedup"] > 0 and result["speedup_decode_shared"] > 0

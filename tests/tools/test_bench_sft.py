"""The tool that measures sharing and caching, in small: it runs, and says what it promises."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_quick_run_ends_with_one_line_of_json():
    command = [sys.executable, "tools/bench_sft.py", "--quick", "--threads=1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=580)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    assert result["speedup"] > 0 and result["ceiling"] > 1
    assert result["speedup_by_stage"].keys() == {"attribute", "expression", "emotion"}
    assert result["speedup_cached"].keys() == result["hit_rate"].keys() == {"0.1", "1.0"}
    assert result["hit_rate"] == {"0.1": 0.1, "1.0": 1.0}
    curve = result["learning_curve"]
    assert len(curve["samples"]) == len(curve["shared"]) == len(curve["plain"]) == 2

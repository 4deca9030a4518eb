"""The tool that measures a search runs, and plain transformers draws the same candidates."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_plain_transformers_draws_the_same_candidates():
    options = ["--n", "2", "--rounds", "1", "--threads", "1", "--hidden", "64", "--layers", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "tools/bench_reason.py", *options], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["identical"] and result["different"] == 0 and result["speedup"] > 0

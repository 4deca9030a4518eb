"""Runs a tool as a user does."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def result_of(tool: str, *options: str, timeout: float = 280) -> dict:
    """The one line of JSON that a tool prints."""
    command = [sys.executable, f"tools/{tool}.py", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return json.loads(line)

"""SIGKILL at random points: the resumed run ends with the bits of one that was never killed (20 kills: the tool)."""

import importlib
import json
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parent.parent.parent / "tools"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kills", "world_size", "strategy", "frozen"), [(2, 1, "ddp", True), (1, 2, "ddp", False), (1, 2, "fsdp2", True)]
)
def test_a_killed_run_ends_as_if_it_had_not_been(kills, world_size, strategy, frozen, monkeypatch, capsys):
    monkeypatch.syspath_prepend(TOOLS)  # the processes of a run import it, too
    tool = importlib.import_module("kill_and_resume")
    status = tool.main(kills, world_size, frozen=frozen, lora=frozen, strategy=strategy)
    printed = capsys.readouterr()
    assert status == 0, printed.err[-3000:] + printed.out
    result = json.loads(printed.out.splitlines()[-1])
    assert result["kills"] >= kills and result["resumed"] and result["identical"] and result["tensors"] > 50

"""The tool that measures edit distances, in small: the libraries agree with ours, and it ends with one line of JSON."""

import json
import random
import runpy
import sys
from pathlib import Path

TOOL = str(Path(__file__).resolve().parents[2] / "tools" / "bench_ted.py")


def test_all_three_ways_agree_on_every_size(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [TOOL, "--pairs=6", "--nodes=12", "--turns=1", "--curve_pairs=1"])
    runpy.run_path(TOOL, run_name="__main__")
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["different"] == 0
    assert result["speedup_zss"] > 0 and result["speedup_apted"] > 0
    assert all(list(curve) == ["5", "10", "20", "31", "60", "120"] for curve in result["curve"].values())


def test_its_trees_have_the_levels_of_captions():
    tool = runpy.run_path(TOOL)
    labels = tool["labels_by_level"]()
    tree = tool["random_tree"](random.Random(0), 31, labels)
    assert tree.size == 31 and tree.label == "video"
    assert all(person.label in labels[0] and person.aspect == "person" for person in tree.children)
    assert all(emotion.aspect == "emotion" for person in tree.children for emotion in person.children)

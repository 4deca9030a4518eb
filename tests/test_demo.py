"""The whole path, small: two runs of the demo over one folder."""

import json

import pytest

from videmo.cli import main


@pytest.mark.slow
def test_the_demo_ends_with_a_table_and_a_second_run_keeps_what_is_there(tmp_path, capsys):
    out = tmp_path / "demo"
    assert main(["demo", f"--out={out}", "--videos=40"]) == 0
    printed = capsys.readouterr().out
    result = json.loads((out / "results" / "after" / "benchmark.json").read_text())
    for column in (
        "emotion_single",
        "head_pose",
        "identity",
        "appearance_cls",
        "action_unit",
        "sentiment_single",
        "hair",
    ):
        assert column in printed
        assert 0 <= result["columns"][column] <= 100
        assert 0 <= result["blind"][column] <= 100
        low, high = result["intervals"][column]
        assert low <= result["columns"][column] <= high
        assert column in result["controls"]["blank"]
    assert result["extra"]["caption_rouge_l"]["score"] >= 0

    checkpoint = out / "checkpoints" / "last.ckpt"
    before = checkpoint.read_bytes()
    assert main(["demo", f"--out={out}", "--videos=40"]) == 0
    assert checkpoint.read_bytes() == before
    assert json.loads((out / "results" / "after" / "benchmark.json").read_text()) == result

    assert main(["demo", f"--out={out}", "--videos=44"]) == 1
    assert "videmo: " in capsys.readouterr().err

"""The whole path, small: two runs of the demo over one folder."""

import json
from pathlib import Path

import pytest
import yaml

from videmo import demo
from videmo.cli import main
from videmo.tasks import all_tasks

JUDGED = {"appearance_cap", "action_cap", "emotion_caption", "caption", "rationale"}
RARE = {"micro_expression", "conversation"}  # so small a world may have none to test


@pytest.fixture
def short(tmp_path, monkeypatch):
    """The demo's configs with an epoch a stage and short answers: a model that learned nothing never ends one."""
    for name in ("SFT", "GRPO"):
        config = yaml.safe_load(Path(getattr(demo, name)).read_text())
        config["model"]["init_args"] |= {
            "max_new_tokens": 12,
            **({"max_completion_length": 12} if name == "GRPO" else {}),
        }
        for stage in config["data"]["curriculum"]:
            stage["epochs"] = 1
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(config))
        monkeypatch.setattr(demo, name, str(tmp_path / f"{name}.yaml"))


@pytest.mark.parametrize(
    ("ending", "code", "said"), [(KeyboardInterrupt(), 130, "interrupted; "), (SystemExit(143), 143, "")]
)
def test_an_ended_demo_says_what_stays_in_one_sentence(tmp_path, monkeypatch, capsys, ending, code, said):
    def ended(*_):
        raise ending

    monkeypatch.setattr(demo, "_run", ended)
    try:
        found = main(["demo", f"--out={tmp_path}"])
    except SystemExit as left:
        found = left.code
    assert found == code
    said += f"what is in {tmp_path} stays, and the same command goes on from there"
    assert capsys.readouterr().err == f"videmo: {said}\n"


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_the_demo_ends_with_a_table_and_a_report_and_a_second_run_keeps_what_is_there(tmp_path, capsys):
    out = tmp_path / "demo"
    assert main(["demo", f"--out={out}", "--videos=60"]) == 0
    printed = capsys.readouterr().out
    result = json.loads((out / "results" / "demo" / "benchmark.json").read_text())
    for column in {task.column for task in all_tasks()} - JUDGED - RARE:
        assert column in printed
        assert 0 <= result["columns"][column] <= 100
        assert 0 <= result["blind"][column] <= 100
        low, high = result["intervals"][column]
        assert low <= result["columns"][column] <= high
        assert all(column in result["controls"][control] for control in ("blank", "swapped"))
    for column in JUDGED - {"rationale"}:
        assert result["extra"][f"{column}_rouge_l"]["score"] >= 0
        assert result["extra"][f"{column}_tree_f1"]["score"] >= 0
    stages = json.loads((out / "curriculum.json").read_text())["stages"]
    assert {"attribute", "expression", "emotion"} <= {stage["name"] for stage in stages}
    assert (out / "report.html").read_text().startswith("<!doctype html>")
    assert "7/7 reason about a clip" in printed and "rationale" in printed and [*(out / "trees").glob("*.png")]

    checkpoints = [run / "checkpoints" / "last.ckpt" for run in (out, out / "grpo")]
    before = [checkpoint.read_bytes() for checkpoint in checkpoints]
    assert main(["demo", f"--out={out}", "--videos=60"]) == 0
    assert [checkpoint.read_bytes() for checkpoint in checkpoints] == before
    again = json.loads((out / "results" / "demo" / "benchmark.json").read_text())
    for one in (result, again):
        del one["generation"]["seconds_per_question"]
    assert again == result

    assert main(["demo", f"--out={out}", "--videos=64"]) == 1
    assert "videmo: " in capsys.readouterr().err

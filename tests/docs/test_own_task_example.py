"""docs/own_task.md as a user follows it: the files as they stand there, checked, asked of a model, and scored."""

import json
import shutil

import pytest
import yaml
from documented import DOCS, texts, write_files

from videmo.cli import main
from videmo.data.curriculum import Stage
from videmo.tasks import find_task, unknown_selector, use_tasks_of


@pytest.fixture
def place(world, tmp_path, monkeypatch):
    """The page's files, with drawn clips by the names that its records have."""
    write_files(DOCS / "own_task.md", tmp_path)
    (tmp_path / "data/tension/videos").mkdir()
    for number, clip in enumerate(sorted(world.glob("videos/*/*/*.mp4"))[:4], start=1):
        shutil.copy(clip, tmp_path / f"data/tension/videos/p{number:02d}.mp4")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_records_can_be_used_and_the_answers_score_what_the_page_says(place, capsys):
    assert main(["check", "data/tension"]) == 0
    assert "all 6 records can be used" in capsys.readouterr().out
    assert main(["score", "results", "--data=data/tension"]) == 0
    found = json.loads((place / "results/mine/benchmark.json").read_text())
    assert found["columns"] == {"tension": 100.0, "gestures": 66.67}
    assert found["blind"] == {"tension": 50.0, "gestures": 66.67}
    printed, table = (
        [line.strip() for line in text.splitlines() if line.strip()]
        for text in (capsys.readouterr().out, texts(DOCS / "own_task.md", "text")[0])
    )
    assert printed[: len(table)] == table
    lines = [json.loads(line) for line in (place / "results/mine/scores.jsonl").read_text().splitlines()]
    assert [line["answer"] for line in lines] == [["points", "waves"], "tense", "calm"]


def test_a_model_is_tested_on_it_and_the_columns_are_in_its_result(place, world_checkpoint):
    options = ["--config=configs/demo/sft.yaml", "--config=configs/own.yaml", "--data.root=data/tension"]
    options += [f"--model.init_args.checkpoint={world_checkpoint}", "--trainer.default_root_dir=run"]
    assert main(["test", *options, "--model.init_args.max_new_tokens=4", "--trainer.logger=false"]) == 0
    found = json.loads((place / "run/results/videmo/benchmark.json").read_text())
    assert {name: counts["asked"] for name, counts in found["counts"].items()} == {"tension": 2, "gestures": 1}
    assert (place / "run/results/videmo/tasks.yaml").is_file()


def test_what_the_page_names_in_a_mix_and_a_reward_is_known(place):
    use_tasks_of(place / "data/tension")
    mixes = [yaml.safe_load(text) for text in texts(DOCS / "own_task.md", "yaml")[1:]]
    (stage,), (term,) = mixes[0]["data"]["curriculum"], mixes[1]["rewards"]
    assert unknown_selector([*Stage(**stage).mix, *term["tasks"]]) is None
    assert find_task("tension").parse("They are on edge.") == "tense"

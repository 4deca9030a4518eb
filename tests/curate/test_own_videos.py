"""From a folder of 30 clips and a table to scores, with a task of the user's own, as docs/curate.md has it."""

import json
import shutil

import pytest
from labelled import TENSION, draw_labelled, write_csv

from videmo.cli import main
from videmo.tasks import use_tasks
from videmo.training.checkpoints import last_checkpoint


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Clips with names of all kinds, their table and a file of tasks."""
    folder = tmp_path_factory.mktemp("own videos")
    write_csv(folder / "labels.csv", draw_labelled(folder / "clips", 30))
    (folder / "my_tasks.yaml").write_text(TENSION)
    return folder


@pytest.mark.slow
def test_thirty_clips_and_a_table_are_curated_checked_fitted_and_tested(place, capfd):
    data, run = place / "data", place / "run"
    labels = [f"--labels={place}/labels.csv", f"--tasks={place}/my_tasks.yaml"]
    assert main(["curate", str(place / "clips"), *labels, f"--out={data}"]) == 0
    assert main(["check", str(data)]) == 0
    curated = json.loads((data / "curation.json").read_text())
    records = sum(sum(of_split.values()) for of_split in curated["records"].values())
    assert f"all {records} records can be used" in capfd.readouterr().out and records > 400
    assert main(["tiny", str(data), str(place / "tiny"), "--hidden_size=64", "--pretrain_epochs=1"]) == 0
    options = [
        *("--config=configs/demo/sft.yaml", "--config=configs/own.yaml", f"--data.root={data}"),
        *(f"--model.init_args.checkpoint={place}/tiny", f"--trainer.default_root_dir={run}"),
    ]
    assert main(["fit", *options, "--trainer.max_steps=5"]) == 0
    use_tasks()
    ckpt = f"--ckpt_path={last_checkpoint(run)}"
    assert main(["test", *options, ckpt, "--model.init_args.max_new_tokens=8"]) == 0
    method = run / "results" / "videmo"
    said = capfd.readouterr().out
    assert " tension " in said and "Above blind: 0 of 0" not in said
    scores = json.loads((method / "benchmark.json").read_text())
    assert scores["counts"]["tension"]["asked"] == curated["clips"]["test"] and "tension" in scores["blind"]
    assert scores["files"]["tension"]["labels"] == ["calm", "uneasy", "tense"]

    # Whatever reads answers later knows the task from beside them.
    use_tasks()
    (place / "other").mkdir()
    shutil.copytree(method, place / "other" / "mine")
    shutil.move(data / "tasks.yaml", place / "tasks.yaml")
    assert main(["score", str(place / "other"), f"--out={place}/scored"]) == 0
    assert " tension " in capfd.readouterr().out and (place / "scored" / "tasks.yaml").is_file()
    use_tasks()
    assert main(["compare", str(method), str(place / "scored")]) == 0
    said = capfd.readouterr().out
    assert " tension " in said and "mean of columns" in said
    use_tasks()
    assert main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "your own tasks" in page and "tension" in page
    use_tasks()
    assert main(["tables", str(method)]) == 0
    assert "tension" not in capfd.readouterr().out, "the paper's tables have the paper's columns"
    shutil.move(place / "tasks.yaml", data / "tasks.yaml")
    assert main(["score", str(run / "results"), f"--data={data}"]) == 0

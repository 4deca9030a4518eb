"""The ablations: the paper's rows in its order, budgets that are equal, trainings that the command line takes."""

import csv
import json
import sys
from pathlib import Path

import pytest

from videmo.benchmark.graded import Graded
from videmo.cli import main
from videmo.data.curriculum import Stage
from videmo.tasks.spec import SCENARIOS

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))
import ablate  # noqa: E402
import scenarios  # noqa: E402

CEL = {
    "steps": 900,
    "seconds": 450.0,
    "stages": {"attribute": 400, "expression": 350, "emotion": 150},
    "mix": {"head_pose": 0.3, "caption": 0.2},
    "checkpoint": "cel.ckpt",
}
ATR = {**CEL, "steps": 60, "seconds": 75.0}
PACE = {**CEL, "steps": 200, "seconds": 120.0}


class Trained(ablate.Laboratory):
    """One whose models are trained already."""

    def __init__(self, run: Path) -> None:
        self.run, self.data = run, run / "data"

    def trained(self, model: str, seed: int) -> dict:
        return {"atr": ATR, "pace": PACE}.get(model, CEL)


def settings() -> list[str]:
    """All models that tables name, and the one that only says how long a step takes."""
    return [*dict.fromkeys(setting.model for rows in ablate.TABLES.values() for setting in rows), "pace"]


def given(options: list[str]) -> list[dict]:
    """The stages that options name."""
    named = [option.partition("=") for option in options]
    return [stage for name, _, value in named if name == "--data.curriculum" for stage in json.loads(value)]


def test_the_papers_rows_are_all_there_in_its_order():
    with ablate.PAPER.open() as stream:
        lines = list(csv.DictReader(stream))
    for line in lines:
        assert sum(float(line[name]) for name in SCENARIOS) / 3 == pytest.approx(float(line["average"]), abs=0.11)
    for name, rows in ablate.TABLES.items():
        published = [line["setting"] for line in lines if line["table"] == name]
        assert [setting.name for setting in rows][: len(published)] == published
        assert {setting.against for setting in rows} - {None} <= {setting.name for setting in rows}


@pytest.mark.parametrize("model", settings())
def test_a_recipe_is_a_training_that_the_command_line_takes(tmp_path, model, capsys):
    config, _, options = Trained(tmp_path).recipe(model, 0)
    for stage in given(options):
        Stage(**stage).check()
    with pytest.raises(SystemExit) as stop:
        main(["fit", f"--config={config}", *options, "--print_config"])
    assert stop.value.code == 0, capsys.readouterr().err


def test_every_model_of_table_8_takes_as_many_steps_as_the_curriculum(tmp_path):
    laboratory = Trained(tmp_path)
    for model in (*ablate.CEL, "shuffled", "two"):
        assert sum(stage["steps"] for stage in given(laboratory.recipe(model, 0)[2])) == CEL["steps"]


def test_more_sft_takes_as_long_as_grpo_and_its_records(tmp_path):
    (stage,) = given(Trained(tmp_path).recipe("more", 0)[2])
    assert stage["steps"] == 75.0 / (120.0 / 200) and stage["mix"] == ablate.QUERIES


@pytest.mark.parametrize(
    ("model", "rewards"), [("qa", ["QA"]), ("overlap", ["QA", "TreeOverlap"]), ("atr", ["QA", "Tree"])]
)
def test_a_reward_takes_the_place_of_another(tmp_path, model, rewards, capsys):
    config, _, options = Trained(tmp_path).recipe(model, 0)
    with pytest.raises(SystemExit):
        main(["fit", f"--config={config}", *options, "--print_config"])
    printed = capsys.readouterr().out
    assert [line.split(".")[-1] for line in printed.splitlines() if "class_path: videmo.rewards." in line] == [
        f"{name}Reward" for name in rewards
    ]


def test_scenarios_average_their_columns_and_understanding_is_the_facts():
    captions = "caption_test_sampling_v2_all_example"

    def test(pose, emotion, facts):
        return [
            *(Graded("MEAD_Head-Pose", n, ("a",), "?", "", "", None, {"head_pose": x}) for n, x in enumerate(pose)),
            *(
                Graded("MAFW_Multiple-Label-Emotion-Recognition", n, ("a",), "?", "", "", None, {"emotion_multi": x})
                for n, x in enumerate(emotion)
            ),
            *(Graded(captions, n, ("a",), "?", "", "", None, {"caption_facts": x}) for n, x in enumerate(facts)),
        ]

    a, b = test([1, 1, 0, 1], [0.5, 0.5], [0.4, 0.8]), test([1, 0, 0, 1], [0.5, 0.5], [0.2, 0.6])
    found = scenarios.differences(a, b, "caption_facts")
    assert [found[name]["score"] for name in SCENARIOS] == [75, 50, 60]
    assert [found[name]["difference"] for name in SCENARIOS] == [25, 0, 20]
    assert found["average"]["score"] == pytest.approx((75 + 50 + 60) / 3, abs=0.01)
    assert found["understanding"]["low"] == found["understanding"]["high"] == 20
    assert scenarios.over_seeds([a, b])[1].scores == {"head_pose": 0.5}


def test_a_table_and_its_picture_name_every_row():
    rows = [
        {
            "setting": setting.name,
            **dict.fromkeys(scenarios.FIGURES, 50.0),
            "against": setting.against,
            "difference": dict.fromkeys(scenarios.FIGURES, 1.5),
            "ci": {key: [-0.5, 3.5] for key in scenarios.FIGURES},
            "by_seed": [49.0, 51.0],
            "paper": dict.fromkeys(scenarios.FIGURES, 60.0) if number else None,
        }
        for number, setting in enumerate(ablate.TABLES["4"])
    ]
    blind = dict.fromkeys(scenarios.FIGURES, 30.0)
    text = ablate.markdown(rows, blind)
    assert text.splitlines()[-1].startswith("| without looking | 30.0 |")
    assert (
        "| CEL<br>against no component | 50.0<br>+1.5<br>[-0.5, +3.5]<br>paper 60.0 |" in text
        and "| 49.0<br>51.0 |" in text
    )
    assert "| no component | 50.0 |" in text
    with ablate.drawing("table4"):
        figure = ablate.picture(rows, blind)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [row["setting"] for row in rows]


def test_wrong_options_are_refused_before_anything_is_drawn(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    for options, says in (
        (["--seeds", "0", "0"], "--seeds names one twice"),
        ([f"--run={tmp_path / 'file'}"], f"--run: {tmp_path / 'file'} cannot be made: File exists"),
        ([f"--run={tmp_path / 'file' / 'run'}"], "cannot be made: Not a directory"),
    ):
        monkeypatch.setattr(sys, "argv", ["ablate.py", "--table=4", f"--run={tmp_path / 'run'}", *options])
        with pytest.raises(SystemExit) as stop:
            ablate.main()
        assert stop.value.code == 2 and says in capsys.readouterr().err

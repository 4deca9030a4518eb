"""Curves from event files, and the curriculum's stages."""

import json

import pytest
from made_up import stages, write_scalars

from videmo.errors import InputError
from videmo.report.curriculum import forgetting_table, read_curriculum, stage_bands
from videmo.report.curves import MAX_POINTS, curve_panels, read_scalars


def test_curves_are_what_was_logged(whole_run):
    panels = {panel["name"]: panel["series"] for panel in curve_panels(read_scalars(whole_run))}
    assert list(panels) == ["loss", "answers exactly right", "learning rate"]
    assert [series["name"] for series in panels["loss"]] == ["train", "mean of the tasks", "head_pose"]
    assert panels["loss"][0]["steps"] == list(range(0, 100, 10))
    assert panels["loss"][0]["values"][2] == pytest.approx(1.0)


def test_bookkeeping_is_not_drawn_and_one_schedule_of_several_groups_is_drawn_once(tmp_path):
    same, other = [(1, 0.1), (2, 0.05)], [(1, 0.2), (2, 0.1)]
    rates = {"lr-Joined/pg1": same, "lr-Joined/pg2": same, "lr-AdamW/vision": other}
    write_scalars(tmp_path / "tensorboard", {"train/loss": same, "test/time": same, "train/samples": same, **rates})
    panels = {
        panel["name"]: [series["name"] for series in panel["series"]] for panel in curve_panels(read_scalars(tmp_path))
    }
    assert panels == {"loss": ["train"], "learning rate": ["AdamW/vision", "Joined/pg1"]}


def test_a_grpo_run_has_panels_of_its_rewards_and_completions(tmp_path):
    points = [(1, 0.1), (2, 0.2)]
    tags = [
        "train/reward",
        "val/reward",
        "val/head_pose_reward",
        "val_stage/grpo_reward",
        "rewards/tree/mean",
        "train/kl",
    ]
    tags += ["completions/mean_length", "completions/clipped_ratio", "train/frac_reward_zero_std", "time/rollout"]
    unseen = ["rewards/tree/std", "rewards/tree/seconds", "rewards_by_task/tree/caption/mean", "completions/max_length"]
    unseen += ["val/rewards/tree/mean", "val/completions/mean_length", "train/reward_std", "val/frac_reward_missing"]
    write_scalars(tmp_path / "tensorboard", dict.fromkeys(tags + unseen, points))
    panels = {
        panel["name"]: [series["name"] for series in panel["series"]] for panel in curve_panels(read_scalars(tmp_path))
    }
    assert panels == {
        "reward": ["train", "mean of the tasks", "head_pose"],
        "share of completions": ["as good as the rest of their group", "cut"],
        "KL to the reference, a token": ["train"],
        "tokens a completion": ["mean"],
        "rewards in training": ["tree"],
        "seconds a step": ["rollout"],
        "reward, by stage": ["grpo"],
    }


def test_a_resumed_run_counts_what_was_written_last(tmp_path):
    write_scalars(tmp_path / "tensorboard", {"train/loss": [(1, 3.0), (2, 2.0), (2, 1.0)]})
    scalars = read_scalars(tmp_path)["train/loss"]
    assert (scalars.steps, scalars.values) == ([1, 2], [3.0, 1.0])


def test_what_is_not_finite_is_dropped_and_counted(tmp_path):
    write_scalars(tmp_path / "tensorboard", {"train/loss": [(1, float("nan")), (2, 2.0), (3, float("inf"))]})
    scalars = read_scalars(tmp_path)["train/loss"]
    assert (scalars.values, scalars.dropped) == ([2.0], 2)


def test_long_curves_are_thinned_and_keep_their_end(tmp_path):
    write_scalars(tmp_path / "tensorboard", {"train/loss": [(step, step) for step in range(3 * MAX_POINTS + 1)]})
    (panel,) = curve_panels(read_scalars(tmp_path))
    steps = panel["series"][0]["steps"]
    assert len(steps) <= MAX_POINTS and steps[-1] == 3 * MAX_POINTS


def test_an_event_file_of_rubbish_gives_no_curves(tmp_path):
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "events.out.tfevents.1.x").write_bytes(b"rubbish" * 100)
    assert read_scalars(tmp_path) == {}


def test_forgetting_is_the_change_since_a_stages_own_end(whole_run):
    columns, rows = forgetting_table(read_curriculum(whole_run))
    assert columns == ["attribute", "emotion"]
    (_, after_first), (_, after_second) = rows
    assert [cell.kind for cell in after_first] == ["own", "before"]
    assert [cell.kind for cell in after_second] == ["later", "own"]
    assert after_second[0].change == pytest.approx(-12.0)


def test_bands_come_from_the_curriculum_else_from_the_logged_stage(whole_run):
    read = read_curriculum(whole_run)
    assert stage_bands(read, {})[1] == {"name": "emotion", "first": 50, "last": 100}
    write_scalars(whole_run / "lightning_logs", {"stage": [(0, 0), (10, 0), (20, 1), (30, 1)]})
    bands = stage_bands([], read_scalars(whole_run))
    assert [(band["first"], band["last"]) for band in bands] == [(0, 10), (10, 30)]


@pytest.mark.parametrize("content", ["[]", "{}", '{"stages": [3]}', '{"stages": '])
def test_a_malformed_curriculum_is_named(tmp_path, content):
    (tmp_path / "curriculum.json").write_text(content)
    with pytest.raises(InputError, match=r"curriculum\.json"):
        read_curriculum(tmp_path)


def test_stages_without_numbers_are_kept(tmp_path):
    listed = [{"name": "a", "val": {"a": {"exact": None}, "b": 3}}, {**stages()[0], "steps": None}]
    (tmp_path / "curriculum.json").write_text(json.dumps({"stages": listed}))
    first, second = read_curriculum(tmp_path)
    assert (first.val, first.first_step, second.steps) == ({"a": {}}, None, None)

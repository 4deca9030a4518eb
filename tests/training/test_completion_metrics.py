"""The figures of a round of completions, against numbers worked by hand and on two ranks."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from ranks import meet, run_ranks

from videmo.training.completions import Round, Row, completion_metrics, known_rewards, task_figures
from videmo.training.module import gather

NAN = float("nan")


def row(task, reward, tokens=4, truncated=False, unparsed=False, exact=False, **parts) -> Row:
    return Row(task, f"{task} {reward}", reward, parts, tokens, truncated, unparsed, exact)


# Two groups of two on each rank: of a question, with the reward qa, and of captions, with tree and form. The judge that
# reads trees failed for one completion, which is masked, and then for a whole group, which has its form left.
HAIR = [row("hair", 1.0, 2, qa=1.0, exact=True), row("hair", 0.0, 8, True, True, qa=0.0)]
CAPTION = [row("caption", 0.7, 20, tree=0.4, form=1.0), row("caption", NAN, 30, form=0.0)]
GAZE = [row("gaze", 1.0, 3, qa=1.0), row("gaze", 1.0, 5, qa=1.0)]
FORM = [row("caption", 0.0, 40, True, form=0.0), row("caption", 1.0, 8, form=1.0)]
FIRST = Round([*HAIR, *CAPTION], {"qa": Counter(), "tree": Counter({"down": 1})}, {"qa": 0.5, "tree": 3.0, "form": 0.1})
SECOND = Round([*GAZE, *FORM], {"qa": Counter(), "tree": Counter({"down": 1, "slow": 1})}, {"qa": 0.2, "tree": 4.0})
EXPECTED = {
    "reward": 4.7 / 7,  # 1, 0, 0.7, 1, 1, 0, 1
    "reward_std": (sum((r - 4.7 / 7) ** 2 for r in (1, 0, 0.7, 1, 1, 0, 1)) / 6) ** 0.5,
    "frac_reward_zero_std": 2 / 4,  # one reward differs from none
    "frac_reward_missing": 1 / 8,
    "completions/mean_length": 116 / 8,
    "completions/min_length": 2,
    "completions/max_length": 40,
    "completions/clipped_ratio": 2 / 8,
    "completions/unparsed_ratio": 1 / 8,
    "rewards/qa/mean": 3 / 4,
    "rewards/qa/std": 0.5,
    "rewards/qa/missing_ratio": 0,
    "rewards/qa/seconds": 0.5,
    "rewards/tree/mean": 0.4,
    "rewards/tree/std": 0,
    "rewards/tree/missing_ratio": 3 / 4,
    "rewards/tree/seconds": 4,
    "rewards/form/mean": 2 / 4,
    "rewards/form/std": (1 / 3) ** 0.5,
    "rewards/form/missing_ratio": 0,
    "rewards/form/seconds": 0.1,
    "rewards_by_task/qa/hair/mean": 0.5,
    "rewards_by_task/qa/hair/std": 0.5**0.5,
    "rewards_by_task/qa/gaze/mean": 1,
    "rewards_by_task/qa/gaze/std": 0,
    "rewards_by_task/tree/caption/mean": 0.4,
    "rewards_by_task/tree/caption/std": 0,
    "rewards_by_task/form/caption/mean": 2 / 4,
    "rewards_by_task/form/caption/std": (1 / 3) ** 0.5,
}


def test_all_figures_are_those_worked_by_hand():
    assert completion_metrics(Round.join([FIRST, SECOND]), 2) == pytest.approx(EXPECTED)


def _log(rank: int, folder: Path) -> None:
    meet(rank, folder)
    torch.save(completion_metrics(Round.join(gather((FIRST, SECOND)[rank])), 2), folder / f"{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_ranks_log_the_same_figures_of_both(tmp_path):
    run_ranks(_log, [(tmp_path,)] * 2)
    for rank in (0, 1):
        assert torch.load(tmp_path / f"{rank}.pt") == pytest.approx(EXPECTED)


def test_what_nothing_is_known_of_is_left_out():
    metrics = completion_metrics(Round([CAPTION[1], CAPTION[1]], {"tree": Counter({"down": 2})}, {"tree": 1.0}), 2)
    assert metrics["frac_reward_missing"] == metrics["rewards/tree/missing_ratio"] == 1
    assert not {"reward", "reward_std", "frac_reward_zero_std", "rewards/tree/mean"} & set(metrics)
    assert completion_metrics(Round([], {}, {}), 2) == {}


def test_a_reward_that_was_asked_for_nothing_has_no_figures():
    metrics = completion_metrics(Round(HAIR, {"tree": Counter()}, {"tree": 0.0, "qa": 0.1}), 2)
    assert not [name for name in metrics if "tree" in name]


def test_groups_keep_their_known_rewards_and_those_without_any_are_no_group():
    assert known_rewards([*CAPTION, CAPTION[1], CAPTION[1], *HAIR], 2) == [[0.7], [1.0, 0.0]]


def test_validation_has_reward_and_exact_answers_of_each_task():
    figures = task_figures(Round.join([FIRST, SECOND]))
    assert figures["hair"] == {"reward": 0.5, "exact": 0.5}
    assert figures["caption"]["reward"] == pytest.approx(1.7 / 3)
    assert task_figures(Round([CAPTION[1]], {}, {})) == {"caption": {"exact": 0.0}}

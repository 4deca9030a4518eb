from itertools import compress

import pytest
import torch
from sklearn.metrics import f1_score

from videmo.metrics import TaskScore, paired_bootstrap, task_scores
from videmo.tasks import all_tasks, find_task

EMOTIONS = "DFEW_Single-Label-Emotion-Recognition"
# How the release scores its columns; all others are accuracy.
F1_COLUMNS = {"appearance_cls", "action_cls", "emotion_multi", "action_unit"}
CAPTION_COLUMNS = {"appearance_cap", "action_cap", "emotion_caption", "caption", "rationale"}
SUMMARY = {"native", "release", "asked", "answered", "unparsed", "unscorable"}

UNITS = "AffWild2_Action_Unit_Detection"
RESPONSES = ["AU1, AU4", "none", "no idea", "", "AU12"]
REFERENCES = ["AU1", "none", "AU1", "AU2", "AU12"]
QUESTIONS = ["List the action units."] * 5
# By hand: 2/3, then 1 natively and 0 in the release, then two unread, then 1.
EXPECTED = {"native": 8 / 15, "release": 1 / 3, "asked": 5, "answered": 4, "unparsed": 2, "unscorable": 0}


def _values(metric: TaskScore) -> dict[str, float]:
    return {name: value.item() for name, value in metric.compute().items() if name in SUMMARY}


def test_scores_and_denominators_worked_by_hand():
    metric = TaskScore(find_task(UNITS))
    metric.update(RESPONSES[:2], REFERENCES[:2], QUESTIONS[:2])
    metric.update(RESPONSES[2:], REFERENCES[2:], QUESTIONS[2:])
    assert _values(metric) == pytest.approx(EXPECTED)


def test_what_no_rule_can_score_leaves_the_mean_and_is_counted():
    metric = TaskScore(find_task("QA_Hair"))
    metric.update(["short", "short"], ["She has short hair.", "She has nice hair."], ["Describe it."] * 2)
    values = _values(metric)
    assert (values["native"], values["asked"], values["unscorable"]) == (1.0, 2, 1)


def test_without_samples_there_is_no_score():
    with pytest.warns(UserWarning):
        values = _values(TaskScore(find_task(UNITS)))
    assert values["asked"] == 0 and values["native"] != values["native"]


def test_micro_f1_of_every_sample_is_scikit_learns():
    task = find_task(UNITS)
    sets = torch.rand(2, 40, 12, generator=torch.Generator().manual_seed(0)) < 0.1
    texts = [[", ".join(compress(task.labels, row)) or "none" for row in side.tolist()] for side in sets]
    expected = [f1_score(*pair, average="micro", labels=[1], zero_division=0) for pair in zip(*sets.int(), strict=True)]
    scores = task_scores(task, *texts, ["Units?"] * 40)
    assert scores["release"].tolist() == pytest.approx(expected)
    empty = (sets.sum((0, 2)) == 0).tolist()
    assert any(empty)
    assert scores["native"].tolist() == pytest.approx([1 if e else f1 for e, f1 in zip(empty, expected, strict=True)])


def test_a_failed_sample_stays_in_the_denominator_and_columns_average_their_files():
    first, second = TaskScore(find_task(EMOTIONS)), TaskScore(find_task("MAFW_Single-Label-Emotion-Recognition"))
    first.update(["Sad", "", "I cannot tell", "Sad"], ["Sad"] * 4, ["Which?"] * 4)
    second.update(["Fear"], ["Fear"], ["Which?"])
    files = [metric.compute()["release"].item() for metric in (first, second)]
    assert files == [2 / 4, 1.0]
    column = [metric.per_sample()["release"] for metric in (first, second)]
    beside_nothing = paired_bootstrap(column, [torch.zeros_like(scores) for scores in column])
    assert beside_nothing.difference == 0.75  # over all five samples it would be 0.6


def test_one_label_has_war_uar_and_a_matrix():
    metric = TaskScore(find_task(EMOTIONS))
    metric.update(["Sad", "Happy", "who knows", "Happy"], ["Sad", "Sad", "Sad", "Happy"], ["Which?"] * 4)
    values = metric.compute()
    assert (values["war"], values["native"], values["release"]) == (0.5, 0.5, 0.5)
    assert values["uar"].item() == pytest.approx((1 / 3 + 1) / 2)
    assert values["confusion"].sum(0)[-1] == values["unparsed"] == 1
    assert dict(zip(metric.labels, values["recall"].tolist(), strict=True))["Happy"] == 1


def test_what_the_reference_makes_unscorable_is_in_no_figure():
    metric = TaskScore(find_task(EMOTIONS))
    metric.update(["Sad", "Sad"], ["Sad", "?"], ["Which?"] * 2)
    values = metric.compute()
    assert (values["war"], values["confusion"].sum(), values["unscorable"]) == (1, 1, 1)


def test_batch_values_and_totals_both_stand_where_a_module_is_called():
    metric = TaskScore(find_task(EMOTIONS))
    batches = [(["Sad"], ["Sad"], ["Which?"]), (["Sad"], ["Happy"], ["Which?"])]
    assert [metric(*batch)["war"] for batch in batches] == [1, 0]
    assert (metric.compute()["war"], metric.compute()["asked"]) == (0.5, 2)
    metric.reset()
    metric.update(*batches[0])
    assert metric.compute()["confusion"].sum() == 1


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
def test_every_task_of_the_benchmark_computes(task):
    metric = TaskScore(task)
    if task.column in F1_COLUMNS:
        first, second, *_ = task.labels
        metric.update([first, first, "", ""], [first, f"{first}, {second}", first, "none"], ["Which?"] * 4)
        values = metric.compute()
        assert values["release"].item() == pytest.approx((1 + 2 / 3) / 4)
        assert values["micro_f1"].item() == pytest.approx(2 * 2 / (2 * 2 + 2))  # two hits, two missed
        assert values["macro_f1"].item() == pytest.approx(2 * 2 / (2 * 2 + 1) / len(task.labels))
        assert values.keys() == {*SUMMARY, "macro_f1", "micro_f1", "precision", "recall", "f1", "support", "unlisted"}
    elif task.column in CAPTION_COLUMNS:
        metric.update(["She smiles.", ""], ["She smiles."] * 2, ["Describe it."] * 2)
        values = metric.compute()
        assert values.keys() == SUMMARY
        assert values["release"].isnan() and values["unscorable"] == 2
    elif task.groups:
        word = next(iter(task.groups.values()))[0]
        choice = f"Which?\nA. {word}\nB. another"
        metric.update([word, "", "A", "B"], [word, word, "A", "A"], ["What?", "What?", choice, choice])
        values = metric.compute()
        assert values.keys() == SUMMARY
        assert (values["release"], values["unparsed"]) == (0.5, 1)
    else:
        first, second, *_ = metric.labels
        metric.update([first, first, ""], [first, second, second], ["One person?"] * 3)
        values = metric.compute()
        assert values["war"].item() == pytest.approx(1 / 3) == values["release"].item()
        assert (values["uar"], values["unlisted"]) == (0.5, 0)
        assert values.keys() == {*SUMMARY, "war", "uar", "macro_f1", "micro_f1", "recall", "confusion", "unlisted"}
    assert values["asked"] == sum(map(len, metric.native))

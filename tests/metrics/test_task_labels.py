from collections import Counter

import pytest
from sklearn.metrics import f1_score

from videmo.metrics import UNPARSED, count_task_labels, label_figures, task_labels
from videmo.tasks import all_tasks, find_task

EMOTION = find_task("DFEW_Single-Label-Emotion-Recognition")
UNITS = find_task("AffWild2_Action_Unit_Detection")


def test_every_task_of_choices_and_label_sets_has_labels_and_no_other():
    with_labels = {task.kind for task in all_tasks() if task_labels(task)}
    assert with_labels == {"single_choice", "yes_no", "multi_label"}
    assert all(task_labels(task) for task in all_tasks() if task.kind in with_labels)


def test_letters_words_and_unread_answers_find_their_cells():
    question = "Which?\nA. Sad\nB. Happy"
    counts, unlisted = count_task_labels(EMOTION, ["A", "happy", "no idea", ""], ["A. Sad"] * 4, [question] * 4)
    sad, happy = EMOTION.labels.index("Sad"), EMOTION.labels.index("Happy")
    assert counts[sad, [sad, happy, UNPARSED]].tolist() == [1, 1, 2]
    assert (counts.sum(), unlisted) == (4, 0)


def test_a_reference_without_an_answer_is_left_out_and_one_with_another_label_is_counted():
    question = "Which?\nA. Sad\nB. Bored"
    counts, unlisted = count_task_labels(EMOTION, ["B", "B", "B"], ["A. Sad", "B. Bored", "A. Bored"], [question] * 3)
    assert (counts.sum(), unlisted) == (1, 1)
    assert counts[EMOTION.labels.index("Sad"), UNPARSED] == 1  # read, and none of the labels


def test_label_sets_are_counted_as_scikit_learn_counts_them_with_unread_answers_empty():
    responses, references = ["AU1, AU4", "none", "no idea", "AU12", "AU4"], ["AU1", "none", "AU1", "AU12", "AU1, AU4"]
    sets = [[{"AU1", "AU4"}, set(), set(), {"AU12"}, {"AU4"}], [{"AU1"}, set(), {"AU1"}, {"AU12"}, {"AU1", "AU4"}]]
    preds, target = ([[unit in row for unit in UNITS.labels] for row in side] for side in sets)
    figures = label_figures(count_task_labels(UNITS, responses, references, ["Units?"] * 5).counts)
    for average in ("macro", "micro"):
        expected = f1_score(target, preds, average=average, zero_division=0)
        assert figures[f"{average}_f1"].item() == pytest.approx(expected, abs=1e-6)
    support = dict(zip(UNITS.labels, figures["support"].tolist(), strict=True))
    assert Counter(support) == Counter({**dict.fromkeys(UNITS.labels, 0), "AU1": 3, "AU4": 1, "AU12": 1})

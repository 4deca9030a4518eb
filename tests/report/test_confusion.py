"""Confusion matrices against scikit-learn's."""

import numpy as np
from made_up import EMOTION
from sklearn.metrics import confusion_matrix

from videmo.benchmark.predictions import Prediction
from videmo.data.records import parse_record
from videmo.report.confusion import UNREAD, confusion, confusions
from videmo.report.results import read_methods
from videmo.tasks import find_task

TASK = find_task("DFEW_Single-Label-Emotion-Recognition")


def predictions(pairs):
    for truth, answer in pairs:
        turns = [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": truth}]
        yield Prediction(parse_record({"messages": turns}, f"{TASK.result_file}.json", 1), answer)


def test_counts_are_scikit_learns():
    random = np.random.default_rng(0)
    truths = random.choice(TASK.labels[:-1], 300).tolist()
    answers = random.choice([*TASK.labels, "who knows"], 300).tolist()
    found = confusion(TASK, list(predictions(zip(truths, answers, strict=True))))
    answers = [UNREAD if answer == "who knows" else answer for answer in answers]
    labels = [*TASK.labels, UNREAD]
    expected = confusion_matrix(truths, answers, labels=labels)
    assert found.labels == list(TASK.labels)
    np.testing.assert_array_equal(found.counts, expected[:-1])


def test_a_truth_without_a_label_is_counted_apart():
    found = confusion(TASK, list(predictions([("Sad", "Sad"), ("no idea", "Sad")])))
    assert np.sum(found.counts) == 1
    assert found.left_out == 1


def test_only_tasks_of_one_label_have_a_matrix(results):
    matrices = confusions(read_methods(results)[0])
    assert list(matrices) == [EMOTION, "identity"]
    assert matrices["identity"]["after"].counts == [[2, 1, 1], [0, 0, 0]]

import pytest
import torch

from videmo.benchmark.compare import compare_graded
from videmo.benchmark.graded import Graded
from videmo.metrics import paired_bootstrap

MOSEI, MOSI = "MOSEI_Single-Label-Sentiment-Recognition", "MOSI_Single-Label-Sentiment-Recognition"


def _graded(file: str, scores: list[float | None], column: str = "sentiment_single", **fields) -> list[Graded]:
    def one(line: int, score: float | None) -> Graded:
        given = {"videos": (f"{line}.mp4",), "question": "Which?", "reference": "Neutral", "response": "x", **fields}
        return Graded(file, line, answer="x", scores={} if score is None else {column: score}, **given)

    return [one(line, score) for line, score in enumerate(scores, 1)]


def test_a_column_is_the_mean_of_its_files_and_changes_are_counted():
    a = _graded(MOSEI, [1, 0, 0, 0]) + _graded(MOSI, [1, 1])
    b = _graded(MOSEI, [1, 1, 1, 0]) + _graded(MOSI, [0, 1])
    (found,) = compare_graded(a, b).differences
    assert (found.a, found.b, found.difference) == (62.5, 62.5, 0.0)  # (25 + 100) / 2 and (75 + 50) / 2
    assert (found.questions, found.better, found.worse) == (6, 2, 1)
    assert found.low < 0 < found.high and found.p_value > 0.5


def test_the_interval_is_that_of_the_paired_bootstrap_in_percent():
    scores = [[1, 0, 0, 1, 0, 1, 0, 0, 1, 0], [1, 1, 0, 1, 1, 1, 1, 1, 0, 1]]
    (found,) = compare_graded(*(_graded(MOSEI, own) for own in scores)).differences
    expected = paired_bootstrap([torch.tensor(scores[1])], [torch.tensor(scores[0])])
    assert found.low == pytest.approx(100 * expected.low) and found.high == pytest.approx(100 * expected.high)
    assert found.p_value == expected.p_value


def test_the_mean_weighs_columns_alike_and_leaves_out_what_is_no_column():
    hair = "QA_test_sampling_all_Hair"
    extra = {"file": "CelebV-Text_Emotion-Caption", "column": "emotion_caption_rouge_l"}
    a = _graded(MOSEI, [0] * 10) + _graded(hair, [0, 1], "hair") + _graded(scores=[0.5], **extra)
    b = _graded(MOSEI, [1] * 10) + _graded(hair, [0, 1], "hair") + _graded(scores=[0.9], **extra)
    found = compare_graded(a, b)
    assert [one.column for one in found.differences] == ["hair", "sentiment_single", "emotion_caption_rouge_l"]
    assert (found.mean.a, found.mean.b) == (25.0, 75.0)
    assert found.mean.questions == 12


def test_only_questions_that_both_have_a_score_for_are_compared():
    a = _graded(MOSEI, [1, 0, None, 1]) + _graded(MOSI, [1])
    b = _graded(MOSEI, [0, None, 1, 1, 1])
    found = compare_graded(a, b)
    assert found.differences[0].questions == 2
    assert found.only_a == {MOSI: 1} and found.only_b == {MOSEI: 1}


def test_a_question_asked_twice_is_matched_in_order():
    same = {"videos": ("a.mp4",)}
    found = compare_graded(_graded(MOSEI, [1, 0], **same), _graded(MOSEI, [1, 1], **same))
    assert (found.differences[0].better, found.differences[0].worse) == (1, 0)


def test_other_references_for_the_same_question_are_left_out_and_named():
    a = _graded(MOSEI, [1, 1])
    b = _graded(MOSEI, [1], reference="Positive") + _graded(MOSEI, [0, 0])[1:]
    found = compare_graded(a, b)
    assert found.unlike == {MOSEI: 1}
    assert found.differences[0].questions == 1


def test_flips_come_with_the_largest_change_first():
    units = "AffWild2_Action_Unit_Detection"
    found = compare_graded(
        _graded(units, [0.5, 1.0, 0.2], "action_unit"), _graded(units, [0.6, 0.0, 0.2], "action_unit")
    )
    assert [(column, one.line) for column, one, _ in found.flips] == [("action_unit", 2), ("action_unit", 1)]


def test_few_changes_are_never_clear():
    found = compare_graded(_graded(MOSEI, [0] * 4), _graded(MOSEI, [1] * 4)).differences[0]
    assert (found.low, found.high) == (100.0, 100.0), "the bootstrap sees no spread"
    assert found.p_value == 0.125 and found.verdict == 0  # a sign test of 4 for 4
    assert compare_graded(_graded(MOSEI, [0] * 9), _graded(MOSEI, [1] * 9)).differences[0].verdict == 1

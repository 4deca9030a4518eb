from collections.abc import Sequence

import pytest

from videmo.benchmark.grading import grade
from videmo.benchmark.judging import is_plain
from videmo.benchmark.predictions import Prediction
from videmo.benchmark.scoring import summarise
from videmo.data.records import Message, Record
from videmo.judge import SCORES, Question, Verdict
from videmo.tasks import find_task

DFEW = "DFEW_Single-Label-Emotion-Recognition"
UNITS = "AffWild2_Action_Unit_Detection"
CAPTION = "caption_test_sampling_v2_all_example"
SHORT = "CelebV-Text_Emotion-Caption"
FAILED = "the server failed (status 500: no)"


class Scripted:
    """Gives the verdicts that it was given, and keeps what it was asked."""

    @property
    def identity(self) -> dict:
        return {"model": "scripted"}

    def __init__(self, *values: object) -> None:
        self.values = values
        self.asked: list[Question] = []

    def ask(self, questions: Sequence[Question]) -> list[Verdict]:
        self.asked += questions
        return [Verdict(v, None if v is not None else FAILED, "", False) for v in self.values[: len(questions)]]


def _answers(source: str, *pairs: tuple[str, str], question: str = "What?") -> list[Prediction]:
    def prediction(line: int, response: str, reference: str) -> Prediction:
        turns = (Message("user", f"<video>{question}"), Message("assistant", reference))
        return Prediction(Record(turns, ("a.mp4",), source, f"{source}.json", line), response)

    return [prediction(line, *pair) for line, pair in enumerate(pairs, 1)]


def test_only_answers_that_rules_cannot_be_trusted_with_are_asked_about():
    judge = Scripted(("Happy",))
    pairs = [("A. Happy", "Happy"), ("", "Sad"), ("She beams at him.", "Happy"), ("sad", "Sad")]
    graded = grade(_answers(DFEW, *pairs), judge)
    assert [question.fields["response"] for question in judge.asked] == ["She beams at him."]
    assert judge.asked[0].use == "labels"
    assert judge.asked[0].listed_labels[:2] == ("Happy", "Sad")
    assert [one.by for one in graded] == ["rules", "rules", "judge", "rules"]
    assert [one.scores["emotion_single"] for one in graded] == [1.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(("labels", "answer"), [((), None), (("Happy", "Sad"), None), (("Sad",), "Sad")])
def test_no_label_or_several_are_an_answer_that_could_not_be_read(labels, answer):
    (one,) = grade(_answers(DFEW, ("He may be this or that.", "Happy")), Scripted(labels))
    assert (one.answer, one.scores["emotion_single"]) == (answer, 0.0)


def test_sets_of_labels_are_scored_in_the_releases_variant():
    judge = Scripted(("AU1", "AU4"), ())
    graded = grade(_answers(UNITS, ("The brows move.", "AU1"), ("The face rests.", "none")), judge)
    assert [one.scores["action_unit"] for one in graded] == [pytest.approx(2 / 3), 0.0]  # empty for empty is 0 there
    assert [one.native["action_unit"] for one in graded] == [pytest.approx(2 / 3), 1.0], "of the same reading"


def test_an_open_answer_is_right_or_wrong_by_the_reference():
    judge = Scripted(True, False)
    pairs = [("Raven locks.", "Her hair is long and black."), ("A bob.", "Her hair is long.")]
    graded = grade(_answers("QA_test_sampling_all_Hair", *pairs), judge)
    assert [question.use for question in judge.asked] == ["yes_no", "yes_no"]
    assert [one.scores["hair"] for one in graded] == [1.0, 0.0]
    assert all(one.answer is not None for one in graded), "the judge could read them"


def test_a_reference_word_for_word_needs_neither_judge_nor_rule():
    (one,) = grade(_answers("QA_test_sampling_all_Hair", ("Lovely!", "lovely")), Scripted())
    assert (one.scores, one.missing) == ({"hair": 1.0}, {})


def test_captions_fill_the_judges_columns_beside_the_rules():
    scores = dict(zip(SCORES, (10.0, 20.0, 30.0, 40.0, 50.0, 60.0), strict=True))
    answers = _answers(SHORT, ("A sad man.", "A sad man.")) + _answers(CAPTION, ("He weeps.", "He weeps."))
    result = summarise(grade(answers, Scripted(80.0, scores)), (), "ours", judge=Scripted().identity)
    assert result.columns == {"emotion_caption": 80.0, **scores}
    assert result.extra["emotion_caption_rouge_l"]["score"] == 100.0
    assert result.notes.keys() == result.extra.keys(), "a judge's own columns need no excuse"
    assert result.judge == {"model": "scripted"}


def test_an_empty_caption_is_worth_nothing_and_costs_no_call():
    judge = Scripted()
    (one,) = grade(_answers(CAPTION, (" ", "He weeps.")), judge)
    assert judge.asked == []
    assert {name: one.scores[name] for name in SCORES} == dict.fromkeys(SCORES, 0.0)


def test_what_the_judge_failed_on_is_missing_and_never_zero():
    answers = _answers(DFEW, ("She beams.", "Happy"), ("Happy", "Happy"), ("He weeps.", "Sad"))
    result = summarise(grade(answers, Scripted(None, ("Happy",))), (), "ours")
    assert result.counts["emotion_single"] == {"asked": 3, "answered": 3, "judged": 2, "unparsed": 0}
    assert result.columns["emotion_single"] == 50.0
    assert result.missing["emotion_single"] == {FAILED: 1}


def test_plain_answers_are_letters_labels_or_both():
    listed = "Which?\nA. Tense\nB. Mild"
    relation = find_task("PERR_Single-Label-Conversational-Emotion-Recognition")
    plain = ["A", "(a)", "B. Mild", "**mild**", "b:"]
    assert [is_plain(relation, text, listed) for text in plain] == [True] * len(plain)
    others = ["A B", "Mildly", "B, not A", "The answer is B", "C"]
    assert [is_plain(relation, text, listed) for text in others] == [False] * len(others)
    units = find_task(UNITS)
    assert is_plain(units, "AU1, AU4 and au12", "") and is_plain(units, "None.", "")
    assert not is_plain(units, "AU1 is not there", "")


def test_a_caption_that_the_judge_failed_on_is_read_all_the_same():
    result = summarise(grade(_answers(SHORT, ("A sad man.", "A sad man.")), Scripted(None)), (), "ours")
    assert result.counts["emotion_caption_rouge_l"] == {"asked": 1, "answered": 1, "judged": 1, "unparsed": 0}
    assert result.counts["emotion_caption"]["judged"] == 0


def test_an_empty_answer_counts_alike_in_both_variants():
    (one,) = grade(_answers("QA_test_sampling_all_Hair", ("", "Lovely!")), Scripted())  # no rule reads the reference
    assert one.scores == one.native == {"hair": 0.0}

"""Facts about rewards by rule: QA is the benchmark's score, and the form and the length are what they are by hand."""

import pytest

from videmo.benchmark.grading import grade
from videmo.benchmark.predictions import Prediction
from videmo.errors import InputError
from videmo.rewards import Completion, FormatReward, LengthReward, QAReward


def test_qa_is_the_benchmarks_native_score_of_every_drawn_question(drawn_records):
    predictions, completions = [], []
    for task, records in drawn_records.items():
        if task.kind == "caption":
            continue
        records = records[:12]
        said = [record.answer for record in records]
        for responses in (said, said[1:] + said[:1], ["I cannot tell."] * len(said)):
            for record, text in zip(records, responses, strict=True):
                predictions.append(Prediction(record, text))
                completions.append(Completion(text, record, task, 5, False))
    scores = [one.native.get(one.task.column) for one in grade(predictions)]
    assert QAReward()(completions) == scores
    assert {c.task.kind for c in completions} >= {"single_choice", "yes_no", "multi_label", "choice_open"}
    assert len(scores) > 500 and 0.0 in scores and 1.0 in scores and len(set(scores)) > 5


@pytest.mark.parametrize(
    ("kind", "text", "answer", "reward"),
    [
        ("emotion", "She looks happy.", "Happy", 1.0),
        ("emotion", "She looks sad.", "Happy", 0.0),
        ("emotion", "No idea", "Happy", 0.0),  # unreadable is wrong
        ("units", "AU1, AU4", "AU4, AU12", 0.5),
        ("units", "none", "none", 1.0),
        ("hair", "black", "black, short", 0.0),
    ],
)
def test_qa_by_hand(make_completion, kind, text, answer, reward):
    assert QAReward()([make_completion(kind, text, answer)]) == [reward]


def test_qa_is_missing_where_the_reference_cannot_be_read(make_completion):
    qa = QAReward()
    assert qa([make_completion("emotion", "Happy", "Zebra"), make_completion("emotion", "Sad", "Sad")]) == [None, 1.0]
    assert qa.reasons == {"data.json:1: no answer can be read from the reference": 1}


def test_qa_says_why_it_has_none_for_a_caption(make_completion):
    qa = QAReward()
    assert qa([make_completion("fine", "A man.", "A man.")]) == [None]
    assert "caption has captions, which no rule scores" in next(iter(qa.reasons))


def test_an_answer_has_its_form_where_the_task_can_read_it(make_completion):
    completions = [make_completion("emotion", text, "Sad") for text in ("Happy", "A. Happy", "Hm", "")]
    assert FormatReward()(completions) == [1.0, 1.0, 0.0, 0.0]


def test_an_answer_has_its_form_where_the_whole_text_matches(make_completion):
    texts = ["<think>a\nb</think>Sad", "<think>a</think>", "so <think>a</think>Sad", "Sad"]
    completions = [make_completion("emotion", text, "Sad") for text in texts]
    assert FormatReward(r"(?s)<think>.*</think>\s*.+")(completions) == [1.0, 0.0, 0.0, 0.0]


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(InputError, match=r"'format' is no regular expression: .*unterminated"):
        FormatReward("(a")


def test_the_length_penalty_falls_in_the_buffer(make_completion):
    completions = [make_completion("emotion", "Sad", "Sad", num_tokens=n) for n in (1, 96, 97, 112, 128, 200)]
    assert LengthReward(max_tokens=128, buffer=32)(completions) == [0.0, 0.0, -1 / 32, -0.5, -1.0, -1.0]


@pytest.mark.parametrize("buffer", [0, -1, 129])
def test_a_buffer_that_is_none_is_refused(buffer):
    with pytest.raises(InputError, match=r"'length' is 1 to max_tokens \(128\)"):
        LengthReward(128, buffer)

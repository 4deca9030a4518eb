import itertools
import random

import pytest
import torch

from videmo.benchmark.blind import BlindBaseline, maximise_sample_f1, question_stem
from videmo.data.records import Message, Record
from videmo.metrics import multilabel_sample_f1
from videmo.tasks import find_task, label_set

EMOTION = "DFEW_Single-Label-Emotion-Recognition"
UNITS = "AffWild2_Action_Unit_Detection"
CAPTION = "caption_test_sampling_v2_all_example"


def _record(source: str, question: str, answer: str, line: int = 1) -> Record:
    turns = (Message("user", f"<video>{question}"), Message("assistant", answer))
    return Record(turns, ("a.mp4",), source, "data.json", line)


def _choice(
    rng: random.Random, answer: str, others: list[str], stem: str = "How does she feel?", source: str = EMOTION
):
    options = [answer, *others]
    rng.shuffle(options)
    lines = "\n".join(f"{chr(65 + i)}. {label}" for i, label in enumerate(options))
    return _record(source, f"{stem}\n{lines}", f"{chr(65 + options.index(answer))}. {answer}")


def _accuracy(blind: BlindBaseline, records: list[Record]) -> float:
    scores = [find_task(r.source).score(blind.answer(r), r.answer, r.question) for r in records]
    return sum(scores) / len(scores)


def _emotions(rng: random.Random, number: int, weights: list[int], stem: str = "How does she feel?") -> list[Record]:
    labels = list(label_set("dfew7"))
    answers = rng.choices(labels, weights, k=number)
    return [_choice(rng, answer, [label for label in labels if label != answer], stem) for answer in answers]


def test_finds_the_most_frequent_label_under_shuffled_letters():
    rng = random.Random(0)
    blind = BlindBaseline.fit(_emotions(rng, 300, [1, 1, 4, 1, 1, 1, 1]))
    test = _emotions(rng, 200, [1, 1, 4, 1, 1, 1, 1])
    assert {blind.answer(record)[3:] for record in test} == {"Neutral"}
    assert _accuracy(blind, test) == pytest.approx(sum(r.answer.endswith("Neutral") for r in test) / 200)


def test_finds_out_that_letters_were_not_shuffled():
    rng = random.Random(0)

    def letter_b(number: int) -> list[Record]:
        labels = list(label_set("dfew7"))
        records = []
        for _ in range(number):
            rng.shuffle(labels)
            lines = "\n".join(f"{chr(65 + i)}. {label}" for i, label in enumerate(labels))
            records.append(_record(EMOTION, f"How?\n{lines}", f"B. {labels[1]}"))
        return records

    assert _accuracy(BlindBaseline.fit(letter_b(60)), letter_b(40)) == 1


def test_finds_an_answer_that_the_wording_of_the_question_gives_away():
    rng = random.Random(0)
    happy, sad = [1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0]
    train = _emotions(rng, 40, happy, "Why the smile?") + _emotions(rng, 60, sad, "Why the tears?")
    blind = BlindBaseline.fit(train)
    assert (
        _accuracy(blind, _emotions(rng, 20, happy, "Why  the smile?") + _emotions(rng, 20, sad, "why the tears?")) == 1
    )
    assert blind.answer(_emotions(rng, 1, happy, "A new wording?")[0]).endswith("Sad")  # back to the overall rule


def test_of_options_drawn_anew_it_takes_the_one_most_often_right_where_offered():
    """`bald` is offered seldom but then right; `short` is right more often in all, because it is offered always."""
    rng = random.Random(0)

    def drawn(number: int) -> list[Record]:
        records = []
        for i in range(number):
            if i % 5 == 0:
                records.append(_choice(rng, "bald", ["short", f"odd {rng.random()}"], "Which hair?", "QA_Hair"))
            else:
                answer, other = ("short", "long") if i % 5 < 4 else ("long", "short")
                records.append(_choice(rng, answer, [other, f"odd {rng.random()}"], "Which hair?", "QA_Hair"))
        return records

    assert _accuracy(BlindBaseline.fit(drawn(200)), drawn(100)) == 0.8


def test_choice_and_open_questions_of_one_task_have_their_own_rules():
    rng = random.Random(0)
    choices = [_choice(rng, "long hair", ["short hair"], "Which?", "QA_Hair") for _ in range(20)]
    opens = [_record("QA_Hair", "Describe the hair.", "She has short black hair.")] * 20
    blind = BlindBaseline.fit(choices + opens)
    assert _accuracy(blind, choices + opens) == 1


def test_the_label_set_is_near_the_best_of_all_label_sets():
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        targets = torch.rand(80, 6, generator=generator) < torch.rand(6, generator=generator)
        every_set = (torch.tensor(row, dtype=torch.bool) for row in itertools.product([0, 1], repeat=6))
        best = max(multilabel_sample_f1(row.expand_as(targets), targets, 0.0).item() for row in every_set)
        found = maximise_sample_f1(targets)
        assert multilabel_sample_f1(found.expand_as(targets), targets, 0.0).item() == pytest.approx(best, abs=1e-6)


def test_label_sets_beat_the_most_frequent_answer():
    rng = random.Random(0)
    labels = label_set("au12")
    answers = [", ".join(labels[i] for i in range(12) if rng.random() < 0.5) or "none" for _ in range(200)]
    blind = BlindBaseline.fit(_record(UNITS, "List the action units.", answer) for answer in answers)
    assert blind.answer(_record(UNITS, "List the action units.", "AU1")).count("AU") >= 8


def test_the_caption_most_like_the_others_is_the_answer():
    captions = ["a b c d", "a b c x", "a b y d", "z z z z", "q r s t"]
    blind = BlindBaseline.fit(_record(CAPTION, f"Describe it, {i}.", caption) for i, caption in enumerate(captions))
    assert blind.answer(_record(CAPTION, "Describe it.", "?")) == "a b c d"


def test_a_file_without_training_answers_borrows_its_columns_labels():
    rng = random.Random(0)
    mosei, mosi = (f"{name}_Single-Label-Sentiment-Recognition" for name in ("MOSEI", "MOSI"))
    train = [_choice(rng, "Negative", ["Neutral", "Positive"], "Which?", mosei) for _ in range(10)]
    blind = BlindBaseline.fit(train)
    assert blind.answer(_choice(rng, "Positive", ["Neutral", "Negative"], "Which?", mosi)).endswith("Negative")


def test_a_task_that_training_lacks_is_named():
    blind = BlindBaseline.fit([_record(CAPTION, "Describe it.", "A face.")])
    record = _record("MEAD_ID", "The same person?", "Yes")
    assert not blind.knows(record)
    with pytest.raises(ValueError, match=r"data.json:1.*MEAD_ID"):
        blind.answer(record)


def test_training_records_of_no_task_are_counted():
    blind = BlindBaseline.fit([_record("MAGPIE", "Hello?", "Hi.")] * 3)
    assert blind.skipped == {"MAGPIE": 3}


def test_the_order_of_training_records_of_one_label_set_does_not_matter():
    rng = random.Random(0)
    train = [_record("MEAD_ID", "The same person?", answer) for answer in ["Yes", "No"] * 10]
    answers = set()
    for _ in range(5):
        rng.shuffle(train)
        answers.add(BlindBaseline.fit(train).answer(train[0]))
    assert answers == {"No"}


def test_a_single_training_answer_is_enough():
    for source, answer in [(CAPTION, "A face."), (UNITS, "none"), ("MEAD_ID", "Yes"), ("QA_Hair", "Black hair.")]:
        record = _record(source, "What?", answer)
        assert isinstance(BlindBaseline.fit([record]).answer(record), str)


def test_the_stem_of_a_question_keeps_lines_that_are_no_options():
    assert question_stem("Look.\nA. Sad\n(B) Happy.\nThink  Twice.") == "look. think twice."

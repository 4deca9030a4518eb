import pytest

from videmo.tasks import Grade, find_task, sample_f1

EMOTION = find_task("DFEW_Single-Label-Emotion-Recognition")
UNITS = find_task("AffWild2_Action_Unit_Detection")
HAIR = find_task("QA_Hair")
CAPTION = find_task("caption_test_sampling_v2_all_example")
QUESTION = "How?\nA. Happy\nB. Sad"


def test_f1_of_a_sample_worked_by_hand():
    assert sample_f1({"a", "b", "c"}, {"b", "c", "d", "e"}) == pytest.approx(2 * (2 / 3) * (2 / 4) / (2 / 3 + 2 / 4))
    assert sample_f1({"a"}, set()) == sample_f1(set(), {"a"}) == 0


def test_empty_against_empty_is_right_natively_and_zero_in_the_release():
    assert UNITS.grade("none", "none") == Grade(native=1.0, release=0.0, parsed=True)


def test_the_variants_agree_elsewhere():
    for response, reference in [("AU1", "AU1, AU4"), ("none", "AU1"), ("AU1", "none"), ("gibberish", "AU1")]:
        grade = UNITS.grade(response, reference)
        assert grade.native == grade.release


def test_an_unreadable_answer_is_wrong_even_where_the_reference_is_empty():
    assert UNITS.grade("gibberish", "none") == Grade(0.0, 0.0, parsed=False)
    assert EMOTION.grade("I cannot tell", "B. Sad", QUESTION) == Grade(0.0, 0.0, parsed=False)


def test_choices_are_right_by_letter_or_text():
    assert EMOTION.score("B", "B. Sad", QUESTION) == EMOTION.score("she is sad", "B. Sad", QUESTION) == 1
    assert EMOTION.score("A", "B. Sad", QUESTION) == 0


def test_a_reference_that_contradicts_its_question_cannot_be_scored():
    assert EMOTION.grade("Sad", "A. Sad", QUESTION) == Grade(None, None, parsed=True)


def test_open_hair_answers_must_have_the_word_of_every_group_the_reference_names():
    reference, question = "She has short black hair.", "Describe the hair."
    assert HAIR.score("Her hair is black, short and curly.", reference, question) == 1
    assert HAIR.score("Short hair.", reference, question) == 0
    assert HAIR.score("Short hair, black or brown.", reference, question) == 0
    assert HAIR.score("Nice hair.", reference, question) == 0
    assert HAIR.score("Short black hair.", "She has nice hair.", question) is None


def test_hair_with_listed_options_is_a_choice():
    question = "Which hair?\nA. short black hair\nB. long black hair"
    assert HAIR.score("B", "B. long black hair", question) == 1
    assert HAIR.score("black hair", "B. long black hair", question) == 0


def test_captions_have_no_score_by_rule():
    assert CAPTION.grade("A sad woman.", "A sad woman.") == Grade(None, None, parsed=True)
    assert CAPTION.grade("", "A sad woman.") == Grade(None, None, parsed=False)

from dataclasses import replace

import pytest

from videmo.tasks import find_task, label_set, question_options

EMOTION = find_task("DFEW_Single-Label-Emotion-Recognition")
POSE = find_task("MEAD_Head-Pose")
IDENTITY = find_task("MEAD_ID")
APPEARANCE = find_task("CelebV-HQ_Appearance-Recognition")
UNITS = find_task("AffWild2_Action_Unit_Detection")
HAIR = find_task("QA_Hair")

# Shuffled: B is Sad, A is Fear.
QUESTION = "What does the person feel?\nA. Fear\nB. Sad\nC. Happy\nD. Neutral\nE. Angry\nF. Surprise\nG. Disgust"


def test_options_are_read_from_the_lines_of_the_question():
    assert question_options(QUESTION)["B"] == "Sad" and len(question_options(QUESTION)) == 7
    assert question_options("Is it so?\n(A) yes.\n(B) no") == {"A": "yes", "B": "no"}


def test_lines_that_do_not_count_from_a_are_no_options():
    assert question_options("B. Sad\nC. Happy") == question_options("A. Sad") == question_options("How?") == {}


@pytest.mark.parametrize(
    "text",
    [
        "B",
        "b",
        "B.",
        "b.",
        "(B)",
        "(b) sad",
        "B. Sad",
        "B) sad",
        "B: Sad",
        "Sad",
        "sad.",
        "SADNESS",
        "The answer is B",
        "The answer is B.",
        "The correct answer is (B) Sad.",
        "answer: sad",
        "**B**",
        "**Answer:** B",
        "Answer: b",
        "I think she is sad",
        "A sad woman, I would say",
        "B because I see tears",
        "Option B",
        "（B）。",
        "She is not happy but sad",
        "She isn't happy, she is sad.",
        "B. Sad. Her face is not neutral.",
        "B. Sad\nThe neutral brows and the angry look came later.",
        "I'm not sure, but she looks sad",
        "C. Happy? On reflection, the answer is B. Sad",
    ],
)
def test_sad_is_read_from(text):
    assert EMOTION.parse(text, QUESTION) == "Sad"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "...",
        "B. Happy",  # the letter contradicts the text
        "B or C",
        "B, C",
        "happy or sad",
        "Sad. Happy.",
        "A. Fear\nB. Sad\nC. Happy",  # the options again
        "She is not sad",
        "The answer is not B",
        "neither happy nor sad",
        "I cannot tell whether she is sad",
        "I'm sorry, I can't determine the emotion. Sad?",
        "I'm not sure",
        "As an AI I cannot view videos",
        "Z",
        "I think so",
        "A person",
        "unsadness",
        "The emotion is unclear",
    ],
)
def test_no_answer_is_read_from(text):
    assert EMOTION.parse(text, QUESTION) is None


@pytest.mark.parametrize(("text", "label"), [("A", "Fear"), ("A is correct", "Fear"), ("The answer is A", "Fear")])
def test_a_is_a_letter_where_it_cannot_be_a_word(text, label):
    assert EMOTION.parse(text, QUESTION) == label


def test_without_listed_options_letters_follow_the_label_order():
    assert EMOTION.parse("B", "What does she feel?") == "Sad"
    assert EMOTION.parse("A", "What does she feel?") == "Happy"


@pytest.mark.parametrize("label", label_set("head_pose7"))
def test_the_longest_label_wins(label):
    assert POSE.parse(f"The head is turned {label.lower()}.") == label


def test_an_angle_without_a_side_is_no_head_pose():
    assert POSE.parse("60 degrees") is None


SAME = "Are these two videos of the same person?"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Yes", "Yes"),
        ("yes.", "Yes"),
        ("**Yes**, they are.", "Yes"),
        ("They are the same person", "Yes"),
        ("No doubt, it is the same person.", "Yes"),
        ("They are not different people", "Yes"),
        ("No", "No"),
        ("The answer is no.", "No"),
        ("No, they are different people", "No"),
        ("They are not the same person", "No"),
        ("I do not think they are the same person", "No"),
        ("These are different individuals", "No"),
        ("I cannot tell", None),
        ("I can't say whether they are the same person", None),
        ("Yes, they are not the same", None),
        ("yes and no.", None),
        ("", None),
        ("Perhaps", None),
    ],
)
def test_yes_and_no_are_read_from_words_too(text, answer):
    assert IDENTITY.parse(text, SAME) == answer


def test_a_question_for_a_difference_turns_the_words_round_but_not_yes():
    question = "Are these two different people?"
    assert IDENTITY.parse("They are different", question) == "Yes"
    assert IDENTITY.parse("Yes", question) == "Yes"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("black_hair, eyeglasses, bangs", {"black_hair", "eyeglasses", "bangs"}),
        ("Black hair; Glasses and bangs", {"black_hair", "eyeglasses", "bangs"}),
        ("- no_beard\n- **young**", {"no_beard", "young"}),
        ("no beard young", {"no_beard", "young"}),
        ("male, without eyeglasses", {"male"}),
        ("5 o’clock shadow", {"5_o_clock_shadow"}),
        ("unicorn, bald", {"bald"}),
        ("none", set()),
        ("None of them.", set()),
    ],
)
def test_label_sets_are_read_in_any_spelling(text, labels):
    assert APPEARANCE.parse(text) == labels


@pytest.mark.parametrize("text", ["", "unicorn", "female", "I cannot see whether she is young"])
def test_what_names_no_label_is_no_label_set(text):
    assert APPEARANCE.parse(text) is None


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("AU1, AU4, AU15", {"AU1", "AU4", "AU15"}),
        ("au 01; AU_04", {"AU1", "AU4"}),
        ("12", {"AU12"}),
        ("1, 4 and 12", {"AU1", "AU4", "AU12"}),
        ("Action Unit 4 (brow lowerer)", {"AU4"}),
        ("The inner brow raiser, lips part", {"AU1", "AU25"}),
        ("AU12 with intensity 4", {"AU12"}),
        ("AU1 and AU5", {"AU1"}),
        ("none", set()),
        ("No action units are active.", set()),
        ("AU5", None),
        ("two", None),
    ],
)
def test_action_units_are_read_by_number_and_by_name(text, labels):
    assert UNITS.parse(text) == labels


SEVERAL = "Which emotions?\nA. Fear\nB. Sadness\nC. Happiness\nD. Anger\nE. Surprise"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("A, D", {"Fear", "Anger"}),
        ("a and d", {"Fear", "Anger"}),
        ("AD", {"Fear", "Anger"}),
        ("[A] [D]", {"Fear", "Anger"}),
        ("The answer is A, D.", {"Fear", "Anger"}),
        ("A. Fear, D. Anger", {"Fear", "Anger"}),
        ("Fear (A) and anger (D)", {"Fear", "Anger"}),
        ("fear, angry", {"Fear", "Anger"}),
        ("B", {"Sadness"}),
        ("none", set()),
        ("A. Anger", None),  # the letter contradicts the text
        ("Z", None),
        ("A man", None),
        ("", None),
    ],
)
def test_several_options_are_read_by_letter_and_by_word(text, labels):
    assert find_task("MAFW_Multiple-Label-Emotion-Recognition").parse(text, SEVERAL) == labels


def test_letters_mean_nothing_where_no_options_are_listed():
    several = find_task("MAFW_Multiple-Label-Emotion-Recognition")
    assert several.parse("A, D", "Name all emotions.") is None
    assert several.parse("Anger, Helplessness", "Name all emotions.") == {"Anger", "Helplessness"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("She has short wavy black hair.", {"short", "wavy", "black"}),
        ("Blond.", {"blonde"}),
        ("Not long but short", {"short"}),
        ("Nice hair", None),
    ],
)
def test_open_hair_answers_are_read_by_vocabulary(text, words):
    assert HAIR.parse(text, "Describe the hair.") == words


@pytest.mark.parametrize("name", ["dfew7", "head_pose7", "sentiment3", "sentiment7", "mafw11", "fine22", "micro5"])
def test_every_reference_of_the_form_letter_text_is_read_back(name):
    task = replace(EMOTION, labels=label_set(name), aliases={})
    labels = sorted(task.labels)
    question = "Which?\n" + "\n".join(f"{chr(65 + i)}. {label}" for i, label in enumerate(labels))
    for label in labels:
        assert task.parse(task.phrase(label, question), question) == label


def test_every_label_set_is_read_back_from_its_own_phrase():
    for task in (APPEARANCE, UNITS):
        for labels in (frozenset(), frozenset(task.labels), frozenset(task.labels[::3])):
            assert task.parse(task.phrase(labels)) == labels


def test_a_label_that_is_spelled_of_letters_of_options_is_the_label():
    question = "\n".join(["Which?", *(f"{chr(65 + n)}. {label}" for n, label in enumerate(APPEARANCE.labels[:12]))])
    assert APPEARANCE.parse("bald", question) == {"bald"}
    assert APPEARANCE.parse("Bald.", question) == {"bald"}
    assert APPEARANCE.parse("abl", question) == {APPEARANCE.labels[place] for place in (0, 1, 11)}

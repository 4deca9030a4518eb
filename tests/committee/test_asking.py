"""Facts about what vision models reply: read where it has one meaning, and otherwise unreadable with the reason."""

import pytest

from videmo.committee import asking
from videmo.committee.asking import Expressions, Feeling, Vote
from videmo.judge.json_values import UnreadableReply
from videmo.tasks import find_task

DFEW = find_task("DFEW_Single-Label-Emotion-Recognition")


def test_the_fifteen_open_attributes_are_asked_for_on_two_levels():
    assert len(asking.ATTRIBUTES) == 15 and len(asking.LOOKS) == 12
    assert {*asking.LOOKS, *asking.ACTIONS} == {*asking.ATTRIBUTES}
    assert "Eyes: brown, black" in asking.vocabulary(["Eyes"])
    assert asking.units().splitlines()[0] == "AU1: inner brow raiser"


@pytest.mark.parametrize(
    "reply",
    [
        '{"Eyes": "brown", "Face_shape": "oval", "Nose": null}',
        '```json\n{"eyes": "brown", "Face shape": "oval"}\n```',
        'Here is what I see: {"Eyes": ["brown"], "face_shape": "oval", "Chin": "not visible"} Hope it helps!',
        '<think>{"Eyes": "blue"}</think>{"Eyes": "brown", "Face_shape": " oval ", "Mood": "sad"}',
    ],
)
def test_attributes_are_read_from_json_in_any_wrapping(reply):
    assert asking.read_attributes(reply) == {"Eyes": "brown", "Face_shape": "oval"}


def test_a_word_of_the_vocabulary_that_denies_is_an_answer():
    assert asking.read_expressions('{"Body_actions": "nothing", "action_units": [], "expressions": ""}') == Expressions(
        {"Body_actions": "nothing"}, (), ""
    )


def test_expressions_have_known_units_in_their_order():
    reply = '{"Facial_actions": "frowning", "action_units": ["AU15", "au4", "AU99"], "expressions": "Brows are drawn."}'
    found = Expressions({"Facial_actions": "frowning"}, ("AU4", "AU15"), "Brows are drawn.")
    assert asking.read_expressions(reply) == found
    assert asking.read_expressions(reply.replace('["AU15", "au4", "AU99"]', '"AU4; AU15"')) == found


def test_an_emotion_is_a_label_of_the_task_or_nothing():
    read = asking.emotion_reader(DFEW)
    assert read('{"emotion": "sadness", "sentiment": "negative.", "because": "x"}') == Feeling("Sad", "Negative", "x")
    assert read('{"emotion": null, "sentiment": null}') == Feeling(None, None, "")
    for reply, why in (
        ('{"emotion": "hungry"}', "'hungry', which is none of Happy, Sad"),
        ('{"mood": "Sad"}', "has no emotion"),
        ('{"emotion": "Sad", "sentiment": "mixed"}', "sentiment is 'Mixed'"),
        ('{"emotion": 3}', "emotion is no text"),
    ):
        with pytest.raises(UnreadableReply, match=why):
            read(reply)


def test_votes_are_by_number_and_one_left_out_is_none():
    read = asking.vote_reader(3)
    votes = (
        '{"votes": [{"sample": 1, "right": true, "wrong": ""}, {"sample": "3", "right": "No.", "wrong": "It is red."}]}'
    )
    assert read(votes) == {1: Vote(True, ""), 3: Vote(False, "It is red.")}
    assert read(votes[len('{"votes": ') : -1]) == read(votes)  # a bare list
    for reply, why in (
        ('{"votes": [{"sample": 4, "right": true}]}', "there are 1 to 3"),
        ('{"votes": [{"sample": 1, "right": true}, {"sample": 1, "right": false}]}', "two votes on sample 1"),
        ('{"votes": [{"sample": 1, "right": "perhaps"}]}', "neither true nor false"),
        ('{"votes": []}', "is empty"),
        ('{"votes": "all right"}', "no list of votes"),
        ("All of them are right.", "no list of votes"),
        ('{"votes": [{"sample": 1, "right": true}', "cut short"),
    ):
        with pytest.raises(UnreadableReply, match=why):
            read(reply)


@pytest.mark.parametrize(
    "read", [asking.read_attributes, asking.read_expressions, asking.read_text, asking.vote_reader(2)]
)
def test_refusals_empty_replies_and_web_pages_are_no_replies(read):
    for reply, why in (
        ("I'm sorry, but I can't help with identifying people.", "declined"),
        ("I cannot describe the person in this video.", "declined"),
        ("  ", "empty"),
        ("<html><body>502</body></html>", "web page"),
    ):
        with pytest.raises(UnreadableReply, match=why):
            read(reply)


def test_a_text_is_prose_alone():
    for reply in (
        "A man smiles at the camera.",
        "```\nA man smiles at the camera.\n```",
        '{"text": "A man smiles at\\n the camera."}',
    ):
        assert asking.read_text(reply) == "A man smiles at the camera."
    for reply in ('{"a": "A man smiles.", "b": "He is glad."}', "Fine."):
        with pytest.raises(UnreadableReply):
            asking.read_text(reply)


def test_every_schema_is_strict_and_has_what_its_reader_reads():
    for use in asking.USES:
        held = asking.reply_schema(use, DFEW)
        if held is None:
            assert use in ("describe", "rationale")
            continue
        schema = held["json_schema"]["schema"]
        assert held["json_schema"]["strict"] and schema["required"] == [*schema["properties"]]
        assert schema["additionalProperties"] is False

"""Facts about replies: many forms are read, and what can mean two things is not."""

import json

import pytest

from videmo.affect import AffectiveTree
from videmo.judge.json_values import UnreadableReply
from videmo.judge.prompt import load_prompts, read_prompt
from videmo.judge.question import SCORES, Question
from videmo.judge.replies import read_reply
from videmo.judge.schemas import response_format
from videmo.tasks import label_set, label_set_names

PROMPTS = load_prompts()
TEXTS = {"question": "How does she feel?", "reference": "Sad.", "response": "She weeps."}
QUESTIONS = {
    "labels": Question(
        "labels", {"task_labels": "Happy\nSad\nWeak Angry\nOthers", "question": "A. Happy\nB. sad", "response": ""}
    ),
    "yes_no": Question("yes_no", TEXTS),
    "caption": Question("caption", TEXTS),
    "understanding": Question("understanding", TEXTS),
    "tree": Question("tree", {"caption": "A sad woman."}),
}


def read(use, text):
    return read_reply(text, PROMPTS[use], QUESTIONS[use])


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ('{"score": 85}', 85),
        ('{"Score": "85"}', 85),
        ('{"reason": "2 of 3 clues", "score": 85.5}', 85.5),
        ('```json\n{"score": 85}\n```', 85),
        ('Here it is:\n{"score": 85}\nI hope it helps {really}.', 85),
        ('<think>70? No, {"score": 60}.</think>{"score": 85}', 85),
        ("85", 85),
        (" 85. ", 85),
        ("85/100", 85),
        ("85 / 100 points", 85),
        ("85%", 85),
        ("**Score:** 85/100", 85),
        ("**Score: 85**", 85),
        ("Score = 0", 0),
        ("The score is 100.", 100),
        ("Score (0-100): 85", 85),
        ("Score: 85. It names 2 of the 3 people and 3/4 of the clues.", 85),
        ("Score: 85\n\nFinal score: 85", 85),
        ("I would give this 85 out of 100, since 2 facts are missing.", 85),
        ("Rating: 7", 7),
        ("I give it a score of **85**.", 85),
    ],
)
def test_a_score_is_read_in_many_forms(text, score):
    assert read("caption", text) == score


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("<think>so it is 85</think>", "empty"),
        ("<!DOCTYPE html><html><body>Score: 85</body></html>", "web page"),
        ('{"score": 130}', "130 is off the scale 0 to 100"),
        ('{"score": -5}', "off the scale"),
        (f'{{"score": {"9" * 400}}}', "off the scale"),
        (f'{{"score": {"9" * 9000}}}', "broken"),
        ('{"score": 0.85}', "on a scale of 0 to 1"),
        ("Score: 0.85", "on a scale of 0 to 1"),
        ("7/10", "out of 10, but the scale is 0 to 100"),
        ("Score: 7/10", "out of 10"),
        ('{"score": "7/10"}', "out of 10"),
        ("Score: 85, or rather score: 70", "70 and 85 at once"),
        ("Score: 85. Overall 90/100.", "85 and 90 at once"),
        ("Score: 80-90", "not one number"),
        ("Score: 80 to 90", "not one number"),
        ("Score: 8,5", "not one number"),
        ('{"score": 85} {"score": 20}', "2 different JSON values"),
        ('{"score": 85, "score": 20}', "score twice"),
        ('{"score": 85', "cut short"),
        ('{"score": 8', "cut short"),
        ('```json\n{"score":', "cut short"),
        ('{"score": null}', "no number"),
        ('{"score": true}', "no number"),
        ('{"score": NaN}', "NaN"),
        ('{"persons": 2}', "no score"),
        ('{"score": 85, "rating": 20}', "more than one score"),
        ("It mentions 2 people.", "states no score"),
        ("I cannot judge that.", "states no score"),
        ('{"a":' * 5000, "cut short or broken"),
    ],
)
def test_a_score_that_is_in_doubt_is_not_read(text, why):
    with pytest.raises(UnreadableReply, match=why):
        read("caption", text)


def test_scores_of_another_scale_are_shares_of_its_top():
    prompt = read_prompt("caption", "{version: 1, reply: score, scale: [1, 5], user: '{reference} {response}'}", "x")
    assert read_reply("Score: 4/5", prompt, QUESTIONS["caption"]) == 80
    with pytest.raises(UnreadableReply, match="off the scale 1 to 5"):
        read_reply("85", prompt, QUESTIONS["caption"])


SIX = {name: 70 + place for place, name in enumerate(SCORES)}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(SIX),
        json.dumps({"scores": SIX}),
        json.dumps({name: {"score": value, "reason": "2 clues"} for name, value in SIX.items()}),
        json.dumps({name.replace("_", " ").title(): f"{value}/100" for name, value in SIX.items()}),
        ", ".join(f"{name}: {value}" for name, value in SIX.items()),
        "\n".join(f"{i}. **{n.replace('_', ' ').title()}**: {v}/100 - 2 clues" for i, (n, v) in enumerate(SIX.items())),
        "\n".join(f"- {name.replace('_', '-')} (1-100) = {value}" for name, value in SIX.items()),
    ],
)
def test_six_scores_are_read_in_many_forms(text):
    assert read("understanding", text) == SIX


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (json.dumps({name: SIX[name] for name in SCORES[:-1]}), "lacks fluency"),
        (json.dumps(SIX | {"fluency": 130}), "fluency 130 is off"),
        (json.dumps(SIX | {"fluency": 0}), "fluency 0 is off the scale 1 to 100"),
        ("70, 71, 72, 73, 74, 75", "lacks label_overlap"),
        (", ".join(f"{name}: {value}" for name, value in SIX.items()) + "; fluency: 12", "fluency is 12 and 75"),
        (json.dumps(SIX)[:-4], "cut short"),
    ],
)
def test_six_scores_of_which_one_is_in_doubt_are_not_read(text, why):
    with pytest.raises(UnreadableReply, match=why):
        read("understanding", text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"answer": "yes"}', True),
        ('{"answer": false}', False),
        ("yes.", True),
        ("**No**", False),
        ("Yes, both say sad.", True),
        ("No. The reference says sad; there is no doubt.", False),
        ("The reference says sad.\nAnswer: no", False),
        ("The verdict is yes", True),
        ("Yes. No contradictions.", True),
        ("Correct.", True),
        ("Incorrect", False),
    ],
)
def test_yes_and_no_are_read_in_many_forms(text, value):
    assert read("yes_no", text) is value


@pytest.mark.parametrize(
    "text", ["Yes and no.", "yes/no", "maybe", "No doubt she is sad", "Yes.\nAnswer: no", '{"a": "yes"}']
)
def test_neither_yes_nor_no_is_not_read(text):
    with pytest.raises(UnreadableReply):
        read("yes_no", text)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('{"labels": ["sad"]}', ("Sad",)),
        ('{"labels": ["weak_angry", "Happy"]}', ("Happy", "Weak Angry")),
        ('["Sad", "Happy"]', ("Happy", "Sad")),
        ('```json\n["Sad"]\n```', ("Sad",)),
        ('{"labels": []}', ()),
        ("none", ()),
        ("Sad.", ("Sad",)),
        ("Labels: Sad, Weak Angry", ("Sad", "Weak Angry")),
        ("- Sad\n- Others", ("Sad", "Others")),
        ("Happy and Sad", ("Happy", "Sad")),
        ("B. Sad", ("Sad",)),
        ("B", ("Sad",)),
        ("(A), (B)", ("Happy", "Sad")),
    ],
)
def test_labels_are_read_in_many_forms(text, labels):
    assert read("labels", text) == labels


@pytest.mark.parametrize(
    "text",
    [
        '{"labels": ["joyful"]}',
        "joyful",
        "A. Sad",
        "C",
        "Sad, joyful",
        "She is Sad",
        '{"labels": null}',
        '{"labels": [1]}',
    ],
)
def test_a_label_that_is_not_listed_is_not_read(text):
    with pytest.raises(UnreadableReply):
        read("labels", text)


@pytest.mark.parametrize("name", label_set_names())
def test_every_label_of_the_benchmark_is_read_back(name):
    labels = label_set(name)
    question = Question("labels", {"task_labels": "\n".join(labels), "question": "", "response": ""})
    for text in (json.dumps({"labels": labels}), ", ".join(labels), "\n".join(labels)):
        assert read_reply(text, PROMPTS["labels"], question) == labels


TREE = AffectiveTree.from_compact(
    "video(person: woman(emotion: sadness(mouth: downturned corners)), scene(lighting: dim))"
)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(TREE.to_json()),
        json.dumps({"tree": TREE.to_json()}),
        f"```json\n{json.dumps(TREE.to_json(), indent=2)}\n```",
        json.dumps(TREE.to_json()).replace("person: woman", "Person:  Woman"),
        str(TREE),
    ],
)
def test_a_tree_is_read_in_many_forms(text):
    assert read("tree", text) == TREE


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (json.dumps(TREE.to_json())[:-3], "cut short"),
        ('{"label": "person: man", "children": []}', "root 'person: man'"),
        ('{"label": "video", "children": [{"label": "hair: black"}]}', "'hair: black' beneath 'video'"),
        ('{"label": "video", "children": [{"label": "a man"}]}', "no label of a tree"),
        ('{"label": "video", "children": ["person: man"]}', "no affective tree"),
        ("She is sad.", "no tree"),
        ("[1, 2]", "no tree"),
    ],
)
def test_what_is_no_tree_is_not_read(text, why):
    with pytest.raises(UnreadableReply, match=why):
        read("tree", text)


@pytest.mark.parametrize("use", QUESTIONS)
def test_a_schema_requires_all_its_properties_and_nothing_else(use):
    schema = response_format(PROMPTS[use], QUESTIONS[use])["json_schema"]["schema"]
    assert [*schema["properties"]] == schema["required"] and schema["additionalProperties"] is False
    json.dumps(schema)

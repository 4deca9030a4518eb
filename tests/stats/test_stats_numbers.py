"""The numbers of the pictures, against those counted by hand on the small folder."""

import json

import pytest

from videmo.stats.command import stats

EMOTION, CAPTION = "emotion_dfew", "caption"


@pytest.fixture
def figures(told):
    return json.loads((told[0] / "stats" / "stats.json").read_text())["figures"]


def test_the_taxonomy_has_every_task_and_source_with_its_class(figures):
    taxonomy = figures["taxonomy"]
    assert taxonomy["records"] == 8
    assert taxonomy["classes"] == {"attribute": 1, "expression": 4, "emotion": 2, "text": 1}
    rows = {(row["class"], row["task"], row["source"]): (row["records"], row["videos"]) for row in taxonomy["rows"]}
    assert rows == {
        ("attribute", "identity", "MEAD"): (1, 2),
        ("expression", EMOTION, "DFEW"): (4, 3),
        ("emotion", CAPTION, "DFEW"): (1, 1),
        ("emotion", "rationale", "DFEW"): (1, 1),
        ("text", "text", "magpie"): (1, 0),
    }


def test_the_splits_stand_side_by_side_with_what_cannot_be_read(figures):
    assert list(figures["splits"]) == ["train", "test"]
    train, test = figures["splits"].values()
    assert (train["records"], train["unreadable"], train["videos"]) == (8, 1, 5)
    assert test == {
        "records": 1,
        "unreadable": 0,
        "without_task": 0,
        "videos": 1,
        "classes": {"expression": 1},
        "tasks": {EMOTION: 1},
    }


def test_emo_cfg_stands_beside_with_the_ratio(figures):
    published = figures["published"]
    assert (published["published"], published["yours"], published["others"]) == (2156230, 7, {"text": 1})
    rows = {row["task"]: row for row in published["rows"]}
    assert len(rows) == 32
    assert rows["single-label emotion"]["yours"] == 4
    assert rows["single-label emotion"]["ratio"] == pytest.approx(4 / 20060)
    assert rows["Hair"]["yours"] == 0


def test_questions_a_video_count_sets_of_videos_and_say_the_branches_of_each_class(figures):
    questions = figures["questions"]
    # DFEW/1 has three, DFEW/2 one, DFEW/3 two, the pair one; the text is about no video
    assert questions["histogram"] == {"1": 2, "2": 1, "3": 1}
    everything = questions["classes"]["all"]
    assert (everything["questions"], everything["videos"], everything["mean"]) == (7, 4, 1.75)
    assert questions["classes"]["expression"]["branches"] == pytest.approx(4 / 3)
    assert questions["classes"]["emotion"]["branches"] == 2


def test_labels_are_counted_with_those_that_nobody_names_and_answers_that_cannot_be_read(figures):
    own = figures["balance"][EMOTION]
    assert (own["records"], own["read"], own["unread"]) == (4, 4, 1)
    assert own["labels"]["Happy"] == 3 and own["labels"]["Sad"] == 0 and len(own["labels"]) == 7
    assert own["majority"] == {"label": "Happy", "share": 1.0}
    assert figures["balance"]["identity"]["labels"] == {"Yes": 1, "No": 0}
    assert set(figures["balance"]) == {EMOTION, "identity"}


def test_lengths_are_of_the_last_answer_by_task_and_source(figures):
    rows = {(row["task"], row["source"]): row["median"] for row in figures["lengths"]["rows"]}
    assert rows == {(CAPTION, "DFEW"): 12, ("rationale", "DFEW"): 8}


def test_words_stand_at_their_level_and_others_in_a_list(figures):
    words = figures["words"]
    assert words["read"] == words["captions"] == 2
    levels = {level: found["items"] for level, found in words["levels"].items()}
    assert levels["attribute"] == {"lips: thin": 1}
    assert levels["expression"] == {"mouth: downturned corners": 2}
    assert levels["emotion"] == {"sadness": 1}
    assert words["levels"]["emotion"]["silent"] == 1
    assert words["other_words"] == {"zebra": 1}


def test_a_smaller_sample_is_said_and_drawn_alike_again(small):
    page = []
    for _ in range(2):
        stats(str(small), sample=2)
        page.append((small / "stats" / "stats.html").read_text())
        own = json.loads((small / "stats" / "stats.json").read_text())["figures"]["balance"][EMOTION]
        assert (own["records"], own["read"]) == (4, 2)
    assert page[0] == page[1]
    assert "3 of 5, drawn at random within each task" in page[0]

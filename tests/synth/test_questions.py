"""Facts about the records' texts: options, letters, wordings, lengths."""

import re
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from videmo.synth.face import appearance, sentiment
from videmo.synth.questions import FILES, clip_records, hair_words, pair_records
from videmo.synth.world import sample_world
from videmo.tasks import label_set

CHOICES = {"emotion": "dfew7", "head_pose": "head_pose7", "sentiment": "sentiment3"}


@pytest.fixture(scope="module")
def world():
    return sample_world(1500, seed=11)


@pytest.fixture(scope="module")
def records(world):
    return {
        **clip_records(world.clips["train"], [11, 10], {}),
        "identity": pair_records(world.pairs["train"], [11, 10]),
    }


@pytest.fixture(scope="module")
def by_path(world):
    return {clip.path: clip for clip in world.clips["train"]}


def question(record):
    return record["messages"][0]["content"].replace("<video>", "").strip()


def answer(record):
    return record["messages"][1]["content"]


def options(record):
    return dict(re.findall(r"^([A-G])\. (.+)$", question(record), flags=re.MULTILINE))


def test_every_clip_is_asked_every_task_once(records, by_path):
    assert set(records) == set(FILES)
    for task in records:
        if task != "identity":
            asked = Counter(record["videos"][0] for record in records[task])
            assert set(asked) == set(by_path) and set(asked.values()) == {1}


def test_a_share_of_the_clips_is_asked_where_one_is_given(world):
    clips = world.clips["train"]
    records = clip_records(clips, [11, 10], {"caption": 0.25})
    assert len(records["caption"]) == pytest.approx(0.25 * len(clips), rel=0.3)
    assert len(records["emotion"]) == len(clips)


@pytest.mark.parametrize("task", CHOICES)
def test_options_are_the_label_set_and_the_answer_is_the_text_of_the_right_one(records, by_path, task):
    truth = {"emotion": lambda c: c.emotion, "head_pose": lambda c: c.pose, "sentiment": sentiment}[task]
    for record in records[task]:
        assert sorted(options(record).values()) == sorted(label_set(CHOICES[task]))
        assert answer(record) == truth(by_path[record["videos"][0]])


def test_hair_choices_hold_the_truth_among_four_different_options(records, by_path):
    choices = [record for record in records["hair"] if options(record)]
    assert len(choices) == pytest.approx(len(records["hair"]) / 2, rel=0.15)  # the others are open questions
    for record in choices:
        offered = options(record)
        assert len(set(offered.values())) == 4
        assert answer(record) in offered.values()
        assert answer(record).lower() == hair_words(by_path[record["videos"][0]].identity)


@pytest.mark.parametrize("task", [*CHOICES, "hair"])
def test_letters_of_the_right_option_are_uniform(records, task):
    letter_of = [{text: letter for letter, text in options(record).items()} for record in records[task]]
    letters = Counter(by[answer(record)] for by, record in zip(letter_of, records[task], strict=True) if by)
    assert chisquare(list(letters.values())).pvalue > 0.001


def test_the_wrong_hair_options_are_as_common_as_the_right_ones(records):
    """The most common hair of the world, where offered, is right about one time in four."""
    choices = [record for record in records["hair"] if options(record)]
    common = Counter(answer(record) for record in choices).most_common(1)[0][0]
    offered = [record for record in choices if common in options(record).values()]
    assert 0.15 < np.mean([answer(record) == common for record in offered]) < 0.35


def test_multi_label_answers_list_the_truth_in_the_label_sets_order(records, by_path):
    for record in records["action_units"]:
        named = [] if answer(record) == "none" else answer(record).split(", ")
        assert named == [au for au in label_set("au12") if au in by_path[record["videos"][0]].aus]
    for record in records["appearance"]:
        named = [] if answer(record) == "none" else answer(record).split(", ")
        shown = appearance(by_path[record["videos"][0]])
        assert named == [label for label in label_set("appearance40") if shown.get(label)]


def test_identity_answers_follow_the_clips(records, by_path):
    for record in records["identity"]:
        one, two = (by_path[path] for path in record["videos"])
        assert answer(record) == ("Yes" if one.identity == two.identity else "No")


def test_captions_name_the_emotion_and_the_pose_in_at_most_45_words(records, by_path):
    for record in records["caption"]:
        clip, text = by_path[record["videos"][0]], answer(record)
        assert len(text.split()) <= 45 and text.count(".") == 3
        assert hair_words(clip.identity) in text
        assert ("degrees" in text) == ("degrees" in clip.pose)
    words = {word for record in records["caption"] for word in re.findall(r"\w+", answer(record))}
    assert len(words) < 80


def test_questions_are_short_and_a_few_stand_before_the_video(records):
    everything = [record for task in records for record in records[task]]
    for record in everything:
        assert len(question(record).split("\n")[0].split()) <= 15
    first = np.mean([not record["messages"][0]["content"].startswith("<video>") for record in everything])
    assert 0.03 < first < 0.07

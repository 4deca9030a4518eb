"""Facts about the true tree: it speaks the lexicon's language, tells what is seen, and hides what is hidden."""

from collections import Counter
from dataclasses import replace

import pytest

from videmo.affect import load_lexicon
from videmo.synth.face import EMOTIONS
from videmo.synth.labels import hidden_parts
from videmo.synth.truth import UNITS, affective_tree, told
from videmo.synth.world import sample_world


@pytest.fixture(scope="module")
def clips():
    return [clip for split in sample_world(300, seed=3).clips.values() for clip in split]


def labels(clip):
    return affective_tree(clip).pairs()


def test_every_label_of_the_truth_is_in_the_lexicon(clips):
    assert {label for clip in clips for label in labels(clip)} <= load_lexicon().labels


def test_a_tree_has_the_three_levels_beneath_each_person(clips):
    for clip in clips:
        for person in affective_tree(clip).children:
            assert person.aspect == "person" and all(child.aspect == "emotion" for child in person.children)


def test_a_pair_has_two_persons_and_every_other_clip_one(clips):
    for clip in clips:
        nouns = ["man" if p.male else "woman" for p in (clip.identity, clip.partner) if p is not None]
        assert [person.item for person in affective_tree(clip).children] == nouns


def test_a_compound_and_a_change_have_two_emotions_and_the_first_of_a_change_is_marked(clips):
    for clip in clips:
        felt = [c for c in affective_tree(clip).children[0].children if not c.is_placeholder]
        assert len(felt) == (2 if clip.kind in ("compound", "change", "micro") else 1)
        times = Counter(node.label for one in felt for node in one.children if node.aspect == "time")
        assert times == {"change": {"time: first": 1}, "micro": {"time: brief": 1}}.get(clip.kind, {})


def test_every_action_unit_in_sight_is_told_and_none_that_is_hidden(clips):
    for clip in clips:
        hidden, told_labels = hidden_parts(clip), labels(clip)
        for unit in {**clip.aus, **clip.first_aus}:
            assert (UNITS[unit] in told_labels) == (UNITS[unit].partition(":")[0] not in hidden) or clip.kind == "pair"


def test_nothing_is_told_twice_of_a_person(clips):
    for clip in clips:
        for person in affective_tree(clip).children:
            assert set(person.pairs().values()) == {1}


def test_a_mask_hides_the_mouth_with_its_lips_and_what_is_worn_on_it(clips):
    clip = next(c for c in clips if c.kind == "single" and "AU12" in c.aus and "mask" not in c.accessories)
    masked = replace(clip, accessories=("mask", "lipstick"))
    assert "mouth: upturned corners" in labels(clip)
    assert not {label.partition(":")[0] for label in labels(masked)} & {"mouth", "lips", "jaw", "cheeks", "beard"}
    assert "accessory: mask" in labels(masked) and "accessory: lipstick" not in labels(masked)


def test_an_attribute_hangs_under_the_first_expression_that_rests_on_it(clips):
    clip = next(c for c in clips if c.kind == "single" and {"AU1", "AU4"} <= set(c.aus))
    nodes = {node.label: node for node in affective_tree(clip).walk()}
    assert [c.label for c in nodes["brows: inner raised"].children] == [f"eyebrows: {clip.identity.eyebrows}"]
    assert not nodes["brows: furrowed"].children


def test_what_comes_along_with_an_emotion_is_told(clips):
    base = next(c for c in clips if c.kind == "single" and not {"mask", "sunglasses"} & set(c.accessories))
    seen = {name: labels(replace(base, emotion=name, aus={})) for name in EMOTIONS}
    assert "eyes: tearful" in seen["Sad"] and "mouth: one corner up" in seen["Contempt"]
    assert "eyes: widened" in seen["Fear"] and "gaze: away" in seen["Anxiety"]
    assert "gaze: up" in seen["Helplessness"] and "gaze: down" in seen["Disappointment"]


def test_units_of_a_compound_go_to_the_emotion_that_they_tell_most_of(clips):
    base = next(c for c in clips if c.kind == "compound" and not {"mask", "sunglasses"} & set(c.accessories))
    clip = replace(base, emotion="Angry", second="Disgust", aus={"AU4": 1.0, "AU10": 1.0, "AU23": 1.0})
    angry, disgusted = told(clip)[0].felt
    assert [shown.label for shown in angry.shown] == ["brows: furrowed", "mouth: tight lips"]
    assert [shown.label for shown in disgusted.shown] == ["mouth: upper lip raised"]

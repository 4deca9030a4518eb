"""Facts about the affective tree: canonical form, the three notations, and the two F1 scores worked by hand."""

import json

import pytest

from videmo.affect import AffectiveTree, pair_f1, tree_f1
from videmo.errors import InputError

TRUTH = """
    video(person: woman(emotion: sadness(mouth: downturned corners(lips: narrow), brows: furrowed),
                        emotion: -(expression: -(hair: black, hair: long))), scene(lighting: dim))
"""
PREDICTION = """
    video(person: woman(emotion: sadness(mouth: downturned corners, gaze: down),
                        emotion: -(expression: -(hair: black))), scene(lighting: dim))
"""


@pytest.fixture
def truth():
    return AffectiveTree.from_compact(TRUTH)


def test_children_in_any_order_make_equal_trees_with_equal_hashes(truth):
    shuffled = AffectiveTree.from_compact(
        "video(scene(lighting: dim), person: woman(emotion: -(expression: -(hair: long, hair: black)), "
        "emotion: sadness(brows: furrowed, mouth: downturned corners(lips: narrow))))"
    )
    assert shuffled == truth and hash(shuffled) == hash(truth) and len({shuffled, truth}) == 1


def test_persons_keep_the_order_of_mention_and_the_scene_comes_last():
    tree = AffectiveTree.from_compact("video(scene(setting: car), person: woman, person: man(age: old))")
    assert [child.label for child in tree.children] == ["person: woman", "person: man", "scene"]
    assert tree != AffectiveTree.from_compact("video(person: man(age: old), person: woman, scene(setting: car))")


def test_children_of_one_label_are_ordered_by_what_is_beneath_them():
    one = AffectiveTree.from_compact("video(emotion: fear(eyes: widened), emotion: fear(brows: raised))")
    other = AffectiveTree.from_compact("video(emotion: fear(brows: raised), emotion: fear(eyes: widened))")
    assert one == other


@pytest.mark.parametrize(
    "through",
    [
        lambda tree: AffectiveTree.from_compact(str(tree)),
        lambda tree: AffectiveTree.from_json(tree.to_json()),
        lambda tree: AffectiveTree.from_json(json.dumps(tree.to_json())),
    ],
)
def test_every_notation_gives_the_same_tree_back(truth, through):
    assert through(truth) == truth


def test_size_counts_all_nodes_and_pairs_only_what_is_said(truth):
    assert truth.size == 12
    assert truth.pairs() == {
        "person: woman": 1,
        "emotion: sadness": 1,
        "mouth: downturned corners": 1,
        "lips: narrow": 1,
        "brows: furrowed": 1,
        "hair: black": 1,
        "hair: long": 1,
        "lighting: dim": 1,
    }


def test_f1_of_the_design_example(truth):
    prediction = AffectiveTree.from_compact(PREDICTION)
    # 6 nodes said, 8 true, 5 of them the same, each beneath the same label.
    assert tree_f1(prediction, truth) == pair_f1(prediction, truth) == pytest.approx(2 * 5 / 14)


def test_an_expression_under_the_wrong_emotion_counts_for_pairs_only():
    truth = AffectiveTree.from_compact("video(person: man(emotion: fear(eyes: widened), emotion: surprise))")
    guess = AffectiveTree.from_compact("video(person: man(emotion: fear, emotion: surprise(eyes: widened)))")
    assert pair_f1(guess, truth) == 1.0
    assert tree_f1(guess, truth) == pytest.approx(0.75)


def test_a_wrong_emotion_costs_itself_and_its_rationales_but_no_attribute_further_down():
    truth = AffectiveTree.from_compact("video(person: man(emotion: fear(eyes: widened(eyes: blue))))")
    guess = AffectiveTree.from_compact("video(person: man(emotion: surprise(eyes: widened(eyes: blue))))")
    assert tree_f1(guess, truth) == pytest.approx(2 * 2 / 8)


def test_two_empty_trees_agree():
    assert tree_f1(AffectiveTree("video"), AffectiveTree("video")) == 1.0
    assert pair_f1(AffectiveTree("video"), AffectiveTree.from_compact("video(person: man)")) == 0.0


@pytest.mark.parametrize(
    "label", ["sad", "", "Mouth: open", "mouth:open", "mouth: ", "mouth: a, b", "a: b(c)", None, 3]
)
def test_a_label_without_aspect_and_item_is_refused(label):
    with pytest.raises(InputError, match="no label"):
        AffectiveTree(label)


@pytest.mark.parametrize(
    "text", ["", "video(", "video)", "video(a: b", "video(,)", "video()", "video(a: b))", "video(a: b) c: d", "(a: b)"]
)
def test_malformed_compact_notation_is_refused(text):
    with pytest.raises(InputError):
        AffectiveTree.from_compact(text)


def test_the_text_of_a_tree_has_a_node_a_line():
    tree = AffectiveTree.from_compact("video(person: man(emotion: fear), scene)")
    assert tree.to_text() == "video\n  person: man\n    emotion: fear\n  scene"


@pytest.mark.parametrize(
    "data",
    ["{", "[]", 3, {}, {"label": "video", "children": 3}, {"label": "video", "children": ["a: b"]}, '{"children": []}'],
)
def test_malformed_json_is_refused(data):
    with pytest.raises(InputError):
        AffectiveTree.from_json(data)

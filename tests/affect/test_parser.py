"""Facts about the caption parser, on single sentences, and on forty captions whose trees were written by hand."""

import sys
import time
from pathlib import Path

import pytest
import yaml

from videmo.affect import AffectiveTree, pair_f1, parse_caption, tree_f1

CAPTIONS, UNSEEN = (
    yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    for name in ("captions40.yaml", "captions8.yaml")
)


def mean(values):
    return sum(values) / len(values)


def test_forty_hand_written_captions_are_read_as_their_trees():
    both = [(parse_caption(c["text"]).tree, AffectiveTree.from_compact(c["tree"])) for c in CAPTIONS]
    assert len(both) == 40
    assert mean([pair_f1(*two) for two in both]) >= 0.95
    assert mean([tree_f1(*two) for two in both]) >= 0.85


def test_captions_that_the_lexicon_was_not_fitted_to_are_mostly_read():
    both = [(parse_caption(c["text"]).tree, AffectiveTree.from_compact(c["tree"])) for c in UNSEEN]
    assert mean([pair_f1(*two) for two in both]) >= 0.7
    assert mean([tree_f1(*two) for two in both]) >= 0.6


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("A man looks angry.", "person: man(emotion: anger)"),
        ("The lady wears no glasses and is not sad.", "person: woman"),
        ("A man without a hat or a beard smiles.", "person: man(emotion: -(mouth: upturned corners))"),
        ("A woman looks slightly sad.", "person: woman(emotion: sadness(intensity: weak))"),
        ("Her eyes are green.", "person: woman(emotion: -(expression: -(eyes: green)))"),
        ("Her green eyes widen.", "person: woman(emotion: -(eyes: widened(eyes: green)))"),
        (
            "Her bushy brows are drawn together.",
            "person: woman(emotion: -(brows: furrowed(eyebrows: bushy)))",
        ),
        (
            "He is afraid because his cheeks and lip corners are raised.",
            "person: man(emotion: fear(cheeks: raised, mouth: upturned corners))",
        ),
        (
            "A boy has short, curly hair.",
            "person: boy(emotion: -(expression: -(hair: short, hair: curly)))",
        ),
        (
            "At first she looks calm, then happy with raised cheeks.",
            "person: woman(emotion: neutral(time: first), emotion: happiness(cheeks: raised))",
        ),
        (
            "He is neutral. For a brief moment he seems disgusted.",
            "person: man(emotion: neutral, emotion: disgust(time: brief))",
        ),
        (
            "His jaw drops. He is surprised.",
            "person: man(emotion: surprise(jaw: dropped))",
        ),
        (
            "A woman looks sad, while a man smiles and looks happy.",
            "person: woman(emotion: sadness), person: man(emotion: happiness(mouth: upturned corners))",
        ),
        (
            "The person on the left is a girl who winks. The one on the right is angry. The girl on the left yawns.",
            "person: girl(emotion: -(action: wink, action: yawn)), person: person(emotion: anger)",
        ),
        (
            "The person nods. She has long hair.",
            "person: woman(emotion: -(action: nod, expression: -(hair: long)))",
        ),
        ("A blurry background in dim light.", "scene(background: blurred, lighting: dim)"),
    ],
)
def test_a_sentence_gives_its_tree(text, tree):
    assert str(parse_caption(text).tree) == str(AffectiveTree.from_compact(f"video({tree})"))


@pytest.mark.parametrize(
    "text", ["", "   ", "...", "12 34", "\n\n", "??!", "<video> é ☃", "with without not no", "a " * 5000]
)
def test_any_text_gives_a_tree(text):
    assert parse_caption(text).tree.label == "video"


def test_words_with_content_that_have_no_place_are_handed_back():
    assert parse_caption("A man with zebra socks juggles.").unplaced == ["zebra socks juggles"]


def test_a_tree_holds_a_label_of_a_person_once():
    tree = parse_caption("His brows are furrowed. He is angry, his brows are furrowed, and he frowns angrily.").tree
    assert set(tree.pairs().values()) == {1}


def test_parsing_twice_gives_the_same():
    for caption in CAPTIONS:
        assert parse_caption(caption["text"]) == parse_caption(caption["text"])


def test_a_thousand_captions_of_sixty_words_take_less_than_two_seconds():
    texts = [f"{one['text']} {other['text']}" for one, other in zip(CAPTIONS, CAPTIONS[7:] + CAPTIONS[:7], strict=True)]
    parse_caption(texts[0])
    start = time.process_time()
    for text in texts * 25:
        parse_caption(text)
    assert time.process_time() - start < (2 if sys.gettrace() is None else 10)  # lines are traced for coverage


@pytest.mark.parametrize("words", ["raised ", "brows ", "raised brows ", "no hat or ", "happy and "])
def test_endless_repetition_takes_no_endless_time(words):
    start = time.process_time()
    parse_caption(words * 2000)
    assert time.process_time() - start < (2 if sys.gettrace() is None else 10)  # lines are traced for coverage

"""Facts about the lexicon: it covers the benchmark's label sets, and everything in it can be read back."""

import pytest

from videmo.affect import canonical, load_lexicon, parse_caption
from videmo.errors import InputError
from videmo.tasks import label_meanings, label_set

APPEARANCE = {
    "blurry": "image: blurry",
    "male": "person: man",
    "young": "age: young",
    "chubby": "face: chubby",
    "5_o_clock_shadow": "beard: stubble",
    "bags_under_eyes": "eyes: bags",
    "big_lips": "lips: full",
    "pointy_nose": "nose: pointy",
    "no_beard": "beard: none",
    "bald": "hair: bald",
    "double_chin": "chin: double",
    "wearing_necktie": "accessory: necktie",
    "heavy_makeup": "accessory: makeup",
    "bushy_eyebrows": "eyebrows: bushy",
    "rosy_cheeks": "cheeks: rosy",
    "receding_hairline": "hair: receding",
}
UNITS = {
    "AU1": "brows: inner raised",
    "AU2": "brows: outer raised",
    "AU4": "brows: furrowed",
    "AU6": "cheeks: raised",
    "AU7": "eyes: narrowed",
    "AU10": "mouth: upper lip raised",
    "AU12": "mouth: upturned corners",
    "AU15": "mouth: downturned corners",
    "AU23": "mouth: tight lips",
    "AU24": "mouth: pressed lips",
    "AU25": "mouth: parted lips",
    "AU26": "jaw: dropped",
}


def labels_in(text):
    return set(parse_caption(text).tree.pairs())


@pytest.mark.parametrize("label", label_set("appearance40"))
def test_every_appearance_label_is_understood_as_it_is_written(label):
    parse = parse_caption(f"The person has {label.replace('_', ' ')}.")
    found = set(parse.tree.pairs()) - {"person: person"}
    assert found and not parse.unplaced
    assert APPEARANCE.get(label) in {None, *found}


@pytest.mark.parametrize("label", label_set("action35"))
def test_every_action_label_is_understood(label):
    said = {"turn": "turn the head", "gaze": "gaze at the camera"}.get(label, label.replace("_", " "))
    parse = parse_caption(f"They {said}.")
    assert parse.tree.pairs() and not parse.unplaced


@pytest.mark.parametrize("unit", label_set("au12"))
def test_every_action_unit_is_understood_by_its_meaning(unit):
    assert UNITS[unit] in labels_in(f"The face shows the {label_meanings('au12')[unit]}.")


@pytest.mark.parametrize("label", label_set("mafw11"))
def test_every_emotion_is_understood(label):
    assert f"emotion: {label.lower()}" in labels_in(f"The man shows {label.lower()}.")


def test_an_unknown_item_is_refused_with_those_that_exist():
    with pytest.raises(InputError, match="black, blonde"):
        canonical("hair", "purple")


def test_every_combination_and_phrase_stands_for_a_known_label():
    lexicon = load_lexicon()
    entries = {entry for phrases in lexicon.phrases.values() for _, found in phrases for entry in found}
    values = {e.value for e in entries if e.kind in ("emotion", "expression", "attribute", "scene")}
    assert values | {entry.value for entry in lexicon.combinations.values()} <= lexicon.labels

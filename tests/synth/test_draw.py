"""Every value of every label changes the picture where it should, plainly enough for 84 x 84 pixels."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from videmo.synth.draw import draw_clip
from videmo.synth.face import (
    ACCESSORIES,
    AGES,
    BODY_ACTIONS,
    CHINS,
    EMOTIONS,
    EYEBROWS,
    FACE_ACTIONS,
    HAIR_COLOURS,
    HAIR_LENGTHS,
    HAIR_TEXTURES,
    INTENSITIES,
    LIPS,
    MICRO,
    NOSES,
    RELATIONS,
)
from videmo.synth.facets import MARKS
from videmo.synth.landmarks import EYE_OPENINGS
from videmo.synth.palette import EYE, SKIN
from videmo.synth.world import HARD, STRENGTHS, sample_action_units, sample_world

SEEN, BLOCK = 84, 7
PLAIN = {
    "male": True,
    "age": "young",
    "skin": "fair",
    "face_shape": "oval",
    "eye_colour": "brown",
    "eye_shape": "average",
    "eye_bags": False,
    "eyebrows": "thin",
    "nose": "average",
    "lips": "thin",
    "chin": "rounded",
    "hair_colour": "brown",
    "hair_texture": "straight",
    "hair_length": "short",
    "bangs": False,
    "receding": False,
    "beard": "none",
    "sideburns": False,
    "mark": "none",
}
LOOKS = {
    "age": AGES,
    "skin": tuple(SKIN),
    "face_shape": ("oval", "round", "square"),
    "eye_colour": tuple(EYE),
    "eye_shape": tuple(EYE_OPENINGS),
    "eye_bags": (False, True),
    "eyebrows": EYEBROWS,
    "nose": NOSES,
    "lips": LIPS,
    "chin": CHINS,
    "hair_colour": HAIR_COLOURS,
    "hair_texture": HAIR_TEXTURES,
    "hair_length": HAIR_LENGTHS,
    "bangs": (False, True),
    "receding": (False, True),
    "beard": ("none", "goatee", "mustache", "stubble"),
    "sideburns": (False, True),
    "mark": tuple(MARKS),
}


@pytest.fixture(scope="module")
def world():
    return sample_world(300, seed=2)


@pytest.fixture(scope="module")
def plain(world):
    clip = next(clip for clip in world.clips["train"] if clip.kind == "single")
    return replace(
        clip,
        identity=replace(clip.identity, **PLAIN),
        emotion="Neutral",
        aus={},
        pose="Front",
        intensity="medium",
        accessories=(),
        background="plain",
        head_action="none",
        face_action="none",
        body_action="none",
    )


def small(clip, frame=10):
    picture = Image.fromarray(draw_clip(clip)[frame]).resize((SEEN, SEEN), Image.Resampling.BICUBIC)
    return np.asarray(picture, dtype=float)


def difference(one, two):
    """The largest mean absolute difference of any block of 7 x 7 pixels, a quarter of a patch."""
    change = np.abs(one - two).mean(axis=-1).reshape(SEEN // BLOCK, BLOCK, SEEN // BLOCK, BLOCK)
    return change.mean(axis=(1, 3)).max()


@pytest.mark.parametrize("field", LOOKS)
def test_all_values_of_a_look_differ_plainly(plain, field):
    drawn = {value: small(replace(plain, identity=replace(plain.identity, **{field: value}))) for value in LOOKS[field]}
    for one, two in combinations(drawn, 2):
        assert difference(drawn[one], drawn[two]) > 12, (one, two)


@pytest.mark.parametrize("accessory", ACCESSORIES)
def test_what_is_worn_is_seen(plain, accessory):
    assert difference(small(plain), small(replace(plain, accessories=(accessory,)))) > 12


def test_dark_lenses_hide_the_eyes_and_a_mask_the_mouth(plain):
    for accessory, field, value in (("sunglasses", "eye_colour", "blue"), ("mask", "lips", "full")):
        worn = replace(plain, accessories=(accessory,))
        other = replace(worn, identity=replace(plain.identity, **{field: value}))
        assert np.array_equal(draw_clip(worn), draw_clip(other))


@pytest.mark.parametrize("action", BODY_ACTIONS[1:])
def test_what_the_body_does_is_seen(plain, action):
    assert difference(small(plain), small(replace(plain, body_action=action))) > 25


@pytest.mark.parametrize("action", FACE_ACTIONS[1:])
def test_what_the_face_does_is_seen_in_a_sampled_frame(plain, action):
    active = replace(plain, face_action=action)
    assert max(difference(small(plain, frame), small(active, frame)) for frame in (0, 5, 10, 15)) > 12


@pytest.mark.parametrize("occluder", [name for name in HARD.occluders if name != "none"])
def test_an_occluder_hides_a_part_of_the_face(plain, occluder):
    changed = np.abs(draw_clip(plain)[10].astype(int) - draw_clip(replace(plain, occluder=occluder))[10]).max(axis=-1)
    assert 0.15 < (changed[20:108, 28:100] > 12).mean() < 0.45


def felt(clip, emotion, intensity, tint=1.0):
    units = sample_action_units((emotion,), STRENGTHS[intensity], np.random.default_rng(0))
    return replace(clip, emotion=emotion, intensity=intensity, aus=units, tint=tint)


@pytest.mark.parametrize("emotion", [name for name in EMOTIONS if name != "Neutral"])
def test_three_strengths_of_an_emotion_differ_from_each_other_and_from_none(plain, emotion):
    drawn = [small(plain), *(small(felt(plain, emotion, intensity)) for intensity in INTENSITIES)]
    for one, two in combinations(drawn, 2):
        assert difference(one, two) > 12


def test_an_emotion_shows_without_tint_and_marks_too(plain):
    for emotion in EMOTIONS:
        if emotion != "Neutral":
            assert difference(small(plain), small(felt(plain, emotion, "medium", 0.0))) > 8, emotion


@pytest.mark.parametrize("label", MICRO)
def test_a_micro_expression_is_seen_while_it_lasts_and_leaves_no_trace(plain, label):
    micro = replace(plain, kind="micro", micro=label, aus=dict.fromkeys(MICRO[label], 1.0), onset=8)
    still, brief = replace(plain, kind="micro", micro=label, onset=8), draw_clip(micro)
    assert difference(small(still), small(micro)) > 6
    calm = draw_clip(still)
    for frame in (0, 5, 7, 13, 15):
        assert np.array_equal(brief[frame], calm[frame])


def test_the_relations_of_a_pair_differ(world):
    pair = next(clip for clip in world.clips["train"] if clip.kind == "pair")
    pair = replace(pair, emotion="Neutral", aus={}, partner_emotion="Neutral", partner_aus={})
    drawn = {relation: small(replace(pair, relation=relation)) for relation in RELATIONS}
    for one, two in combinations(drawn, 2):
        assert difference(drawn[one], drawn[two]) > 25, (one, two)


def test_noise_has_its_deviation_differs_by_frame_and_comes_from_the_variation(plain):
    noisy = replace(plain, noise=10.0)
    grain = draw_clip(noisy).astype(float) - draw_clip(plain)
    middle = grain[:, 40:60, 50:70]
    assert 8 < middle.std() < 11 and abs(np.corrcoef(middle[0].ravel(), middle[1].ravel())[0, 1]) < 0.1
    assert np.array_equal(draw_clip(noisy), draw_clip(noisy))


def test_same_state_gives_the_same_pixels_for_every_kind(world):
    for kind in ("single", "compound", "change", "micro", "pair"):
        clip = next(clip for clip in world.clips["train"] if clip.kind == kind)
        frames = draw_clip(clip)
        assert frames.shape == (16, 128, 128, 3) and frames.dtype == np.uint8
        assert np.array_equal(frames, draw_clip(replace(clip)))

"""Landmarks move where anatomy says; pixels, y down, the person's left at the viewer's right."""

from dataclasses import replace

import numpy as np
import pytest

from videmo.synth.face import HEAD_ACTIONS, POSES
from videmo.synth.geometry import Head, skin_outline
from videmo.synth.landmarks import brows, eyes, mouth, nose
from videmo.synth.motion import APEX_FRAME, NUM_FRAMES, animate
from videmo.synth.world import sample_world

APEX = 10


@pytest.fixture(scope="module")
def neutral():
    clip = next(clip for clip in sample_world(60, seed=2).clips["train"] if clip.kind == "single")
    return replace(clip, emotion="Neutral", aus={}, pose="Front", head_action="none", face_action="none")


def landmarks(identity, motion):
    head = Head(identity, motion)
    return {**eyes(head), **brows(head), **nose(head), **mouth(head), "skin": skin_outline(head)}


def marks(clip, **changes):
    clip = replace(clip, **changes)
    return landmarks(clip.identity, animate(clip))


def height(curve, point):
    return curve[APEX, point, 1]


@pytest.mark.parametrize(("au", "sign"), [("AU12", -1), ("AU15", 1)])
def test_lip_corners_rise_with_au12_and_fall_with_au15(neutral, au, sign):
    rest, moved = marks(neutral), marks(neutral, aus={au: 1.0})
    for corner in (0, -1):
        assert sign * (height(moved["lip_inner_top"], corner) - height(rest["lip_inner_top"], corner)) > 2


@pytest.mark.parametrize(("au", "inner", "outer"), [("AU1", -1, 0), ("AU2", 0, -1), ("AU4", 1, 1)])
def test_brow_ends_follow_their_action_unit(neutral, au, inner, outer):
    rest, moved = marks(neutral), marks(neutral, aus={au: 1.0})
    for side in ("left", "right"):
        shift = moved[f"brow_{side}"][APEX, :, 1] - rest[f"brow_{side}"][APEX, :, 1]
        for end, sign in ((0, inner), (-1, outer)):
            assert np.sign(shift[end]) * (abs(shift[end]) > 1.5) == sign


def test_au7_and_a_blink_narrow_the_eye(neutral):
    def opening(curves):
        return (curves["lower_lid_left"] - curves["upper_lid_left"])[:, 6, 1]

    rest, tight = opening(marks(neutral)), opening(marks(neutral, aus={"AU7": 1.0}))
    assert tight[APEX] < 0.7 * rest[APEX]
    motion = replace(animate(neutral), blink=np.ones(NUM_FRAMES))
    assert opening(landmarks(neutral.identity, motion)).max() < 1


def test_au25_parts_the_lips_and_au26_lowers_the_chin(neutral):
    rest = marks(neutral)
    parted, dropped = marks(neutral, aus={"AU25": 1.0}), marks(neutral, aus={"AU26": 1.0})
    assert height(rest["lip_inner_low"], 6) - height(rest["lip_inner_top"], 6) < 0.1
    assert height(parted["lip_inner_low"], 6) - height(parted["lip_inner_top"], 6) > 2
    assert dropped["skin"][APEX, :, 1].max() - rest["skin"][APEX, :, 1].max() > 3


@pytest.mark.parametrize("pose", POSES)
def test_the_nose_points_where_the_head_turns(neutral, pose):
    """Against the middle of the eyes: the person's left is the viewer's right, up is less y."""
    turned, front = marks(neutral, pose=pose), marks(neutral)

    def nose(curves):
        eyes = 0.5 * (curves["iris_left"][APEX].mean(0) + curves["iris_right"][APEX].mean(0))
        return curves["nose_tip"][APEX, 0] - eyes

    shift = nose(turned) - nose(front)
    yaw, pitch = POSES[pose]
    assert np.sign(round(shift[0] / 2)) == np.sign(yaw)
    assert np.sign(round(shift[1] / 2)) == -np.sign(pitch)
    if "60" in pose:
        assert abs(shift[0]) > abs((nose(marks(neutral, pose=pose.replace("60", "30"))) - nose(front))[0])


def test_the_mouth_stays_in_the_frame_and_on_the_face_in_every_pose(neutral):
    for pose in POSES:
        curves = marks(neutral, pose=pose, aus={"AU12": 1.0, "AU25": 1.0})
        mouth, skin = curves["lip_inner_top"][APEX], curves["skin"][APEX]
        assert mouth.min() > 0 and mouth.max() < 128
        assert skin[:, 0].min() - 1 < mouth[:, 0].min() and mouth[:, 0].max() < skin[:, 0].max() + 1


@pytest.mark.parametrize("pose", POSES)
def test_no_head_action_takes_the_eyes_or_the_mouth_out_of_the_frame(neutral, pose):
    for action in HEAD_ACTIONS:
        curves = marks(neutral, pose=pose, head_action=action, aus={"AU1": 1.2, "AU12": 1.2, "AU25": 1.2, "AU26": 1.2})
        for name, curve in curves.items():
            if name != "skin":
                assert np.isfinite(curve).all() and curve.min() > 0 and curve.max() < 128, name


@pytest.mark.parametrize(
    ("field", "small", "large", "curve", "axis"),
    [
        ("nose", "narrow", "wide", "nose_under", 0),
        ("eye_shape", "narrow", "large", "iris_left", 1),
        ("lips", "thin", "full", None, 1),
        ("chin", "rounded", "pointed", "skin", 1),
        ("face_shape", "oval", "round", "skin", 0),
        ("face_shape", "oval", "square", "skin", 0),
        ("eyebrows", "thin", "arched", "brow_left", 1),
        ("nose", "narrow", "wide", "nose_bulb", 1),
    ],
)
def test_words_of_size_are_sizes(neutral, field, small, large, curve, axis):
    def extent(value):
        curves = landmarks(replace(neutral.identity, **{"age": "young", field: value}), animate(neutral))
        points = curves[curve][0] if curve else np.concatenate([curves["lip_top"][0], curves["lip_low"][0]])
        return np.ptp(points[:, axis])

    assert extent(large) > extent(small) + 2.5


def test_a_wink_shuts_the_left_eye_only_and_a_kiss_narrows_the_mouth(neutral):
    def opening(curves, side):
        return (curves[f"lower_lid_{side}"] - curves[f"upper_lid_{side}"])[APEX, 6, 1]

    wink, rest = marks(neutral, face_action="wink"), marks(neutral)
    assert opening(wink, "left") < 1 < 3 < opening(wink, "right")
    kiss = marks(neutral, face_action="kiss")
    assert np.ptp(kiss["lip_top"][APEX, :, 0]) < 0.6 * np.ptp(rest["lip_top"][APEX, :, 0])


def test_contempt_raises_one_corner_of_the_mouth(neutral):
    line = marks(neutral, emotion="Contempt")["lip_inner_top"][APEX, :, 1]
    assert line[-1] < line[0] - 3


def test_the_expression_is_there_from_the_apex_on(neutral):
    motion = animate(replace(neutral, aus={"AU12": 0.9}))
    assert motion.au("AU12")[0] < 0.1
    assert motion.au("AU12")[APEX_FRAME:].min() > 0.8
    sampled = np.linspace(0, NUM_FRAMES - 1, 4).round().astype(int)
    assert (motion.au("AU12")[sampled] > 0.8).sum() >= 3

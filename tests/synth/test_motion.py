"""What moves when: at the four sampled frames 0, 5, 10 and 15 above all."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from videmo.synth.face import MICRO
from videmo.synth.motion import animate, animate_partner
from videmo.synth.world import sample_world

SAMPLED = [0, 5, 10, 15]


@pytest.fixture(scope="module")
def clips():
    return sample_world(200, seed=4).clips["train"]


@pytest.fixture(scope="module")
def neutral(clips):
    clip = next(clip for clip in clips if clip.kind == "single")
    return replace(
        clip, emotion="Neutral", aus={}, pose="Front", head_action="none", face_action="none", body_action="none"
    )


@pytest.mark.parametrize(
    ("action", "angle", "swing"),
    [("nod", "pitch", 32), ("shake_head", "yaw", 44), ("head_wagging", "roll", 36), ("turn", "yaw", 80)],
)
def test_sampled_frames_show_different_phases_of_a_head_action(neutral, action, angle, swing):
    degrees = np.rad2deg(getattr(animate(replace(neutral, head_action=action)), angle))
    sampled = degrees[SAMPLED]
    assert min(abs(one - two) for one, two in combinations(sampled, 2)) > 0.1 * swing
    assert np.ptp(sampled) > 0.75 * swing


def test_head_actions_at_the_steepest_poses_stay_where_a_face_can_be_read(neutral):
    for action, pose in (("shake_head", "Left 60 degrees"), ("nod", "Down"), ("nod", "Up")):
        motion = animate(replace(neutral, head_action=action, pose=pose))
        assert np.rad2deg(abs(motion.yaw)).max() < 63 and np.rad2deg(abs(motion.pitch)).max() < 37


def test_talking_opens_and_closes_between_sampled_frames(neutral):
    opening = animate(replace(neutral, face_action="talk")).open[SAMPLED]
    assert opening.max() > 0.8 and opening.min() < 0.15


def test_looking_around_goes_to_both_sides_in_sampled_frames(neutral):
    gaze = animate(replace(neutral, face_action="look_around")).gaze[SAMPLED, 0]
    assert gaze.max() > 0.8 and gaze.min() < -0.8


def test_a_yawn_is_in_the_middle_with_shut_eyes(neutral):
    motion = animate(replace(neutral, face_action="yawn"))
    assert (motion.open[4:13] > 1.5).all() and (motion.blink[4:13] == 1).all()
    assert motion.open[0] == motion.open[15] == 0


@pytest.mark.parametrize("onset", range(1, 11))
def test_a_micro_expression_lasts_five_frames_and_is_full_in_a_sampled_one(neutral, onset):
    aus = dict.fromkeys(MICRO["Surprise"], 1.0)
    motion = animate(replace(neutral, kind="micro", micro="Surprise", aus=aus, onset=onset))
    for course in motion.aus.values():
        assert (course > 0).sum() == 5 and (course[onset : onset + 5] > 0).all() and (course == 1).sum() >= 4
        assert course[SAMPLED].max() > 0.8
    assert not motion.blink.any()


def test_a_change_shows_the_first_emotion_at_once_and_the_last_from_frame_8(clips):
    clip = next(clip for clip in clips if clip.kind == "change")
    clip = replace(clip, aus={"AU12": 1.0}, first_aus={"AU15": 0.9})
    motion = animate(clip)
    assert (motion.au("AU15")[:7] == 0.9).all() and (motion.au("AU15")[8:] == 0).all()
    assert (motion.au("AU12")[:7] == 0).all() and (motion.au("AU12")[8:] == 1).all()


def test_two_people_turn_to_each_other_or_away(clips):
    pair = next(clip for clip in clips if clip.kind == "pair")
    for relation, toward in (("Hostile", 1), ("Intimate", 1), ("Mild", 1), ("Tense", -1)):
        clip = replace(pair, relation=relation)
        assert (toward * animate(clip).yaw > 0).all() and (toward * animate_partner(clip).yaw < 0).all()
    assert animate(pair).open.max() > 0.8 and not animate_partner(pair).open.any()

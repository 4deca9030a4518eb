"""Labels follow from states written by hand."""

from dataclasses import replace

import pytest

from videmo.synth.attributes import ATTRIBUTES
from videmo.synth.face import COMPOUNDS, EMOTIONS, MEAD, MICRO, Clip, Identity
from videmo.synth.labels import (
    action_labels,
    actions,
    appearance,
    appearance_labels,
    emotion_fine,
    emotion_mafw,
    emotions_mafw,
    hidden_parts,
    sentiment,
    sentiment_fine,
)
from videmo.tasks import label_set

WOMAN = Identity(
    name="person_0",
    male=False,
    age="young",
    skin="pale",
    face_shape="oval",
    eye_colour="blue",
    eye_shape="narrow",
    eye_spacing=0.4,
    eye_tilt=0.0,
    eye_bags=True,
    eyebrows="arched",
    nose="wide",
    nose_length=0.3,
    mouth_width=1.0,
    lips="full",
    chin="double",
    hair_colour="blonde",
    hair_texture="wavy",
    hair_length="long",
    bangs=True,
    receding=False,
    beard="none",
    sideburns=False,
    mark="freckles",
)
CLIP = Clip(
    name="clip_0",
    split="train",
    kind="single",
    identity=WOMAN,
    emotion="Happy",
    aus={"AU12": 0.85},
    pose="Front",
    accessories=(),
    background="plain",
    variation=0,
)
MAN = replace(WOMAN, name="person_1", male=True, age="elderly", hair_length="bald", bangs=False, beard="goatee")


def wearing(*names, identity=WOMAN):
    return replace(CLIP, accessories=names, identity=identity)


def feeling(emotion, intensity="medium", aus=(), **changes):
    return replace(CLIP, emotion=emotion, intensity=intensity, aus=dict.fromkeys(aus, 0.85), **changes)


def facets(attribute, clip):
    return [facet.truth(clip) for facet in ATTRIBUTES[attribute]]


def test_appearance_and_actions_are_labels_in_the_sets_order():
    for shown, name in ((appearance(CLIP), "appearance40"), (actions(CLIP), "action35")):
        assert list(shown) == [label for label in label_set(name) if label in shown]


def test_appearance_never_drawn_is_named_here():
    assert set(label_set("appearance40")) - set(appearance(CLIP)) == {"blurry", "high_cheekbones", "no_beard"}


def test_actions_never_drawn_are_named_here():
    assert set(label_set("action35")) - set(actions(CLIP)) == {
        *("blow", "chew", "cough", "eat", "gaze", "glare", "laugh", "make_a_face"),
        *("play_instrument", "shout", "sigh", "sleep", "sneeze", "sniff", "weep", "whisper"),
    }


def test_the_appearance_of_a_young_woman():
    assert appearance_labels(CLIP) == [
        *("young", "pale_skin", "oval_face", "bangs", "blonde_hair", "wavy_hair", "long_hair", "arched_eyebrows"),
        *("bags_under_eyes", "narrow_eyes", "big_nose", "big_lips", "double_chin"),
    ]


def test_a_bald_head_has_no_hair_labels():
    assert not {"blonde_hair", "wavy_hair", "long_hair", "bangs"} & set(appearance_labels(wearing(identity=MAN)))
    assert {"male", "bald", "goatee"} <= set(appearance_labels(wearing(identity=MAN)))


def test_what_is_worn_is_named_and_what_it_hides_is_not():
    masked, shaded = set(appearance_labels(wearing("mask", "lipstick"))), set(appearance_labels(wearing("sunglasses")))
    assert "wearing_mask" in masked
    assert not {"wearing_lipstick", "big_lips", "big_nose", "double_chin", "oval_face"} & masked
    assert "goatee" not in appearance_labels(wearing("mask", identity=MAN))
    assert "sunglasses" in shaded and not {"bags_under_eyes", "narrow_eyes"} & shaded
    assert "bangs" not in appearance_labels(wearing("hat")) and "wavy_hair" in appearance_labels(wearing("hat"))


def test_a_goatee_hides_the_chin_alone():
    assert hidden_parts(wearing(identity=MAN)) == {"chin"}
    assert "double_chin" not in appearance_labels(wearing(identity=MAN))


def test_actions_come_from_head_face_body_and_feelings():
    busy = feeling("Neutral", face_action="wink", body_action="read", head_action="nod")
    assert action_labels(busy) == ["nod", "read", "wink"]
    assert action_labels(feeling("Sad", aus=("AU1", "AU4", "AU15"))) == ["cry", "frown"]
    assert action_labels(feeling("Surprise", aus=("AU2", "AU12"))) == ["smile"]
    assert action_labels(feeling("Contempt")) == ["sneer"]


def test_every_emotion_has_a_label_in_every_set_that_is_asked_it():
    assert {emotion_mafw(name) for name in EMOTIONS} == set(label_set("mafw11"))
    strengths = [feeling(name, strength) for name in MEAD for strength in ("weak", "medium", "strong")]
    assert {emotion_fine(clip) for clip in strengths} == set(label_set("fine22"))
    assert set(MICRO) == set(label_set("micro5"))


@pytest.mark.parametrize(
    ("clip", "fine", "three", "seven"),
    [
        (feeling("Happy", "weak"), "Weak Happy", "Positive", "Weak Positive"),
        (feeling("Angry", "medium"), "Medium Angry", "Negative", "Negative"),
        (feeling("Disgust", "strong"), "Strong Disgusted", "Negative", "Strong Negative"),
        (feeling("Neutral", "strong"), "Neutral", "Neutral", "Neutral"),
        (feeling("Surprise", "strong", ("AU2", "AU26")), "Strong Surprised", "Neutral", "Neutral"),
        (feeling("Surprise", "strong", ("AU2", "AU12")), "Strong Surprised", "Positive", "Strong Positive"),
    ],
)
def test_strength_and_sentiment(clip, fine, three, seven):
    assert (emotion_fine(clip), sentiment(clip), sentiment_fine(clip)) == (fine, three, seven)


def test_a_compound_has_two_emotions_in_the_sets_order_and_a_single_one():
    order = label_set("mafw11").index
    for first, second in COMPOUNDS:
        labels = emotions_mafw(feeling(first, kind="compound", second=second))
        assert set(labels) == {emotion_mafw(first), emotion_mafw(second)}
        assert labels == sorted(labels, key=order)
    assert emotions_mafw(CLIP) == ["Happiness"]


def test_facets_of_a_face_in_sight():
    assert facets("Eyes", CLIP) == ["blue", "narrow", "bags"]
    assert facets("Mouth", CLIP) == ["full", "closed", "turned up"]
    assert facets("Nose", CLIP) == ["wide"]
    assert facets("Hair", CLIP) == ["long wavy blonde", "blonde", "long", "bangs"]
    assert facets("Facial_features", CLIP) == ["freckles", None]
    assert facets("Gender", CLIP) == ["woman"]


def test_hidden_parts_have_no_facets():
    masked = wearing("mask")
    for attribute in ("Mouth", "Nose", "Chin", "Face_shape", "Facial_features"):
        assert facets(attribute, masked) == [None] * len(ATTRIBUTES[attribute])
    assert facets("Eyes", wearing("sunglasses")) == [None] * 3
    assert facets("Chin", wearing(identity=MAN)) == [None]
    assert facets("Hair", wearing("hat"))[0] == "long wavy blonde" and facets("Hair", wearing("hat"))[3] is None


def test_facets_that_feelings_move_are_not_told_where_they_are_in_between():
    assert facets("Eyebrows", feeling("Angry", aus=("AU4",)))[1] == "lowered"
    assert facets("Eyebrows", feeling("Surprise", aus=("AU2", "AU26")))[1] == "raised"
    assert facets("Eyebrows", feeling("Fear", aus=("AU1", "AU4", "AU25")))[1] is None
    assert facets("Mouth", feeling("Angry", aus=("AU4", "AU24")))[0] is None
    assert facets("Mouth", feeling("Neutral", face_action="talk")) == ["full", None, None]
    assert facets("Eyes", feeling("Surprise", aus=("AU2",)))[1:] == [None, "bags"]
    for kind in ("micro", "change"):
        brief = feeling("Neutral", kind=kind)
        assert facets("Mouth", brief) == ["full", None, None] and facets("Facial_actions", brief) == [None, None]


def test_the_head_points_to_the_persons_own_side_and_only_where_it_stays():
    assert facets("Head_actions", replace(CLIP, pose="Right 60 degrees")) == ["keeps still", "right"]
    assert facets("Head_actions", replace(CLIP, head_action="nod")) == ["nods", None]

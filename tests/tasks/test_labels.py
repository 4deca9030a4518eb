import pytest

from videmo.tasks import label_meanings, label_set, label_set_names

SIZES = {
    "head_pose7": 7,
    "dfew7": 7,
    "mafw11": 11,
    "fine22": 22,
    "sentiment3": 3,
    "sentiment7": 7,
    "micro5": 5,
    "perr5": 5,
    "au12": 12,
    "appearance40": 40,
    "action35": 35,
}


def test_every_set_has_as_many_different_labels_as_its_name_says():
    assert {name: len(set(label_set(name))) for name in label_set_names()} == SIZES


def test_labels_keep_the_option_order():
    assert label_set("dfew7") == ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Disgust", "Fear")
    assert label_set("au12")[:3] == ("AU1", "AU2", "AU4")
    assert label_set("fine22")[-2:] == ("Strong Surprised", "Neutral")


def test_all_labels_are_text():
    assert all(isinstance(label, str) for name in label_set_names() for label in label_set(name))


def test_only_action_units_have_meanings():
    assert label_meanings("au12")["AU26"] == "jaw drop"
    assert label_meanings("fine22") == label_meanings("dfew7") == {}


def test_an_unknown_set_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match=r"'dfew8'.*head_pose7, dfew7"):
        label_set("dfew8")

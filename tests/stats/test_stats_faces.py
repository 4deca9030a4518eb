"""Faces: what a clip's frames come to, which share has none, and the detector itself on drawn faces."""

import json
import sys

import numpy as np
import pytest

from videmo.data.decode import read_frames
from videmo.data.sampling import VideoSettings
from videmo.stats import faces as module
from videmo.stats.command import stats
from videmo.stats.detector import Face, load_detector, view_of
from videmo.stats.faces import Clip, of_frames

FOUR = VideoSettings(min_frames=4, max_frames=4)


def test_a_clip_without_a_face_is_one_of_its_own():
    assert of_frames([None, None]) == Clip(2, 0, None, None)
    assert of_frames([Face(0.2, "profile"), Face(0.4, "frontal")]).view == "frontal"


@pytest.mark.parametrize(
    ("nose", "view"), [(50, "frontal"), (55, "frontal"), (62, "three-quarter"), (38, "three-quarter"), (95, "profile")]
)
def test_the_view_follows_the_nose_along_the_line_of_the_eyes(nose, view):
    level = np.array([25, 50, 75, 50, nose, 70, 30, 90, 70, 90], float)
    assert view_of(level) == view
    turned = level.reshape(5, 2) @ np.array(
        [[0.8, 0.6], [-0.6, 0.8]]
    )  # a head that is tilted is seen from no other side
    assert view_of(turned.ravel()) == view


def test_eyes_in_one_place_are_a_profile():
    assert view_of(np.array([50, 50, 50, 50, 60, 60, 50, 80, 50, 80], float)) == "profile"


def test_clips_without_a_face_stand_in_both_pictures(world, tmp_path, monkeypatch):
    seen = iter([Face(0.25, "frontal")] * 4 + [None] * 4 + [None] * 3 + [Face(0.5, "profile")])
    monkeypatch.setattr(module, "load_detector", lambda: lambda frame: next(seen))
    monkeypatch.setattr(module, "available_cores", lambda: 1)  # so that clips come in their order
    stats(str(world), faces=3, sample=2, out=str(tmp_path / "out"))
    found = json.loads((tmp_path / "out" / "stats.json").read_text())["figures"]
    assert (found["faces"]["clips"], found["faces"]["no_face"]) == (3, 1)
    assert (found["faces"]["frames"], found["faces"]["frames_with_face"]) == (12, 5)
    assert sum(found["faces"]["counts"]) == 2 and found["faces"]["areas"]["median"] == pytest.approx(0.375)
    page = (tmp_path / "out" / "stats.html").read_text()
    assert "less than a sixth of their distance" in page and "no estimate of their share" in page
    assert found["views"]["views"] == {"frontal": 1, "three-quarter": 0, "profile": 1, "no face found": 1}


def test_without_the_extra_the_page_says_how_to_get_it(world, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yuface", None)
    stats(str(world), faces=3, sample=2, out=str(tmp_path / "out"))
    left = json.loads((tmp_path / "out" / "stats.json").read_text())["left_out"]
    assert "pip install 'videmo[faces]'" in left["faces"] and left["faces"] == left["views"]


def test_the_detector_finds_faces_that_are_drawn_and_none_in_clips_without_anybody(world):
    pytest.importorskip("yuface", reason="the detector is the extra `faces`")
    detector = load_detector()
    clips = {
        kind: [
            of_frames([detector(frame) for frame in read_frames(video, FOUR)[0]])
            for video in sorted((world / "videos" / "DrawnFaces" / kind).glob("*.mp4"))[:16]
        ]
        for kind in ("train", "empty")
    }
    found = [clip.area for clip in clips["train"] if clip.area is not None]
    assert len(found) >= 10 and 0.1 < np.median(found) < 0.6
    assert len(clips["empty"]) > 0 and all(clip.area is None for clip in clips["empty"])


def test_the_detector_finds_no_face_where_there_is_none():
    pytest.importorskip("yuface", reason="the detector is the extra `faces`")
    detector = load_detector()
    assert detector(np.full((90, 160, 3), 128, np.uint8)) is None
    assert detector(np.zeros((1, 700, 3), np.uint8)) is None

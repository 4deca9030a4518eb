"""How long and large videos are: looked at as the run reads them, and once."""

import json

import numpy as np
import pytest

from videmo.data import metadata
from videmo.data.index import RecordIndex
from videmo.data.metadata import video_infos
from videmo.data.sampling import VideoInfo, VideoSettings

SETTINGS = VideoSettings(backends=("pyav",), decode_timeout=1.0)


@pytest.fixture
def index(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"a video")
    turns = [{"role": "user", "content": "<video>Hair?"}, {"role": "assistant", "content": "Black"}]
    file = tmp_path / "data.json"
    file.write_text(json.dumps([{"messages": turns, "videos": ["a.mp4"], "source": "QA_Hair"}]))
    return RecordIndex.open([file], folder=tmp_path / ".videmo", progress=False)


def looked_up(index, root):
    infos = video_infos(index, root, SETTINGS, np.array([0]), quiet=True)
    return infos[["num_frames", "fps", "height", "width"]].tolist()


def test_a_video_is_looked_at_once_and_with_the_settings_of_the_run(index, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(metadata, "probe", lambda path, settings: asked.append(settings) or VideoInfo(8, 4.0, 56, 84))
    for _ in range(2):
        assert looked_up(index, tmp_path) == [(8, 4.0, 56, 84)]
    assert asked == [SETTINGS]


def test_a_video_that_could_not_be_read_is_looked_at_again(index, tmp_path, monkeypatch):
    assert looked_up(index, tmp_path) == [(0, 0.0, 0, 0)]
    monkeypatch.setattr(metadata, "probe", lambda path, settings: VideoInfo(8, 4.0, 56, 84))
    assert looked_up(index, tmp_path) == [(8, 4.0, 56, 84)]

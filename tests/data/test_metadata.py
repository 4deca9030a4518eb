"""How long and large videos are: looked at as the run reads them, and once."""

import json

import numpy as np

from videmo.data import metadata
from videmo.data.index import RecordIndex
from videmo.data.metadata import video_infos
from videmo.data.sampling import VideoInfo, VideoSettings


def test_a_video_is_looked_at_once_and_with_the_settings_of_the_run(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(metadata, "probe", lambda path, settings: asked.append(settings) or VideoInfo(8, 4.0, 56, 84))
    (tmp_path / "a.mp4").write_bytes(b"a video")
    turns = [{"role": "user", "content": "<video>Hair?"}, {"role": "assistant", "content": "Black"}]
    file = tmp_path / "data.json"
    file.write_text(json.dumps([{"messages": turns, "videos": ["a.mp4"], "source": "QA_Hair"}]))
    index = RecordIndex.open([file], folder=tmp_path / ".videmo", progress=False)
    settings = VideoSettings(backends=("pyav",), decode_timeout=1.0)
    for _ in range(2):
        infos = video_infos(index, tmp_path, settings, np.array([0]), quiet=True)
        assert infos[["num_frames", "fps", "height", "width"]].tolist() == [(8, 4.0, 56, 84)]
    assert asked == [settings]

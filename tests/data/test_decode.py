"""Clips that PyAV writes, read back: the right frames, patches of a file, and a plain reason for every broken file."""

import sys

import av
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from videmo.data.decode import VideoError, read_frames
from videmo.data.sampling import VideoSettings
from videmo.data.video import load_video

STEP = 5  # of brightness, from one frame to the next


@pytest.fixture
def make_clip(tmp_path):
    """Write a clip whose frame i has the brightness 10 + STEP * i, and return its path."""

    def make(name="clip.mp4", num_frames=40, fps=8, size=(64, 64), codec="libx264", options=None):
        path = tmp_path / name
        height, width = size
        with av.open(str(path), "w", options=options or {}) as container:
            stream = container.add_stream(codec, rate=fps)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.bit_rate = 4_000_000
            for number in range(num_frames):
                image = np.full((height, width, 3), 10 + STEP * number, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode())
        return path

    return make


def take(indices):
    return lambda total_frames, fps: (indices, fps)


def numbers_of(frames):
    """Frame numbers read off the brightness."""
    return ((frames.float().mean((1, 2, 3)) - 10) / STEP).round().int().tolist()


@pytest.mark.parametrize("name, codec", [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4")])
def test_the_frames_asked_for_arrive_in_order(make_clip, name, codec):
    frames, fps = read_frames(make_clip(name, codec=codec), take([0, 3, 17, 18, 39]))
    assert frames.shape == (5, 64, 64, 3) and frames.dtype == torch.uint8
    assert numbers_of(frames) == [0, 3, 17, 18, 39]
    assert fps == 8


def test_the_sampler_sees_the_length_and_the_rate_of_the_file(make_clip):
    seen = []
    read_frames(make_clip(num_frames=30, fps=25), lambda *facts: seen.append(facts) or ([0], 1.0))
    assert seen == [(30, 25.0)]


def test_a_file_cut_short_after_its_index_is_refused(make_clip):
    whole = make_clip(options={"movflags": "faststart"})
    content = whole.read_bytes()
    whole.write_bytes(content[: content.index(b"mdat") + 60])
    with pytest.raises(VideoError, match=r"clip\.mp4 .*an MP4 or MOV file, and damaged.*download it again"):
        read_frames(whole, take([0, 39]))


def broken(make_clip, tmp_path, how):
    path = tmp_path / f"{how}.mp4"
    if how == "no_index":
        content = make_clip().read_bytes()
        path.write_bytes(content[: len(content) // 2])
    elif how == "audio":
        with av.open(str(path), "w") as container:
            stream = container.add_stream("aac", rate=16000)
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
            sound.sample_rate = 16000
            container.mux(stream.encode(sound))
            container.mux(stream.encode())
    elif how == "folder":
        path.mkdir()
    elif how != "missing":
        path.write_bytes(
            {
                "text": b"<html><body>404 Not Found</body></html>\n" * 9,
                "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
                "empty": b"",
                "noise": bytes(range(256)) * 20,
                "picture": b"\x89PNG\r\n\x1a\n" + bytes(500),
            }[how]
        )
    return path


@pytest.mark.parametrize(
    "how, reason",
    [
        ("missing", "does not exist; check the data folder"),
        ("folder", "is a folder"),
        ("empty", r"is empty \(0 bytes\); download it again"),
        ("text", "is text, not a video .*'<html><body>404 "),
        ("lfs", "git lfs pull"),
        ("noise", "does not begin like a video file"),
        ("picture", "a PNG image"),
        ("no_index", r"without its index \(`moov`\), so it was cut short"),
        ("audio", "an MP4 or MOV file without a picture stream"),
    ],
)
def test_the_error_names_the_file_and_the_reason(make_clip, tmp_path, how, reason):
    path = broken(make_clip, tmp_path, how)
    with pytest.raises(VideoError, match=f"{how}.mp4 .*{reason}"):
        read_frames(path, take([0]))


def test_a_file_that_states_no_rate_is_refused(make_clip, monkeypatch):
    import decord

    monkeypatch.setattr(decord.VideoReader, "get_avg_fps", lambda self: float("nan"))
    with pytest.raises(VideoError, match="states no frame rate"):
        read_frames(make_clip(), take([0]))


def test_missing_decord_is_an_import_error_and_no_bad_sample(make_clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "decord", None)
    with pytest.raises(ImportError, match="pip install decord"):
        read_frames(make_clip(), take([0]))


class Clips(Dataset):
    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        frames, _ = read_frames(self.paths[index], take([index]))
        return numbers_of(frames)[0]


def test_workers_forked_after_the_parent_decoded_read_the_same_frames(make_clip):
    clips = Clips([make_clip()] * 8)
    assert clips[3] == 3
    loader = DataLoader(clips, batch_size=None, num_workers=2, multiprocessing_context="fork", timeout=30)
    assert list(loader) == list(range(8))


def test_a_workers_error_arrives_with_its_message(make_clip, tmp_path):
    loader = DataLoader(Clips([tmp_path / "gone.mp4"]), batch_size=None, num_workers=1, multiprocessing_context="fork")
    with pytest.raises(VideoError, match=r"gone\.mp4 does not exist"):
        list(loader)


def test_a_file_becomes_a_video(make_clip):
    settings = VideoSettings(min_pixels=112 * 112, max_pixels=112 * 112)
    video = load_video(make_clip(num_frames=24, fps=8, size=(128, 128)), settings)
    assert video.grid_thw == (3, 8, 8)  # 3 s at 2 frames a second
    assert video.pixel_values.shape == (3 * 8 * 8, 1176)
    assert video.second_per_grid == 1.0
    assert video.num_tokens == 48


def test_a_file_of_one_frame_becomes_a_video_of_one_grid_step(make_clip):
    video = load_video(make_clip(num_frames=1, fps=8, size=(128, 128)), VideoSettings())
    assert video.grid_thw[0] == 1
    first, second = video.pixel_values.view(-1, 3, 2, 14 * 14).unbind(2)
    assert torch.equal(first, second)


def test_an_extreme_file_is_named(make_clip):
    path = make_clip(num_frames=2, fps=8, size=(4, 1000))
    with pytest.raises(VideoError, match=f"{path.name}.*more than 200 times"):
        load_video(path, VideoSettings())

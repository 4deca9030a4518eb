"""Clips that PyAV writes, read back: the right frames, patches of a file, and a plain reason for every broken file."""

import os
import sys
import warnings
from dataclasses import replace

import av
import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from videmo.data.decode import VideoError, _decoded, probe, read_frames, reads, usable
from videmo.data.decoder_messages import Failed
from videmo.data.reader import NoRateError
from videmo.data.sampling import VideoSettings, clip_grid, video_tokens
from videmo.data.video import load_video
from videmo.errors import InputError

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


ALL = VideoSettings(fps=1e6, max_frames=10_000)  # of an even number of frames


def numbers_of(frames):
    """Frame numbers read off the brightness."""
    return ((frames.mean((1, 2, 3)) - 10) / STEP).round().astype(int).tolist()


@pytest.mark.parametrize("name, codec", [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4")])
def test_the_frames_asked_for_arrive_in_order(make_clip, name, codec):
    path = make_clip(name, codec=codec)
    frames, fps = read_frames(path, ALL)
    assert frames.shape == (40, 64, 64, 3) and frames.dtype == np.uint8
    assert numbers_of(frames) == list(range(40))
    assert fps == 8
    frames, fps = read_frames(path, VideoSettings(min_frames=2, max_frames=6))
    assert numbers_of(frames) == [0, 8, 16, 23, 31, 39]
    assert fps == 6 / 40 * 8


def test_a_file_cut_short_after_its_index_is_refused(make_clip):
    whole = make_clip(options={"movflags": "faststart"})
    content = whole.read_bytes()
    whole.write_bytes(content[: content.index(b"mdat") + 60])
    with pytest.raises(VideoError, match=r"clip\.mp4 .*an MP4 or MOV file, and damaged.*download it again"):
        read_frames(whole, ALL)


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
    elif how == "pipe":
        os.mkfifo(path)
    elif how != "missing":
        path.write_bytes(
            {
                "playlist": f"#EXTM3U\n#EXTINF:5,\n{make_clip('whole.mp4')}\n#EXT-X-ENDLIST\n".encode(),
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
        ("pipe", "is no file but a pipe"),
        ("playlist", "is text, not a video"),
        ("picture", "a PNG image"),
        ("no_index", r"without its index \(`moov`\), so it was cut short"),
        ("audio", "an MP4 or MOV file with sound and no picture; leave its records out"),
    ],
)
def test_the_error_names_the_file_and_the_reason(make_clip, tmp_path, how, reason):
    path = broken(make_clip, tmp_path, how)
    with pytest.raises(VideoError, match=f"{how}.mp4 .*{reason}"):
        read_frames(path, ALL)


def test_a_file_that_states_no_rate_is_refused(make_clip):
    failed = Failed({"pyav": "0.0 frames a second"}, opened=True, problem=NoRateError)
    path = make_clip()
    with pytest.raises(VideoError, match=r"clip.mp4 states no frame rate.*ffmpeg -i FILE -r 25.*pyav: 0.0 frames"):
        _decoded(path, lambda decoder: failed, ALL)


@pytest.fixture
def without(monkeypatch):
    """A function that makes modules look as if they were not installed."""

    def make(*modules):
        for module in modules:
            monkeypatch.setitem(sys.modules, module, None)
        usable.cache_clear()

    yield make
    usable.cache_clear()


def test_without_decord_pyav_reads_and_that_is_said_once(make_clip, without):
    without("decord")
    path = make_clip()
    with pytest.warns(
        UserWarning, match=r"decord is not installed \(`pip install decord`\): videos are read with pyav"
    ):
        frames, _ = read_frames(path, ALL)
    assert numbers_of(frames) == list(range(40))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_frames(path, ALL)


def test_without_any_backend_it_is_an_import_error_and_no_bad_sample(make_clip, without):
    without("decord", "av")
    with pytest.raises(
        InputError,
        match=r"none of video\.backends can be used: decord is not .*, pyav is not installed \(`pip install av`\)",
    ):
        read_frames(make_clip(), ALL)


def test_a_torchcodec_without_ffmpeg_is_named_before_any_file_is_read(without, tmp_path, monkeypatch):
    (tmp_path / "torchcodec").mkdir()
    (tmp_path / "torchcodec" / "__init__.py").write_text("")
    (tmp_path / "torchcodec" / "decoders.py").write_text(
        'raise RuntimeError("Could not load libtorchcodec.\\nWhy: ...")'
    )
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("torchcodec", "torchcodec.decoders"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    without()
    says = r"torchcodec does not load, it needs FFmpeg's libraries \(Could not load libtorchcodec\.\)"
    with pytest.raises(InputError, match=says):
        usable(("torchcodec",))
    with pytest.warns(UserWarning, match=f"{says}: videos are read with pyav"):
        assert usable(("torchcodec", "pyav")) == ("pyav",)
    sys.modules.pop("torchcodec")


class Clips(Dataset):
    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        frames, _ = read_frames(self.paths[index], ALL)
        return numbers_of(frames)[index]


def test_workers_forked_after_the_parent_decoded_read_the_same_frames(make_clip):
    clips = Clips([make_clip()] * 8)
    assert clips[3] == 3
    loader = DataLoader(clips, batch_size=None, num_workers=2, multiprocessing_context="fork", timeout=30)
    assert list(loader) == list(range(8))


def test_a_workers_error_arrives_with_its_message(make_clip, tmp_path):
    loader = DataLoader(Clips([tmp_path / "gone.mp4"]), batch_size=None, num_workers=1, multiprocessing_context="fork")
    batches = iter(loader)
    with pytest.raises(VideoError, match=r"gone\.mp4 does not exist"):
        next(batches)
    batches._shutdown_workers()


def test_a_file_becomes_a_video(make_clip):
    settings = VideoSettings(min_pixels=112 * 112, max_pixels=112 * 112)
    video = load_video(make_clip(num_frames=24, fps=8, size=(128, 128)), settings)
    assert video.grid_thw == (3, 8, 8)  # 3 s at 2 frames a second
    assert video.pixel_values.shape == (3 * 8 * 8, 1176)
    assert video.second_per_grid == 1.0
    assert video.num_tokens == 48
    assert video.pixel_values.dtype == torch.uint8


def test_a_file_of_one_frame_becomes_a_video_of_one_grid_step(make_clip):
    video = load_video(make_clip(num_frames=1, fps=8, size=(128, 128)), VideoSettings())
    assert video.grid_thw[0] == 1
    first, second = video.pixel_values.view(-1, 3, 2, 14 * 14).unbind(2)
    assert torch.equal(first, second)


def test_an_extreme_file_is_named(make_clip):
    path = make_clip(num_frames=2, fps=8, size=(4, 1000))
    with pytest.raises(VideoError, match=f"{path.name}.*more than 200 times"):
        load_video(path, VideoSettings())


@pytest.mark.parametrize("num_frames, size", [(1, (64, 64)), (7, (48, 80)), (24, (128, 96)), (40, (64, 64))])
def test_the_grid_and_the_tokens_of_a_file_are_known_from_its_probe(make_clip, num_frames, size):
    settings = VideoSettings(min_pixels=56 * 56, max_pixels=112 * 112)
    path = make_clip(num_frames=num_frames, size=size)
    video = load_video(path, settings)
    assert clip_grid(probe(path, VideoSettings()), settings) == video.grid_thw
    assert video_tokens(probe(path, VideoSettings()), settings) == video.num_tokens


def test_a_whole_picture_is_no_video(tmp_path):
    Image.new("RGB", (64, 64), "red").save(tmp_path / "face.png")
    (tmp_path / "face.png").rename(tmp_path / "face.mp4")
    with pytest.raises(VideoError, match=r"face.mp4 .*a PNG image.*pyav: a single picture, not a video"):
        read_frames(tmp_path / "face.mp4", ALL)


def test_the_error_says_what_every_backend_said_and_it_is_counted(make_clip):
    path = make_clip(options={"movflags": "faststart"})
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"mdat") + 60])
    before = reads.copy()
    with pytest.raises(VideoError, match=r"\(decord: .*; pyav: none of its 40 pictures is there\)"):
        read_frames(path, ALL)
    assert reads - before == {"unreadable_videos": 1}


def test_a_file_cut_short_that_still_opens_gives_the_frames_that_are_left(make_clip):
    path = make_clip(options={"movflags": "faststart"}, size=(256, 256))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    frames, _ = read_frames(path, replace(ALL, temporal_patch_size=1))
    assert len(frames) == probe(path, VideoSettings()).num_frames
    numbers = numbers_of(frames)
    assert numbers == sorted(set(numbers)) and 10 < len(numbers) < 40
    expected = 10 + STEP * np.array(numbers)[:, None, None, None]
    assert np.abs(frames - expected).max() <= 3  # all whole: the picture at the cut is not among them


@pytest.mark.parametrize("seed", range(12))
def test_a_file_with_flipped_bits_is_read_or_refused_with_its_name(make_clip, seed):
    rng = np.random.default_rng(seed)
    path = make_clip(options={"movflags": "faststart"}, size=(256, 256))
    content = bytearray(path.read_bytes())
    for place in rng.integers(0, len(content), 30):
        content[place] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)
    try:
        frames, _ = read_frames(path, VideoSettings())
    except VideoError as error:
        assert "clip.mp4" in str(error)
    else:
        assert frames.shape[-1] == 3

"""Every kind of file read by every backend: equal to a full decode, whichever pictures are asked for."""

import importlib.util
import os
import time

import numpy as np
import psutil
import pytest
from clips import FPS, cut, encode, full_decode, numbers_of

from videmo.data.backends import opener
from videmo.data.decode import probe, read_frames, reads
from videmo.data.reader import Unreadable
from videmo.data.sampling import VideoInfo, VideoSettings

GROUPS = {"g": "12"}
X264 = "keyint=12:min-keyint=12:scenecut=0"
X265 = "log-level=none:keyint=12:min-keyint=12:scenecut=0"
OPEN_264, OPEN_265 = {"x264-params": f"{X264}:open-gop=1:bframes=3"}, {"x265-params": f"{X265}:open-gop=1:bframes=4"}
CLOSED_265 = {"x265-params": f"{X265}:open-gop=0"}
FILES = {  # name: what encode() is given
    "one_keyframe.mp4": {},
    "keyframes.mp4": {"options": GROUPS},
    "keyframes.mov": {"options": GROUPS},
    "keyframes.mkv": {"options": GROUPS},
    "keyframes.ts": {"options": GROUPS},
    "open_groups.mp4": {"options": OPEN_264},
    "open_groups.mkv": {"options": OPEN_264},
    "tiny_groups.mp4": {"options": {"x264-params": "keyint=3:min-keyint=3:bframes=2:b-adapt=0"}},
    "intra_refresh.mp4": {"options": {"x264-params": "intra-refresh=1:keyint=12"}},
    "raw.h264": {"options": GROUPS},
    "fragments.mp4": {"options": GROUPS, "container": {"movflags": "frag_keyframe+empty_moov"}},
    "piped.mkv": {"options": GROUPS, "piped": "matroska"},
    "piped.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}, "piped": "webm"},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8", **GROUPS}},
    "hevc.mp4": {"codec": "libx265", "options": CLOSED_265},
    "hevc_open_groups.mp4": {"codec": "libx265", "options": OPEN_265},
    "av1.mp4": {"codec": "libsvtav1", "options": {"preset": "12", "g": "12"}},
    "animation.gif": {"codec": "gif", "pix_fmt": "rgb8"},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"g": "12"}},
    "mpeg4_b_frames.avi": {"codec": "mpeg4", "options": {"g": "12", "bf": "2"}},
    "mpeg4_b_frames.mp4": {"codec": "mpeg4", "options": {"g": "12", "bf": "2"}},
    "ten_bits.mp4": {"codec": "libx265", "options": CLOSED_265, "pix_fmt": "yuv420p10le"},
    "variable_rate.mp4": {"options": GROUPS, "times": [4 * n + n % 3 + 100 * (n > 30) for n in range(60)]},
    "rotated_90.mp4": {"rotation": 90},
    "rotated_180.mp4": {"rotation": 180},
    "rotated_270.mp4": {"rotation": 270},
    "rotated_keyframes.mp4": {"options": GROUPS, "rotation": 90},
    "one_frame.mp4": {"num_frames": 1},
    "two_frames.mp4": {"num_frames": 2},
    "odd.mp4": {"size": (61, 95), "pix_fmt": "yuv444p"},
    "odd.avi": {"codec": "mpeg4", "size": (61, 95)},
    "colour_444.mp4": {"pix_fmt": "yuv444p", "options": GROUPS},
    "UPPER.MP4": {},
    "sound_first.mp4": {"sound_first": True},
    "sound_first_keyframes.mp4": {"sound_first": True, "options": GROUPS},
    "ein Gesicht, 顔 😀.mp4": {},
}
CUTS = ["keyframes.mp4", "open_groups.mp4", "hevc.mp4", "hevc_open_groups.mp4", "mpeg4_b_frames.mp4"]
READ_BY_DECORD = {
    *("one_keyframe.mp4", "rotated_90.mp4", "rotated_180.mp4", "rotated_270.mp4", "two_frames.mp4"),
    *("UPPER.MP4", "sound_first.mp4", "ein Gesicht, 顔 😀.mp4"),
}
TOLERANCE = {"mpeg4": 2}
"""Levels by which torchcodec may differ on a codec: its FFmpeg is another release, and the inverse DCT has changed."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A function from a name to the file, encoded once."""
    folder = tmp_path_factory.mktemp("clips")

    def make(name):
        path = folder / name
        if not path.exists():
            if name.startswith("cut_"):
                cut(make(name.removeprefix("cut_")), path, first=20)
            else:
                encode(path, **FILES[name])
        return path

    return make


ALL_FILES = [*FILES, *(f"cut_{name}" for name in CUTS)]
every_file = pytest.mark.parametrize("name", ALL_FILES)


def all_frames(backends=("decord", "pyav")):
    return VideoSettings(fps=1e6, max_frames=10_000, temporal_patch_size=1, backends=backends)


@every_file
@pytest.mark.parametrize("backend", ["decord", "pyav", "torchcodec"])
def test_any_pictures_in_any_order_equal_those_of_a_full_decode(clip, name, backend):
    if importlib.util.find_spec(backend.replace("pyav", "av")) is None:
        pytest.skip(f"{backend} is not installed")
    expected = full_decode(clip(name))
    open_file = opener(backend)
    rng = np.random.default_rng(0)
    try:
        for count in (1, 4, len(expected)):
            for _ in range(3):
                indices = rng.choice(len(expected), min(count, len(expected)), replace=False)
                reader = open_file(str(clip(name)))
                assert reader.num_frames == len(expected)
                frames = reader.read(indices.tolist(), lambda shape: np.empty(shape, np.uint8))
                reader.close()
                difference = np.abs(frames.astype(int) - expected[indices])
                allowed = TOLERANCE.get(FILES[name.removeprefix("cut_")].get("codec"), 0)
                assert difference.max() <= (allowed if backend == "torchcodec" else 0)
    except Unreadable as error:
        assert backend == "torchcodec" or (backend == "decord" and name not in READ_BY_DECORD), error


@every_file
def test_backends_count_and_time_alike_and_probe_says_the_same(clip, name):
    path = clip(name)
    expected = full_decode(path)
    info = probe(path, VideoSettings())
    assert (info.num_frames, info.height, info.width) == expected.shape[:3]
    found = []
    for backend in ("decord", "pyav"):
        try:
            reader = opener(backend)(str(path))
        except Unreadable:
            continue
        found.append((reader.num_frames, reader.fps))
    assert found == [(info.num_frames, info.fps)] * len(found)
    assert info.fps == pytest.approx(FPS) or name == "variable_rate.mp4"


@every_file
def test_a_file_is_read_through_the_process_by_the_backend_that_is_exact_on_it(clip, name):
    before = reads.copy()
    frames, _ = read_frames(clip(name), all_frames())
    assert np.array_equal(frames, full_decode(clip(name)))
    assert dict(reads - before) == {"decord" if name in READ_BY_DECORD else "pyav": 1}


@pytest.mark.parametrize("name", [n for n in FILES if not n.startswith(("rotated", "piped"))])
def test_pictures_say_the_numbers_that_they_were_encoded_with(clip, name):
    frames, _ = read_frames(clip(name), all_frames())
    assert numbers_of(frames) == list(range(FILES[name].get("num_frames", 60)))


@pytest.mark.parametrize("name", [f"cut_{name}" for name in CUTS])
def test_a_cut_clip_begins_with_the_picture_that_it_was_cut_at(clip, name):
    numbers = numbers_of(read_frames(clip(name), all_frames())[0])
    # Seeking came to the MPEG-4 keyframe 21, and picture 20, which needs an earlier one, stands behind it in the file.
    assert numbers[0] == (21 if "mpeg4" in name else 20)
    assert numbers == sorted(numbers)


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="needs Linux")
def test_encoding_av1_leaves_this_process_beside_others_and_not_before_them(tmp_path):
    encode(tmp_path / "clip.mp4", **FILES["av1.mp4"])
    assert os.sched_getscheduler(0) not in (os.SCHED_FIFO, os.SCHED_RR)


def test_a_camera_held_upright_gives_upright_frames(clip):
    assert probe(clip("rotated_90.mp4"), VideoSettings()) == VideoInfo(60, 25.0, height=96, width=64)
    upright, turned = (read_frames(clip(name), all_frames())[0] for name in ("one_keyframe.mp4", "rotated_90.mp4"))
    assert np.array_equal(turned, np.rot90(upright, 1, axes=(1, 2)))


def test_of_a_long_clip_only_the_needed_pictures_are_decoded(tmp_path):
    path = encode(tmp_path / "ten_minutes.mp4", num_frames=256, size=(240, 320), options=GROUPS)
    path = _ten_minutes(path, tmp_path / "long.mp4")
    assert probe(path, VideoSettings()).num_frames == 15_104
    before = _processor_seconds()
    read_frames(path, VideoSettings())
    between = _processor_seconds()
    _decode_all(path)
    assert 0 < between - before < (_processor_seconds() - between) / 4


def _processor_seconds():
    """Of this process and of its decoders: whatever else runs on the machine takes none of them."""
    return time.process_time() + sum(sum(child.cpu_times()[:2]) for child in psutil.Process().children())


def _ten_minutes(source, path):
    """The packets of a clip 59 times over."""
    import av

    with av.open(str(path), "w") as new:
        shift, copied = 0, None
        for _ in range(59):
            with av.open(str(source)) as old:
                stream = old.streams.video[0]
                copied = copied or new.add_stream_from_template(stream)
                for packet in old.demux(stream):
                    if packet.size:
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = copied
                        new.mux(packet)
                shift += int(256 / FPS / stream.time_base)
    return path


def _decode_all(path):
    import av

    with av.open(str(path)) as file:
        file.streams.video[0].thread_count = 1
        return sum(1 for _ in file.decode(video=0))

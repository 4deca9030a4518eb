"""A file tells nothing but through its pixels."""

import struct
from dataclasses import replace

import av
import decord
import numpy as np
import pytest

from videmo.synth.draw import draw_clip
from videmo.synth.encode import KEY_BYTES, NEXT_BYTES, encode_clip
from videmo.synth.world import sample_world


@pytest.fixture(scope="module")
def drawn():
    """Frames of very different clips: still and plain, busy, changing, noisy."""
    clips = sample_world(200, seed=6).clips["train"]
    some = [next(clip for clip in clips if clip.kind == kind) for kind in ("micro", "single", "change", "pair")]
    noisy = replace(some[1], noise=14.0, occluder="leaf")
    return [np.full((16, 128, 128, 3), 128, np.uint8), *map(draw_clip, [*some, noisy])]


@pytest.fixture(scope="module")
def files(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoded")
    for number, frames in enumerate(drawn):
        encode_clip(frames, folder / f"{number}.mp4")
    return sorted(folder.iterdir())


def box(data, name):
    """The content of the first box of an mp4 with this name."""
    place = data.index(name)
    return data[place + 4 : place - 4 + struct.unpack(">I", data[place - 4 : place])[0]]


def psnr(one, two):
    return 10 * np.log10(255**2 / max(np.mean((one.astype(float) - two) ** 2), 1e-9))


def test_all_files_have_one_length_and_one_sample_table(files):
    contents = [file.read_bytes() for file in files]
    assert len({len(content) for content in contents}) == 1 and len(contents[0]) < 41_000
    for name in (b"stsz", b"stts", b"stss", b"stsc", b"stco"):
        assert len({box(content, name) for content in contents}) == 1
    sizes = struct.unpack(">16I", box(contents[0], b"stsz")[12:])
    assert sizes == (KEY_BYTES, *[NEXT_BYTES] * 15)


def test_all_that_is_not_a_sample_is_the_same_in_every_file(files):
    contents = [file.read_bytes() for file in files]
    rests = {content.replace(box(content, b"mdat"), b"") for content in contents}
    assert len(rests) == 1
    assert not any(b"x264" in content or b"crf" in content for content in contents)


def test_only_the_first_frame_is_a_key_frame_and_none_is_bidirectional(files):
    with av.open(str(files[1])) as container:
        frames = list(container.decode(video=0))
    assert [frame.pict_type for frame in frames] == [av.video.frame.PictureType.I, *[av.video.frame.PictureType.P] * 15]
    assert [frame.pts for frame in frames] == [frame.pts - frames[0].pts for frame in frames]


def test_both_decoders_give_back_what_was_drawn(drawn, files):
    for number, (frames, file) in enumerate(zip(drawn, files, strict=True)):
        reader = decord.VideoReader(str(file), num_threads=1)
        assert len(reader) == 16 and reader.get_avg_fps() == pytest.approx(8)
        with av.open(str(file)) as container:
            decoded = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
        assert psnr(reader[:].asnumpy(), decoded) > 40
        grey, given = frames.mean(axis=-1), decoded.mean(axis=-1)  # half of the colour's resolution is lost to 4:2:0
        assert psnr(grey, given) > (28 if number < 5 else 22)
        assert psnr(frames, decoded) > 22


def test_a_file_appears_only_when_it_is_whole(drawn, files, tmp_path):
    encode_clip(drawn[1], tmp_path / "clip.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]
    assert (tmp_path / "clip.mp4").read_bytes() == files[1].read_bytes()

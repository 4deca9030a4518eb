"""Frames to patches, held to qwen-vl-utils and transformers' own processor (recorded by tools/make_video_golden.py)."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from videmo.data.sampling import VideoInfo, VideoSettings, clip_grid, frame_indices, smart_resize, video_tokens
from videmo.data.video import Video, patchify, resize_frames
from videmo.pixels import normalise

ROOT = Path(__file__).parents[2]
GOLDEN = dict(np.load(ROOT / "tests" / "assets" / "video_golden.npz"))
golden_frames = runpy.run_path(str(ROOT / "tools" / "make_video_golden.py"))["golden_frames"]


def golden_case(number):
    *shape, min_pixels, max_pixels, total_pixels = GOLDEN["cases"][number].tolist()
    settings = VideoSettings(min_pixels=min_pixels, max_pixels=max_pixels, total_pixels=total_pixels)
    return golden_frames(*shape), settings


def assert_golden(number, pipeline, patches, grid_thw):
    assert patches.dtype == torch.uint8
    pixel_values = normalise(patches)
    golden = {name: GOLDEN[f"{number}/{pipeline}/{name}"] for name in ("grid", "sum", "values")}
    assert list(grid_thw) == golden["grid"].tolist()
    assert pixel_values.dtype == torch.float32 and pixel_values.shape == (np.prod(golden["grid"]), 3 * 2 * 14 * 14)
    values = pixel_values.flatten()[torch.from_numpy(GOLDEN[f"{number}/positions"]).long()]
    np.testing.assert_allclose(values.numpy(), golden["values"], rtol=0, atol=1e-4)
    assert abs(pixel_values.double().mean().item() - golden["sum"] / pixel_values.numel()) < 1e-5


every_case = pytest.mark.parametrize("number", range(len(GOLDEN["cases"])), ids=lambda n: str(GOLDEN["cases"][n][:3]))


@every_case
def test_patches_equal_qwen_vl_utils_followed_by_the_processor(number):
    frames, settings = golden_case(number)
    assert_golden(number, "release", *patchify(resize_frames(frames, settings), settings))


def interpolate_uint8(frames, size):
    """What the processor's own resize comes down to on a CPU."""
    channels_first = frames.permute(0, 3, 1, 2).contiguous()
    return torch.nn.functional.interpolate(channels_first, size, mode="bicubic", antialias=True)


@every_case
def test_the_processors_own_resize_is_uint8_interpolation_to_our_size(number):
    frames, settings = golden_case(number)
    size = resize_frames(frames, settings).shape[-2:]
    assert_golden(number, "processor", *patchify(interpolate_uint8(frames, size), settings))


@every_case
def test_our_resize_is_within_one_level_of_the_processors_where_nothing_is_clipped(number):
    frames, settings = golden_case(number)
    frames = frames // 2 + 64  # bicubic overshoot stays within 0 to 255
    ours = resize_frames(frames, settings)
    levels = (ours.int() - interpolate_uint8(frames, ours.shape[-2:]).int()).abs()
    assert levels.max() <= 1
    assert levels.float().mean() < 0.25


def test_frames_are_those_of_smart_nframes():
    ends = np.cumsum(GOLDEN["frames/counts"])
    assert len(ends) == 50
    for settings, end, count, fps in zip(
        GOLDEN["frames/settings"], ends, GOLDEN["frames/counts"], GOLDEN["frames/fps"], strict=True
    ):
        total_frames, video_fps, sampling_fps, min_frames, max_frames = settings.tolist()
        chosen = VideoSettings(fps=sampling_fps, min_frames=int(min_frames), max_frames=int(max_frames))
        indices, sampled_fps = frame_indices(int(total_frames), video_fps, chosen)
        assert indices == GOLDEN["frames/indices"][end - count : end].tolist()
        assert sampled_fps == fps


def test_sizes_are_those_of_smart_resize():
    for height, width, min_pixels, max_pixels, *expected in GOLDEN["sizes"].tolist():
        size = smart_resize(height, width, factor=28, min_pixels=min_pixels, max_pixels=max_pixels)
        assert list(size) == expected, (height, width, min_pixels, max_pixels)


def test_a_side_never_becomes_zero():
    assert smart_resize(100, 19900, factor=28, min_pixels=100352, max_pixels=105369) == (28, 4564)


def test_sixteen_frames_of_640x480_make_1040_tokens():
    frames = torch.zeros(16, 480, 640, 3, dtype=torch.uint8)
    pixel_values, grid_thw = patchify(resize_frames(frames, VideoSettings()), VideoSettings())
    assert grid_thw == (8, 20, 26)
    assert Video(pixel_values, grid_thw, second_per_grid=1.0).num_tokens == 1040


@pytest.mark.parametrize("num_frames", [1, 2, 3, 7, 250])
@pytest.mark.parametrize("size", [(480, 640), (64, 64), (1080, 1920), (33, 901), (10, 2000)])
def test_the_grid_and_the_tokens_follow_from_metadata_alone(num_frames, size):
    settings = VideoSettings()
    sampled = len(frame_indices(num_frames, 25.0, settings)[0])
    patches, grid_thw = patchify(resize_frames(torch.zeros(sampled, *size, 3, dtype=torch.uint8), settings), settings)
    info = VideoInfo(num_frames, 25.0, *size)
    assert clip_grid(info, settings) == grid_thw
    assert video_tokens(info, settings) == Video(patches, grid_thw, second_per_grid=1.0).num_tokens


def test_total_pixels_shares_the_area_among_the_frames():
    settings = VideoSettings(min_pixels=28 * 28, max_pixels=10**6, total_pixels=64_000)
    assert settings.frame_pixel_limit(16) == 8_000
    assert settings.frame_pixel_limit(1000) == int(1.05 * 28 * 28)


def test_patches_run_over_merge_blocks_and_their_values_over_channel_and_frame():
    settings = VideoSettings()
    f, c, y, x = torch.meshgrid(*(torch.arange(n) for n in (2, 3, 56, 56)), indexing="ij")
    number_of_patch = (4 * (y // 14) + x // 14).float()
    first_values = patchify(number_of_patch, settings)[0][:, 0]
    assert first_values.tolist() == [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]
    channel_and_frame = (10 * c + f).float()
    values = patchify(channel_and_frame, settings)[0][0].view(6, 14 * 14)[:, 0]
    assert values.tolist() == [0, 1, 10, 11, 20, 21]


def test_an_odd_number_of_frames_repeats_the_last():
    frames = golden_frames(3, 56, 56).permute(0, 3, 1, 2)
    padded = patchify(torch.cat([frames, frames[-1:]]), VideoSettings())
    pixel_values, grid_thw = patchify(frames, VideoSettings())
    assert grid_thw == padded[1] == (2, 4, 4)
    assert torch.equal(pixel_values, padded[0])


def test_patchify_refuses_what_it_cannot_cut():
    with pytest.raises(ValueError, match="multiples of 28, got 56x50"):
        patchify(torch.zeros(2, 3, 56, 50), VideoSettings())
    with pytest.raises(ValueError, match="at least one frame"):
        patchify(torch.zeros(0, 3, 56, 56), VideoSettings())


def test_one_frame_is_a_whole_clip():
    assert frame_indices(1, 25.0, VideoSettings()) == ([0], 25.0)


@pytest.mark.parametrize("total_frames, fps", [(0, 25.0), (10, 0.0), (10, float("nan")), (10, float("inf"))])
def test_no_frames_or_no_rate_cannot_be_sampled(total_frames, fps):
    with pytest.raises(ValueError, match="got"):
        frame_indices(total_frames, fps, VideoSettings())


def test_extreme_aspect_ratios_are_refused():
    with pytest.raises(ValueError, match="more than 200 times"):
        resize_frames(torch.zeros(2, 10, 2001, 3, dtype=torch.uint8), VideoSettings())
    assert resize_frames(torch.zeros(2, 10, 2000, 3, dtype=torch.uint8), VideoSettings()).shape == (2, 3, 28, 4480)


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"fps": 0}, "fps must be greater than 0"),
        ({"max_frames": 1}, "max_frames must be at least"),
        ({"min_frames": 20}, "lower min_frames"),
        ({"max_pixels": 50_000}, "lower min_pixels"),
        ({"backends": ("decrod",)}, "backends must be some of decord, pyav, torchcodec, got decrod"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        VideoSettings(**fields)

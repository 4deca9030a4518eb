#!/usr/bin/env python3
"""Record what qwen-vl-utils and transformers' Qwen2VLVideoProcessor do, as tests/assets/video_golden.npz.

    pip install --no-deps --target tv torchvision==0.28.0
    PYTHONPATH=tv python tools/make_video_golden.py

Run it in the development environment (torch, transformers, qwen-vl-utils 0.0.14). Beside a torch without CUDA,
torchvision's compiled operators do not load, and its import stops at the two that it describes. Nothing here calls
them, so they are declared first.

The frames come from a formula, so the file holds outputs only: of each case the grid, the sum and 512 values. Positions
are drawn where the exact resized value is not within a thousandth of a rounding boundary: elsewhere another CPU may
round the other way.
"""

import argparse
import itertools
import os
from pathlib import Path

import numpy as np
import torch

ASSET = Path(__file__).parents[1] / "tests" / "assets" / "video_golden.npz"
NUM_SAMPLES = 512
TOTAL = 128000 * 28 * 28 * 9 // 10
RELEASE = (128 * 28 * 28, 100352, TOTAL)  # min_pixels, max_pixels, total_pixels
TINY = (112 * 112, 112 * 112, TOTAL)
CASES = [  # frames, height, width, bounds
    (4, 20, 34, RELEASE),
    (1, 1080, 1920, RELEASE),
    (2, 640, 360, RELEASE),
    (3, 480, 640, RELEASE),
    (2, 224, 224, RELEASE),
    (5, 129, 257, TINY),
    (2, 33, 901, RELEASE),
    (4, 112, 112, TINY),
    (6, 97, 61, (4 * 28 * 28, 768 * 28 * 28, TOTAL)),
    (16, 128, 128, TINY),
    (3, 500, 300, (56 * 56, 200 * 28 * 28, TOTAL)),
    (8, 200, 300, (56 * 56, 768 * 28 * 28, 120_000)),  # total_pixels leaves 30,000 a frame
]
SIZES = [(8, 9), (13, 700), (14, 14), (42, 70), (100, 101), (144, 176), (240, 320), (333, 1000), (360, 640), (480, 848)]
SIZES += [(720, 1280), (1080, 1920), (2160, 3840), (5, 1000), (300, 7)]
TOTAL_FRAMES = [2, 3, 5, 7, 16, 31, 100, 301, 1799, 20000]
VIDEO_FPS = [8.0, 23.976, 25.0, 29.97, 60.0]
SAMPLING = [(2.0, 4, 16), (2.0, 4, 768), (0.8, 4, 16), (8.0, 2, 7), (1.0, 5, 33)]  # fps, min_frames, max_frames


def golden_frames(num_frames: int, height: int, width: int) -> torch.Tensor:
    """Smooth ramps with hash-like texture and hard edges, from integers alone: uint8 [F, H, W, 3]."""
    f, y, x, c = torch.meshgrid(*(torch.arange(n) for n in (num_frames, height, width, 3)), indexing="ij")
    ramp = ((3 * x + 2 * y + 17 * f + 60 * c) % 511 - 255).abs()
    noise = ((x * 7919 + y * 104729 + f * 1299709 + c * 15485863 + 1) * 2654435761 >> 13) % 97 - 48
    edges = 140 * ((x // 11 + y // 7) % 5 == 0)
    return (ramp + noise - edges).clamp(0, 255).to(torch.uint8)


def declare_torchvision_operators() -> None:
    for name in ("nms", "qnms"):
        torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def resize_with_qwen_vl_utils(
    frames: torch.Tensor, min_pixels: int, max_pixels: int, total_pixels: int
) -> torch.Tensor:
    """Its whole ``fetch_video`` with a reader that hands over our frames: float [F, 3, h, w] of whole numbers."""
    from qwen_vl_utils import vision_process

    channels_first = frames.permute(0, 3, 1, 2)
    vision_process.VIDEO_MAX_TOKEN_NUM = max_pixels / 28**2  # VIDEO_MAX_PIXELS in units of tokens
    vision_process.VIDEO_READER_BACKENDS["decord"] = lambda ele: (channels_first, {}, 2.0)
    return vision_process.fetch_video({"video": "frames.mp4", "min_pixels": min_pixels, "total_pixels": total_pixels})


def process(frames: torch.Tensor, **settings) -> tuple[torch.Tensor, list[int]]:
    from transformers import Qwen2VLVideoProcessor

    processor = Qwen2VLVideoProcessor(cap_pixels_per_frame=True, **settings)
    output = processor([frames], do_sample_frames=False, return_tensors="pt")
    return output["pixel_values_videos"], output["video_grid_thw"][0].tolist()


def steady_positions(frames: torch.Tensor, size: torch.Size, seed: int) -> torch.Tensor:
    """Flat positions in the patches whose value does not hang on the last bits of the interpolation."""
    from torchvision.transforms import InterpolationMode, functional

    exact = functional.resize(frames.permute(0, 3, 1, 2).double(), size, InterpolationMode.BICUBIC, antialias=True)
    fraction = exact % 1
    marks = ((fraction - 0.5).abs() > 1e-3).float()
    patches, _ = process(marks, do_resize=False, do_rescale=False, do_normalize=False)
    candidates = patches.flatten().nonzero().flatten()
    order = torch.randperm(len(candidates), generator=torch.Generator().manual_seed(seed))
    return candidates[order[:NUM_SAMPLES]].sort().values


def frame_table() -> list[tuple[tuple[float, ...], list[int], float]]:
    """For each clip length and setting what the sampler of qwen-vl-utils takes: the setting, the frames, their rate."""
    from qwen_vl_utils import vision_process

    rows = []
    combinations = itertools.product(TOTAL_FRAMES, SAMPLING)
    for number, (total_frames, (fps, min_frames, max_frames)) in enumerate(combinations):
        video_fps = VIDEO_FPS[(number + number // len(SAMPLING)) % len(VIDEO_FPS)]
        bounds = {"fps": fps, "min_frames": min_frames, "max_frames": max_frames}
        num_frames = vision_process.smart_nframes(bounds, total_frames=total_frames, video_fps=video_fps)
        # The reader's two lines after smart_nframes, which it does not offer as a function.
        indices = torch.linspace(0, total_frames - 1, num_frames).round().long().tolist()
        sampled_fps = num_frames / max(total_frames, 1e-6) * video_fps
        rows.append(((total_frames, video_fps, fps, min_frames, max_frames), indices, sampled_fps))
    return rows


def size_table() -> list[tuple[int, ...]]:
    """Height, width, min_pixels and max_pixels, then the height and width that qwen-vl-utils gives."""
    from qwen_vl_utils.vision_process import smart_resize

    rows = []
    for (a, b), bounds in itertools.product(SIZES, [(100352, 105369), (12544, 13171), (3136, 602112)]):
        for height, width in ((a, b), (b, a)):
            rows.append((height, width, *bounds, *smart_resize(height, width, 28, *bounds)))
    return [row for row in rows if min(row[-2:]) > 0]  # it rounds a side of the longest frames to 0, and fails later


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ASSET)
    out = parser.parse_args().out
    os.environ["FORCE_QWENVL_VIDEO_READER"] = "decord"
    declare_torchvision_operators()

    arrays = {"cases": np.array([(*shape, *bounds) for *shape, bounds in CASES])}
    for number, (*shape, bounds) in enumerate(CASES):
        min_pixels, max_pixels, total_pixels = bounds
        frames = golden_frames(*shape)
        resized = resize_with_qwen_vl_utils(frames, *bounds)
        limits = {"shortest_edge": min_pixels, "longest_edge": max(max_pixels, int(1.05 * min_pixels))}
        budget = total_pixels / (28 * 28 * 0.9)  # the processor counts the area of all frames in tokens
        outputs = {
            "release": process(resized, do_resize=False),
            "processor": process(frames.permute(0, 3, 1, 2), size=limits, max_video_tokens=budget),
        }
        positions = steady_positions(frames, resized.shape[-2:], seed=number)
        arrays[f"{number}/positions"] = positions.int().numpy()
        for name, (patches, grid) in outputs.items():
            arrays[f"{number}/{name}/grid"] = np.array(grid)
            arrays[f"{number}/{name}/sum"] = patches.double().sum().numpy()
            arrays[f"{number}/{name}/values"] = patches.flatten()[positions].numpy()
        print(shape, bounds, "->", *(grid for _, grid in outputs.values()))

    rows = frame_table()
    arrays["frames/settings"] = np.array([settings for settings, _, _ in rows])
    arrays["frames/fps"] = np.array([fps for _, _, fps in rows])
    arrays["frames/counts"] = np.array([len(indices) for _, indices, _ in rows])
    arrays["frames/indices"] = np.concatenate([indices for _, indices, _ in rows])
    arrays["sizes"] = np.array(size_table())
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out, **arrays)
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

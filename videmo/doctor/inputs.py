"""The rows that need no model: settings, frames, sizes and patches."""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

from videmo.data.decode import probe
from videmo.data.sampling import VideoSettings, frame_indices
from videmo.doctor.ours import Clip
from videmo.doctor.plain import INSTALL, VIDEO_DEFAULTS, image_patches, video_patches, video_processor
from videmo.doctor.row import REPORT, Row, judge
from videmo.errors import in_words
from videmo.export.folder import VIDEMO_FILE, read_json
from videmo.export.processor import IMAGE_FILE, VIDEO_FILE, video_config
from videmo.pixels import normalise

PATCH_LIMIT = 1e-4  # of normalised pixels, a level of which is 0.015
PROCESSOR_FILE = "processor_config.json"  # where a processor was saved by transformers 5, it counts before the others
_SHARED = ("patch_size", "temporal_patch_size", "merge_size", "image_mean", "image_std")


def settings_row(folder: Path | None, config: Any, settings: VideoSettings) -> Row:
    wanted, vision = video_config(settings), config.vision_config
    stated = {
        "config.json": {
            "patch_size": vision.patch_size,
            "temporal_patch_size": vision.temporal_patch_size,
            "merge_size": vision.spatial_merge_size,
        },
        IMAGE_FILE: {name: value for name, value in stated_in(folder, IMAGE_FILE).items() if name in _SHARED},
    }
    file, values = _read_for_videos(folder)
    stated[file] = {name: value for name, value in values.items() if name in wanted}
    wrong = []
    for file, values in stated.items():
        others = {name: value for name, value in values.items() if not _same(value, wanted[name])}
        if others:
            words = ", ".join(f"{name} {value} (ours {wanted[name]})" for name, value in others.items())
            wrong.append(f"{file} has {words}")
    own = (
        f"{VIDEMO_FILE} of the folder" if stated_in(folder, VIDEMO_FILE) else "the release's, for the folder names none"
    )
    named = ", ".join(file for file, values in stated.items() if values)
    compared = f"our video settings ({own}) with those of {named}"
    if wrong:
        return Row("settings", "FAIL", None, compared, f"{'; '.join(wrong)}: correct the file, or export again")
    return Row("settings", "pass", None, compared)


def _read_for_videos(folder: Path | None) -> tuple[str, dict[str, Any]]:
    """What transformers takes a video processor's settings from, and the settings.

    A folder that is no export need not say any: what it is trained with is said elsewhere.
    """
    nested = stated_in(folder, PROCESSOR_FILE).get("video_processor")
    if isinstance(nested, dict):
        return PROCESSOR_FILE, nested
    stated = stated_in(folder, VIDEO_FILE)
    if stated or not stated_in(folder, VIDEMO_FILE):
        return VIDEO_FILE, stated
    return f"transformers without {VIDEO_FILE}", {**VIDEO_DEFAULTS, **stated_in(folder, IMAGE_FILE)}


def sampling_row(clip: Clip, settings: VideoSettings) -> Row:
    compared = "numbers of the frames taken, with qwen-vl-utils' smart_nframes"
    try:
        from qwen_vl_utils.vision_process import smart_nframes
    except Exception as error:  # of a package that is missing, or is for another torch
        return Row("sampling", "not run", None, compared, f"{video_processor()[1] or in_words(error)}: {INSTALL}")
    info = probe(clip.file, settings)
    bounds = {"fps": settings.fps, "min_frames": settings.min_frames, "max_frames": settings.max_frames}
    count = smart_nframes(bounds, total_frames=info.num_frames, video_fps=info.fps)
    theirs = torch.linspace(0, info.num_frames - 1, count).round().long()
    mine = torch.tensor(frame_indices(info.num_frames, info.fps, settings)[0])
    if len(mine) != len(theirs):
        return Row("sampling", "FAIL", None, compared, f"{len(mine)} frames, theirs {len(theirs)}; {REPORT}")
    return judge("sampling", (mine - theirs).abs().max().item(), 0, compared, f"frames {mine.tolist()}; {REPORT}")


def size_row(clip: Clip, settings: VideoSettings) -> Row:
    num_frames, height, width, _ = clip.source.shape
    share = settings.total_pixels * settings.temporal_patch_size // num_frames
    limit = max(min(settings.max_pixels, share), int(settings.min_pixels * 1.05))
    theirs = smart_resize(height, width, settings.side_factor, settings.min_pixels, limit)
    _, rows, columns = clip.video.grid_thw
    mine = (rows * settings.patch_size, columns * settings.patch_size)
    largest = max(abs(a - b) for a, b in zip(mine, theirs, strict=True))
    remedy = f"{clip.file}: {height}x{width} becomes {mine}, theirs {theirs}; {REPORT}"
    return judge("size", largest, 0, "height and width of a frame, with transformers' smart_resize", remedy)


def patches_row(clip: Clip, config: dict[str, Any]) -> Row:
    compared = "patches of our frames, with transformers' image processor (PIL) on the same frames"
    return _patch_row("patches", clip, image_patches(clip.frames, config), compared)


def video_processor_row(clip: Clip, config: dict[str, Any]) -> Row:
    compared = "patches and grid, with transformers' video processor on the same frames"
    processor, reason = video_processor()
    if processor is None:
        return Row("video processor", "not run", None, compared, f"{reason}: {INSTALL}; the row above is the same")
    theirs, grid = video_patches(processor, clip.frames, config)
    if grid != clip.video.grid_thw:
        return Row("video processor", "FAIL", None, compared, f"grid {clip.video.grid_thw}, theirs {grid}; {REPORT}")
    return _patch_row("video processor", clip, theirs, compared)


def _patch_row(name: str, clip: Clip, theirs: Tensor, compared: str) -> Row:
    mine = normalise(clip.video.patches)
    if mine.shape != theirs.shape:
        return Row(name, "FAIL", None, compared, f"shape {tuple(mine.shape)}, theirs {tuple(theirs.shape)}; {REPORT}")
    difference = (mine - theirs).abs()
    wrong = (difference > PATCH_LIMIT).float().mean().item()
    remedy = (
        f"{clip.file}: {100 * wrong:.2g}% of the values differ: compare {IMAGE_FILE} with videmo/pixels.py; {REPORT}"
    )
    return judge(name, difference.max().item(), PATCH_LIMIT, compared, remedy)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    return math.isclose(a, b, rel_tol=1e-6) if numbers else a == b


def stated_in(folder: Path | None, name: str) -> dict[str, Any]:
    """A file of the model's folder; empty where there is none."""
    return read_json(folder / name) if folder is not None and (folder / name).is_file() else {}

"""From a video file to the patches of Qwen2.5-VL's vision encoder: sample, resize, cut.

The release samples and resizes with qwen-vl-utils and cuts with transformers' ``Qwen2VLVideoProcessor``. Both need
torchvision; this is the same arithmetic in torch alone, held to the outputs of the two by ``tests/data/test_video.py``.

The two resize differently, and we follow qwen-vl-utils, because in the release the processor gets frames that already
have their size. qwen-vl-utils (torchvision's v1 functional) interpolates in float32, clamps and rounds once. The
processor (v2, on a CPU) interpolates uint8, one axis after the other, and rounds and clamps after each: a tenth to a
quarter of the values differ by one level of 255, and beside hard edges, where bicubic overshoots 0 or 255, some differ
by up to 17.

Shapes: F frames, H x W their size in the file, h x w after resizing, t x h x w the grid of patches.
"""

import hashlib
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from videmo.data.controls import Shown, altered_frames
from videmo.data.decode import VideoError, read_frames
from videmo.data.sampling import VideoSettings, frame_size

NOT_SEEN = ("decode_timeout",)
"""Settings that leave the patches as they are."""


@dataclass(frozen=True, eq=False)
class Video:
    """One clip, ready for the vision encoder, or already encoded by it.

    Attributes:
        pixel_values: Patches, uint8 ``[t*h*w, 3*temporal_patch*patch*patch]``, normalised where they enter the tower;
            each 2x2 block of a frame's patches is contiguous, as the merger reads them. None where they are not needed.
        grid_thw: Patches in time, height and width.
        second_per_grid: Seconds from one temporal patch to the next.
        merge_size: Patches along each side of a token.
        features: What a frozen tower made of the patches, ``[num_tokens, hidden]``. Without these and without patches
            the process that trains has promised them (``VisionCache``).
        path: The file as its records name it.
        key: What the features are kept under; empty where they are not kept.
    """

    pixel_values: Tensor | None
    grid_thw: tuple[int, int, int]
    second_per_grid: float
    merge_size: int = 2
    features: Tensor | None = None
    path: str = ""
    key: str = ""

    @property
    def patches(self) -> Tensor:
        """The pixel values of a video that was decoded."""
        assert self.pixel_values is not None
        return self.pixel_values

    @property
    def num_tokens(self) -> int:
        """Tokens that the language model sees: the merger joins 2x2 patches."""
        return math.prod(self.grid_thw) // self.merge_size**2

    def tensors(self) -> dict[str, Tensor]:
        """The video in the form that caches keep."""
        shape = {
            "grid": torch.tensor([*self.grid_thw, self.merge_size]),
            "second_per_grid": torch.tensor(self.second_per_grid, dtype=torch.float64),
        }
        values = {"pixel_values": self.pixel_values, "features": self.features}
        return shape | {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> "Video":
        """What ``tensors`` gave."""
        *grid, merge_size = tensors["grid"].tolist()
        patches, features = tensors.get("pixel_values"), tensors.get("features")
        return cls(patches, tuple(grid), tensors["second_per_grid"].item(), merge_size, features)


def video_key(file: Path, settings: VideoSettings, control: Shown = "none") -> str:
    """What the patches of a file are kept under: its path, size, time of modification, and how frames are made of it.

    Empty where there is no such file: who reads it says why.
    """
    if not file.is_file():
        return ""
    status = os.stat(file)
    seen = {name: value for name, value in asdict(settings).items() if name not in NOT_SEEN}
    identity = (os.path.abspath(file), status.st_size, status.st_mtime_ns, control, sorted(seen.items()))
    return hashlib.blake2b(repr(identity).encode(), digest_size=16).hexdigest()


def load_video(path: str | Path, settings: VideoSettings, control: Shown = "none") -> Video:
    """Read, sample, resize and cut one clip; a control may shuffle or freeze its frames.

    A clip of a single frame, which qwen-vl-utils refuses, is a still: the frame is repeated to fill its temporal patch.

    Raises:
        VideoError: If the file cannot be read, or its frames are more than 200 times as long as wide.
    """
    frames, sampled_fps = load_frames(path, settings, control)
    pixel_values, grid_thw = patchify(frames, settings)
    return Video(pixel_values, grid_thw, settings.temporal_patch_size / sampled_fps, settings.merge_size)


def load_frames(path: str | Path, settings: VideoSettings, control: Shown = "none") -> tuple[Tensor, float]:
    """The frames of a clip as the model sees them, uint8 ``[F, 3, h, w]``, and how many of them are a second.

    Raises:
        VideoError: As ``load_video``.
    """
    pixels, sampled_fps = read_frames(path, settings)
    frames = altered_frames(torch.from_numpy(pixels), control, key=Path(path).name)
    try:
        return resize_frames(frames, settings), sampled_fps
    except ValueError as error:
        raise VideoError(f"{path}: {error}") from error


def resize_frames(frames: Tensor, settings: VideoSettings) -> Tensor:
    """Resize to the clip's size under the settings: bicubic with antialiasing, rounded back to uint8.

    Args:
        frames: uint8 ``[F, H, W, 3]``.
        settings: Bounds on the area.

    Returns:
        uint8 ``[F, 3, h, w]``.

    Raises:
        ValueError: If one side of the frames is more than 200 times the other.
    """
    num_frames, height, width, _ = frames.shape
    size = frame_size(height, width, num_frames, settings)
    channels_first = frames.permute(0, 3, 1, 2).contiguous()  # [F, 3, H, W]
    if size == (height, width):
        return channels_first
    # One by one: sixteen 1080p frames would take 400 MB in float32 at once.
    return torch.cat([_resize_bicubic(frame, size) for frame in channels_first.split(1)])


def _resize_bicubic(frames: Tensor, size: tuple[int, int]) -> Tensor:
    resized = torch.nn.functional.interpolate(
        frames.float(), size=size, mode="bicubic", align_corners=False, antialias=True
    )
    return resized.clamp_(0, 255).round_().to(torch.uint8)


def patchify(frames: Tensor, settings: VideoSettings) -> tuple[Tensor, tuple[int, int, int]]:
    """Cut frames into the patches that Qwen2-VL's processor makes, in its order; ``pixels.normalise`` gives its values.

    Patches run over time, then over merge blocks by row and column, then inside a block; the values of a patch run over
    channel, frame, row and column. Missing frames of the last temporal patch repeat the last frame.

    Args:
        frames: ``[F, 3, h, w]`` from 0 to 255, sides multiples of ``patch_size * merge_size``.
        settings: Patch sizes.

    Returns:
        Patches ``[t*h*w, 3*temporal_patch*patch*patch]`` of the frames' type, and the grid ``(t, h, w)``.

    Raises:
        ValueError: If there is no frame, or a side is not such a multiple.
    """
    num_frames, channels, height, width = frames.shape
    patch, temporal_patch, merge = settings.patch_size, settings.temporal_patch_size, settings.merge_size
    if num_frames == 0:
        raise ValueError("patchify needs at least one frame, got none")
    if height % settings.side_factor or width % settings.side_factor:
        raise ValueError(
            f"sides must be multiples of {settings.side_factor}, got {height}x{width}; resize with resize_frames first"
        )
    missing = -num_frames % temporal_patch
    if missing:
        frames = torch.cat([frames, frames[-1:].expand(missing, -1, -1, -1)])
    t, h, w = len(frames) // temporal_patch, height // patch, width // patch
    blocks = frames.reshape(t, temporal_patch, channels, h // merge, merge, patch, w // merge, merge, patch)
    patches = blocks.permute(0, 3, 6, 4, 7, 2, 1, 5, 8)  # time, block row, block column, row, column, then the values
    return patches.reshape(t * h * w, channels * temporal_patch * patch * patch), (t, h, w)

"""From a video file to the patches of Qwen2.5-VL's vision encoder: sample, resize, normalise, cut.

The release samples and resizes with qwen-vl-utils and cuts with transformers' ``Qwen2VLVideoProcessor``. Both need
torchvision; this is the same arithmetic in torch alone, held to the outputs of the two by ``tests/data/test_video.py``.

The two resize differently, and we follow qwen-vl-utils, because in the release the processor gets frames that already
have their size. qwen-vl-utils (torchvision's v1 functional) interpolates in float32, clamps and rounds once. The
processor (v2, on a CPU) interpolates uint8, one axis after the other, and rounds and clamps after each: a tenth to a
quarter of the values differ by one level of 255, and beside hard edges, where bicubic overshoots 0 or 255, some differ
by up to 17.

Shapes: F frames, H x W their size in the file, h x w after resizing, t x h x w the grid of patches.
"""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from videmo.data.controls import Shown, altered_frames
from videmo.data.decode import VideoError, read_frames
from videmo.errors import InputError

MAX_ASPECT_RATIO = 200  # qwen-vl-utils' and the processor's bound


@dataclass(frozen=True)
class VideoSettings:
    """How videos are sampled, sized and cut into patches; the defaults are the release's."""

    fps: float = 2.0
    """Frames a second to sample."""
    min_frames: int = 4
    """Fewest frames to sample, where the clip has as many; rounded up to whole temporal patches."""
    max_frames: int = 16
    """Most frames to sample (qwen-vl-utils' own default is 768); rounded down to whole temporal patches."""
    min_pixels: int = 128 * 28 * 28
    """Smallest area of one frame: smaller ones are scaled up."""
    max_pixels: int = 100352
    """Largest area of one frame (`VIDEO_MAX_PIXELS`); counts as 1.05 * min_pixels where that is more: lower both."""
    total_pixels: int = 128000 * 28 * 28 * 9 // 10
    """Largest area of all frames together, counted per temporal patch; also gives way to 1.05 * min_pixels."""
    patch_size: int = 14
    """Side of a square patch."""
    temporal_patch_size: int = 2
    """Frames in a patch."""
    merge_size: int = 2
    """Patches along each side that the model merges into one token."""
    image_mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    """Means of red, green and blue (CLIP's), for values from 0 to 1."""
    image_std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    """Standard deviations of red, green and blue (CLIP's), for values from 0 to 1."""

    def __post_init__(self) -> None:
        numbers = ("fps", "min_frames", "min_pixels", "total_pixels", "patch_size", "temporal_patch_size", "merge_size")
        for name in numbers:
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be greater than 0, got {getattr(self, name)}")
        if self.max_frames < self.temporal_patch_size:
            raise InputError(
                f"max_frames must be at least temporal_patch_size ({self.temporal_patch_size}), got {self.max_frames}"
            )
        if self.min_frames > self.max_frames:
            raise InputError(f"min_frames ({self.min_frames}) exceeds max_frames ({self.max_frames}); lower min_frames")
        if self.min_pixels > self.max_pixels:
            raise InputError(f"min_pixels ({self.min_pixels}) exceeds max_pixels ({self.max_pixels}); lower min_pixels")

    @property
    def side_factor(self) -> int:
        """What the sides of a resized frame are multiples of: one merged token, 28 pixels."""
        return self.patch_size * self.merge_size

    def frame_pixel_limit(self, num_frames: int) -> float:
        """The largest area of a frame in a clip of that many sampled frames, as qwen-vl-utils computes it.

        >>> VideoSettings().frame_pixel_limit(16)  # 1.05 * 128 * 28 * 28: why 640x480 gives 280x364, 130 tokens
        105369
        """
        share = self.total_pixels / num_frames * self.temporal_patch_size
        return max(min(self.max_pixels, share), int(self.min_pixels * 1.05))


@dataclass(frozen=True, eq=False)
class Video:
    """One clip, ready for the vision encoder.

    Attributes:
        pixel_values: Normalised patches, float32 ``[t*h*w, 3*temporal_patch*patch*patch]``; each 2x2 block of a frame's
            patches is contiguous, as the merger reads them.
        grid_thw: Patches in time, height and width.
        second_per_grid: Seconds from one temporal patch to the next.
        merge_size: Patches along each side of a token.
    """

    pixel_values: Tensor
    grid_thw: tuple[int, int, int]
    second_per_grid: float
    merge_size: int = 2

    @property
    def num_tokens(self) -> int:
        """Tokens that the language model sees: the merger joins 2x2 patches."""
        return math.prod(self.grid_thw) // self.merge_size**2


def load_video(path: str | Path, settings: VideoSettings, control: Shown = "none") -> Video:
    """Read, sample, resize and cut one clip; a control may shuffle or freeze its frames.

    A clip of a single frame, which qwen-vl-utils refuses, is a still: the frame is repeated to fill its temporal patch.

    Raises:
        VideoError: If the file cannot be read, or its frames are more than 200 times as long as wide.
    """
    frames, sampled_fps = read_frames(path, partial(frame_indices, settings=settings))
    frames = altered_frames(frames, control, key=Path(path).name)
    try:
        resized = resize_frames(frames, settings)
    except ValueError as error:
        raise VideoError(f"{path}: {error}") from error
    pixel_values, grid_thw = patchify(resized, settings)
    return Video(pixel_values, grid_thw, settings.temporal_patch_size / sampled_fps, settings.merge_size)


def frame_indices(total_frames: int, video_fps: float, settings: VideoSettings) -> tuple[list[int], float]:
    """Which frames to take, evenly from the first to the last, as qwen-vl-utils' ``smart_nframes`` does.

    A clip shorter than one temporal patch gives all its frames.

    Args:
        total_frames: Frames in the file.
        video_fps: Its frames per second.
        settings: Bounds and sampling rate.

    Returns:
        The frame numbers from 0, and the frames per second that they amount to.

    Raises:
        ValueError: If there is no frame or no positive frame rate.

    >>> frame_indices(100, 25.0, VideoSettings())  # 4 s at 2 frames a second
    ([0, 14, 28, 42, 57, 71, 85, 99], 2.0)
    """
    if total_frames < 1:
        raise ValueError(f"a video needs at least one frame, got {total_frames}")
    if not (math.isfinite(video_fps) and video_fps > 0):
        raise ValueError(f"video_fps must be a positive number, got {video_fps}")
    factor = settings.temporal_patch_size
    if total_frames < factor:
        return list(range(total_frames)), video_fps
    fewest = math.ceil(settings.min_frames / factor) * factor
    most = math.floor(settings.max_frames / factor) * factor
    wanted = min(max(total_frames / video_fps * settings.fps, fewest), most, total_frames)
    num_frames = math.floor(wanted / factor) * factor
    indices = torch.linspace(0, total_frames - 1, num_frames).round().long().tolist()
    return indices, num_frames / total_frames * video_fps


def smart_resize(height: int, width: int, *, factor: int, min_pixels: float, max_pixels: float) -> tuple[int, int]:
    """The size nearest in shape to the given one, with sides in multiples of ``factor`` and an area in the bounds.

    As in qwen-vl-utils, rounding may leave the bounds by a little. Where it rounds a side of a very long frame to 0 and
    then fails, ours is one ``factor``, as in transformers.

    Raises:
        ValueError: If one side is more than 200 times the other.

    >>> smart_resize(480, 640, factor=28, min_pixels=100352, max_pixels=105369)
    (280, 364)
    """
    if max(height, width) > MAX_ASPECT_RATIO * min(height, width):
        raise ValueError(
            f"frames of {height}x{width} (height x width): one side is more than {MAX_ASPECT_RATIO} times the other; "
            "crop the video, or leave its records out"
        )
    new_height = max(factor, round(height / factor) * factor)
    new_width = max(factor, round(width / factor) * factor)
    if new_height * new_width > max_pixels:
        shrink = math.sqrt(height * width / max_pixels)
        new_height = max(factor, math.floor(height / shrink / factor) * factor)
        new_width = max(factor, math.floor(width / shrink / factor) * factor)
    elif new_height * new_width < min_pixels:
        grow = math.sqrt(min_pixels / (height * width))
        new_height = math.ceil(height * grow / factor) * factor
        new_width = math.ceil(width * grow / factor) * factor
    return new_height, new_width


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
    size = smart_resize(
        height,
        width,
        factor=settings.side_factor,
        min_pixels=settings.min_pixels,
        max_pixels=settings.frame_pixel_limit(num_frames),
    )
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
    """Normalise frames and cut them into the patches that Qwen2-VL's processor makes, in its order.

    Patches run over time, then over merge blocks by row and column, then inside a block; the values of a patch run over
    channel, frame, row and column. Missing frames of the last temporal patch repeat the last frame.

    Args:
        frames: ``[F, 3, h, w]`` from 0 to 255, sides multiples of ``patch_size * merge_size``.
        settings: Patch sizes, mean and standard deviation.

    Returns:
        Patches, float32 ``[t*h*w, 3*temporal_patch*patch*patch]``, and the grid ``(t, h, w)``.

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
    values_per_channel = temporal_patch * patch * patch
    patches = patches.reshape(t * h * w, channels * values_per_channel)
    # Normalised last: moving uint8 values about costs a third of moving float32 ones.
    mean = torch.tensor(settings.image_mean).mul(255).repeat_interleave(values_per_channel)
    std = torch.tensor(settings.image_std).mul(255).repeat_interleave(values_per_channel)
    return patches.float().sub(mean).div_(std), (t, h, w)

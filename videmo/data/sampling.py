"""Which frames of a video are taken and what size they get, by qwen-vl-utils' arithmetic; from metadata alone.

No pixels and no torch: an index counts the tokens of 400,000 videos with it, and processes that only decode import it.
"""

import math
from dataclasses import dataclass

import numpy as np

from videmo.errors import InputError

MAX_ASPECT_RATIO = 200  # qwen-vl-utils' and the processor's bound
BACKENDS = ("decord", "pyav", "torchcodec")


@dataclass(frozen=True)
class VideoInfo:
    """What a video file holds.

    Attributes:
        num_frames: Pictures that a player shows.
        fps: Frames per second, on average.
        height: Of a picture as shown, after rotation.
        width: Likewise.
    """

    num_frames: int
    fps: float
    height: int
    width: int


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
    decode_timeout: float = 20.0
    """Seconds that reading one video may take before its decoder is killed and the video counts as broken."""
    backends: tuple[str, ...] = ("decord", "pyav")
    """What reads videos: what one cannot read the next tries. Also known: torchcodec (it needs FFmpeg's libraries)."""

    def __post_init__(self) -> None:
        numbers = ("fps", "min_frames", "min_pixels", "total_pixels", "patch_size", "temporal_patch_size", "merge_size")
        numbers += ("decode_timeout",)
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
        unknown = [name for name in self.backends if name not in BACKENDS]
        if unknown or not self.backends:
            raise InputError(f"backends must be some of {', '.join(BACKENDS)}, got {', '.join(unknown) or 'none'}")

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
    # qwen-vl-utils does it in float32; that differs at exact halves beyond 10,000 frames, and from CPU to CPU.
    indices = np.linspace(0, total_frames - 1, num_frames).round().astype(int).tolist()
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


def clip_grid(info: VideoInfo, settings: VideoSettings) -> tuple[int, int, int]:
    """Patches in time, height and width that ``load_video`` cuts a video into.

    Raises:
        ValueError: If there is no frame, no frame rate, or one side is more than 200 times the other.

    >>> clip_grid(VideoInfo(num_frames=250, fps=25.0, height=480, width=640), VideoSettings())
    (8, 20, 26)
    """
    num_frames = len(frame_indices(info.num_frames, info.fps, settings)[0])
    height, width = frame_size(info.height, info.width, num_frames, settings)
    return (
        math.ceil(num_frames / settings.temporal_patch_size),
        height // settings.patch_size,
        width // settings.patch_size,
    )


def frame_size(height: int, width: int, num_frames: int, settings: VideoSettings) -> tuple[int, int]:
    """Height and width that the frames of a clip are resized to.

    Raises:
        ValueError: If one side is more than 200 times the other.
    """
    return smart_resize(
        height,
        width,
        factor=settings.side_factor,
        min_pixels=settings.min_pixels,
        max_pixels=settings.frame_pixel_limit(num_frames),
    )


def video_tokens(info: VideoInfo, settings: VideoSettings) -> int:
    """Tokens that the language model sees of a video: the merger joins 2x2 patches.

    >>> video_tokens(VideoInfo(num_frames=250, fps=25.0, height=480, width=640), VideoSettings())
    1040
    """
    return math.prod(clip_grid(info, settings)) // settings.merge_size**2

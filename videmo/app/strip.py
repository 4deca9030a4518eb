"""The frames of a clip that the model sees, for a page, with what a person should know about them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from videmo.data.sampling import VideoSettings
from videmo.data.video import load_frames
from videmo.pictures import picture_uri

PLAIN = 2.0
"""Standard deviation, of 255 levels, that compression's noise may give to a frame of one colour."""
SPARSE = 5.0
"""Seconds from one frame to the next in which much can happen unseen."""


@dataclass(frozen=True)
class Strip:
    """Frames as the model sees them.

    Attributes:
        frames: As data URIs.
        seconds: When each was shown.
        size: Their width and height.
        notes: Sentences on what an answer about them is worth.
    """

    frames: list[str]
    seconds: list[float]
    size: tuple[int, int]
    notes: list[str]


def read_strip(clip: Path, settings: VideoSettings) -> Strip:
    """Read a clip as the model does.

    Raises:
        InputError: If it cannot be read, or its frames are more than 200 times as long as wide.
    """
    found, fps = load_frames(clip, settings)
    frames = found.permute(0, 2, 3, 1).numpy()
    height, width = frames.shape[1:3]
    pictures = [picture_uri(Image.fromarray(frame), "JPEG", quality=85) for frame in frames]
    return Strip(pictures, [place / fps for place in range(len(frames))], (width, height), what_is_odd(frames, fps))


def what_is_odd(frames: np.ndarray, fps: float) -> list[str]:
    """What makes an answer about frames doubtful before it is asked.

    Args:
        frames: uint8 ``[F, H, W, 3]``.
        fps: Of them a second.

    Example:
        >>> what_is_odd(np.zeros((1, 2, 2, 3), np.uint8), 2.0)[0]
        'The clip has one frame: nothing moves in it.'
    """
    notes = []
    if len(frames) == 1:
        notes.append("The clip has one frame: nothing moves in it.")
    elif 1 / fps > SPARSE:
        notes.append(f"Between two of these frames lie {1 / fps:.0f} seconds that the model does not see.")
    if frames.std(axis=(1, 2)).max() < PLAIN:
        notes.append("Each frame is of one colour: there is nobody to see, whatever the model says.")
    return notes

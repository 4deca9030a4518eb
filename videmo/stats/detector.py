"""The detector of faces: YuNet, from the package ``yuface``, which its authors made and which holds its weights.

It is an extra, ``pip install 'videmo[faces]'``: half a megabyte, for the CPU, and nothing is downloaded when it runs. A
view is told from its five key points. The tip of a nose stands before the line of the eyes by about 0.45 of their
distance, so that at a yaw of a degrees it lies 0.45 tan a eye distances beside their middle: 0.16 at 20 degrees, 0.64
at 55.
"""

import importlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

DETECTOR = "YuNet (yuface)"
SIDE = 320
"""Pixels of a frame's longer side, at which faces from a tenth of the frame to all of it are found."""
THREE_QUARTER, PROFILE = 0.16, 0.64
_SURE = 0.5  # least confidence


class Face(NamedTuple):
    """A face.

    Attributes:
        area: Its box's share of the frame.
        view: frontal, three-quarter or profile.
    """

    area: float
    view: str


Detector = Callable[[np.ndarray], Face | None]
"""From a frame, uint8 RGB [H, W, 3], to its largest face."""


def load_detector() -> Detector | None:
    """The detector; None where its package is not installed."""
    try:
        detect = importlib.import_module("yuface").detect
    except ImportError:
        return None

    def largest(frame: np.ndarray) -> Face | None:
        image = Image.fromarray(frame)
        size = [max(1, round(side * SIDE / max(image.size))) for side in image.size]
        image = image.resize(size, Image.Resampling.BICUBIC)
        pixels = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])  # it takes BGR
        _, boxes, points = detect(pixels, _SURE)  # boxes [F, 4] as x, y, width, height; points [F, 10]
        if not len(boxes):
            return None
        sides = _inside(boxes.astype(float), *image.size)
        best = int(np.argmax(sides.prod(1)))
        return Face(float(sides[best].prod()) / (image.width * image.height), view_of(points[best].astype(float)))

    return largest


def _inside(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Widths and heights of boxes as far as they lie in the frame, [F, 2]."""
    low = np.clip(boxes[:, :2], 0, (width, height))
    return np.clip(boxes[:, :2] + boxes[:, 2:], low, (width, height)) - low


def view_of(points: np.ndarray) -> str:
    """From which side a face is seen.

    Args:
        points: x and y of both eyes, the tip of the nose and the corners of the mouth, [10].

    Example:
        >>> view_of(np.array([200, 101, 247, 102, 220, 124, 198, 142, 239, 143]))
        'frontal'
    """
    right, left, nose = points[:6].reshape(3, 2)
    between = float(np.hypot(*(left - right)))
    if between == 0:
        return "profile"
    aside = abs(float(np.dot(nose - (left + right) / 2, left - right))) / between**2  # along the line of the eyes
    return "frontal" if aside < THREE_QUARTER else "three-quarter" if aside < PROFILE else "profile"

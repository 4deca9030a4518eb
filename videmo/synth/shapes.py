"""A picture as a list of shapes: polygons over all frames of a clip, prepared at once and painted frame by frame.

Everything is painted three times too large and averaged down, which is the only smoothing of edges.
"""

from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

from videmo.synth.geometry import SIZE
from videmo.synth.palette import Colour

SUPERSAMPLE = 3
CANVAS = SIZE * SUPERSAMPLE


@dataclass(frozen=True)
class Shape:
    """One polygon a frame: its corners (x0, y0, x1, ...) on the large canvas, its colour and its opacity."""

    corners: list[list[float]]
    colour: Colour
    opacity: list[int]

    def paint(self, draw: ImageDraw.ImageDraw, frame: int) -> None:
        """Paint one frame onto a canvas opened in mode RGBA."""
        if self.opacity[frame] > 3:
            draw.polygon(self.corners[frame], fill=(*self.colour, self.opacity[frame]))


def corners(points: np.ndarray) -> list[list[float]]:
    """Pixels of the final frame [F, n, 2] -> what a pen of the large canvas takes, one flat list a frame."""
    return (points * SUPERSAMPLE).reshape(len(points), -1).tolist()


def filled(points: np.ndarray, colour: Colour, opacity: float | np.ndarray = 1.0) -> Shape:
    """A filled outline.

    Args:
        points: Pixels of the final frame.  # [F, n, 2]
        colour: Fill.
        opacity: 0 to 1, one for the clip or one a frame.  # [F]
    """
    levels = np.broadcast_to(np.clip(np.asarray(opacity) * 255, 0, 255).astype(int), points.shape[0])
    return Shape(corners(points), colour, levels.tolist())


def stroke(
    curve: np.ndarray, width: float | np.ndarray, colour: Colour, opacity: float | np.ndarray = 1.0, taper: float = 0.7
) -> Shape:
    """A brush stroke along an open curve: full width in the middle, thinner by `taper` at both ends.

    Args:
        curve: Pixels of the final frame.  # [F, n, 2]
        width: In pixels of the final frame, one or one a point.  # [n]
        colour: Of the brush.
        opacity: 0 to 1, one for the clip or one a frame.
        taper: 0 keeps the width, 1 ends in a point.
    """
    along = np.gradient(curve, axis=1)
    normal = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    span = np.linspace(-1, 1, curve.shape[1])
    half = (0.5 * width * (1 - taper * span**4))[:, None]  # [n, 1]
    return filled(np.concatenate([curve + half * normal, (curve - half * normal)[:, ::-1]], axis=1), colour, opacity)


def ring(curve: np.ndarray, width: float, colour: Colour) -> Shape:
    """A stroke along a closed curve."""
    return stroke(np.concatenate([curve, curve[:, :2]], axis=1), width, colour, taper=0.0)


def glow(outline: np.ndarray, colour: Colour, opacity: float | np.ndarray, steps: int = 5) -> list[Shape]:
    """A spot that fades outwards from the middle of an outline: the outline nested in itself."""
    centre = outline.mean(axis=1, keepdims=True)
    return [
        filled(centre + (outline - centre) * (step / steps), colour, np.asarray(opacity) / steps)
        for step in range(steps, 0, -1)
    ]


def between(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """The outline of what lies between two curves of the same direction.  # [F, 2n, 2]"""
    return np.concatenate([upper, lower[:, ::-1]], axis=1)


def moved(points: np.ndarray, right: float, down: float) -> np.ndarray:
    """Points shifted by pixels of the final frame."""
    return points + np.array([right, down])


def shrunk(outline: np.ndarray, factor: float) -> np.ndarray:
    """An outline scaled about its middle."""
    centre = outline.mean(axis=1, keepdims=True)
    return centre + (outline - centre) * factor


def disc(centre: np.ndarray, radius: float, colour: tuple, opacity: float | np.ndarray = 1.0) -> Shape:
    """A round spot at a point.  # centre [F, 1, 2]"""
    angles = np.linspace(0, 2 * np.pi, 12, False)
    return filled(centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1), colour, opacity)

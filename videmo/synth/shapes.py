"""A picture as a list of shapes: polygons over all frames of a clip, prepared at once and painted frame by frame.

Shapes stand in pixels of the final frame, as if a person filled it; a `View` puts the person where he belongs.
Everything is painted three times too large and averaged down, which is the only smoothing of edges.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from videmo.synth.geometry import SIZE
from videmo.synth.palette import Colour

SUPERSAMPLE = 3
CANVAS = SIZE * SUPERSAMPLE


@dataclass(frozen=True)
class View:
    """Where a person stands in the frame: drawn smaller by `zoom`, then moved right and down, in final pixels."""

    zoom: float = 1.0
    right: float = 0.0
    down: float = 0.0

    def canvas(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the final frame -> pixels of the large canvas."""
        return (points * self.zoom + np.array([self.right, self.down])) * SUPERSAMPLE

    def outline(self, points: np.ndarray) -> list[list[float]]:
        """Pixels of the final frame [F, n, 2] -> one flat list of the canvas (x0, y0, x1, ...) a frame."""
        return self.canvas(points).reshape(len(points), -1).tolist()


@dataclass(frozen=True)
class Shape:
    """A filled polygon a frame: corners [F, n, 2], colour and opacity, which is 0 to 1, one for all or one a frame."""

    points: np.ndarray
    colour: Colour
    opacity: float | np.ndarray = 1.0


class Layer:
    """Shapes as a pen of the large canvas takes them.

    Args:
        shapes: Back to front.
        view: Where their person stands.
    """

    def __init__(self, shapes: Sequence[Shape], view: View):
        self.colours = [shape.colour for shape in shapes]
        ends = np.cumsum([2 * shape.points.shape[1] for shape in shapes]).tolist()
        self.spans = list(zip([0, *ends], ends, strict=False))
        if not shapes:
            return
        frames = max(len(shape.points) for shape in shapes)
        points = np.concatenate([np.broadcast_to(s.points, (frames, *s.points.shape[1:])) for s in shapes], axis=1)
        self.corners = view.canvas(points).reshape(frames, -1)
        opacity = np.stack([np.broadcast_to(shape.opacity, frames) for shape in shapes], axis=1)
        self.opacity = np.clip(opacity * 255, 0, 255).astype(int)  # [F, shapes]

    def paint(self, image: Image.Image, frame: int) -> None:
        """Paint one frame; what is nearly opaque is painted without blending, which is quicker."""
        if not self.spans:
            return
        frame = min(frame, len(self.corners) - 1)  # what stands still has one
        solid, glaze = ImageDraw.Draw(image), ImageDraw.Draw(image, "RGBA")
        corners = self.corners[frame].tolist()
        for (start, end), colour, opacity in zip(self.spans, self.colours, self.opacity[frame].tolist(), strict=True):
            if opacity > 244:
                solid.polygon(corners[start:end], fill=colour)
            elif opacity > 5:
                glaze.polygon(corners[start:end], fill=(*colour, opacity))


def stroke(
    curve: np.ndarray, width: float | np.ndarray, colour: Colour, opacity: float | np.ndarray = 1.0, taper: float = 0.7
) -> Shape:
    """A brush stroke along an open curve: full width in the middle, thinner by `taper` at both ends.

    Args:
        curve: Pixels of the final frame.  # [F, n, 2]
        width: In pixels of the final frame, one, one a point [n], or one a frame and point [F, n].
        colour: Of the brush.
        opacity: 0 to 1, one for the clip or one a frame.
        taper: 0 keeps the width, 1 ends in a point.
    """
    padded = np.concatenate([2 * curve[:, :1] - curve[:, 1:2], curve, 2 * curve[:, -1:] - curve[:, -2:-1]], axis=1)
    along = padded[:, 2:] - padded[:, :-2]
    normal = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    normal /= np.maximum(np.sqrt((normal**2).sum(axis=-1, keepdims=True)), 1e-6)
    span = np.linspace(-1, 1, curve.shape[1])
    half = np.asarray(0.5 * width * (1 - taper * span**4))[..., None]  # [n, 1] or [F, n, 1]
    return Shape(np.concatenate([curve + half * normal, (curve - half * normal)[:, ::-1]], axis=1), colour, opacity)


def outlined(
    curve: np.ndarray, width: float, colour: Colour, rim: Colour, opacity: float | np.ndarray = 1.0, taper: float = 0.3
) -> list[Shape]:
    """A stroke with a rim of another colour, to be seen before any background."""
    return [stroke(curve, width + 2.0, rim, opacity, taper), stroke(curve, width, colour, opacity, taper)]


def ring(curve: np.ndarray, width: float, colour: Colour, opacity: float | np.ndarray = 1.0) -> Shape:
    """A stroke along a closed curve."""
    return stroke(np.concatenate([curve, curve[:, :2]], axis=1), width, colour, opacity, taper=0.0)


def glow(outline: np.ndarray, colour: Colour, opacity: float | np.ndarray, steps: int = 4) -> list[Shape]:
    """A spot that fades outwards from the middle of an outline: the outline nested in itself."""
    return [Shape(shrunk(outline, step / steps), colour, np.asarray(opacity) / steps) for step in range(steps, 0, -1)]


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
    angles = np.linspace(0, 2 * np.pi, 10, False)
    return Shape(centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1), colour, opacity)


def drop(
    centre: np.ndarray, size: float, colour: Colour, rim: Colour, opacity: float | np.ndarray = 1.0
) -> list[Shape]:
    """A drop of water that hangs from its tip, with its rim and a highlight.  # centre [F, 1, 2]"""
    angles = np.linspace(-0.25 * np.pi, 1.25 * np.pi, 9)
    outline = np.stack([np.append(np.cos(angles), 0.0), np.append(np.sin(angles), -2.0)], axis=-1)
    return [
        Shape(centre + (size + 0.9) * outline, rim, opacity),
        Shape(centre + size * outline, colour, opacity),
        disc(moved(centre, -0.3 * size, 0.0), 0.3 * size, (255, 255, 255), opacity),
    ]

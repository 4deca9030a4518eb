"""What stands between two people: a heart, a zigzag, sparks; it says how they stand to each other."""

import numpy as np

from videmo.synth.palette import WHITE
from videmo.synth.shapes import Shape, outlined

_MIDDLE = 64.0


def bond(relation: str) -> list[Shape]:
    """The sign of a relation in the middle of the frame, in its pixels; none for Neutral and Mild."""
    draw = {"Intimate": _heart, "Tense": _zigzag, "Hostile": _sparks}.get(relation)
    return draw() if draw else []


def _heart() -> list[Shape]:
    t = np.linspace(0, 2 * np.pi, 24, False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return [
        Shape(np.stack([_MIDDLE + size * x, 14 + size * y], axis=-1)[None], colour)
        for size, colour in ((0.72, WHITE), (0.58, (236, 40, 84)))
    ]


def _zigzag() -> list[Shape]:
    y = np.linspace(10, 62, 7)
    x = _MIDDLE + 4.5 * (-1.0) ** np.arange(7)
    shapes = []
    for start in range(6):
        piece = np.stack([x[start : start + 2], y[start : start + 2]], axis=-1)[None]
        shapes.append(outlined(piece, 2.6, (90, 96, 120), WHITE, taper=0))
    return [rim for rim, _ in shapes] + [line for _, line in shapes]


def _sparks() -> list[Shape]:
    """Red bolts that meet in a flash."""
    angles = np.arange(16) * np.pi / 8
    shapes = []
    for y in (26.0, 40.0, 84.0):
        for sign in (1, -1):
            bolt = np.array([(_MIDDLE + sign * 15, y), (_MIDDLE + sign * 6, y + 3)])[None]
            shapes += outlined(bolt, 2.8, (226, 24, 30), WHITE, taper=0)
    for size, colour in ((13.0, (226, 24, 30)), (9.0, (255, 226, 60))):
        reach = size * np.where(np.arange(16) % 2, 0.5, 1.0)
        shapes.append(
            Shape(np.stack([_MIDDLE + reach * np.cos(angles), 56 + reach * np.sin(angles)], -1)[None], colour)
        )
    return shapes

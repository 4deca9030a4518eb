"""Shoulders in their clothes, the neck, and what hangs on them: necktie and necklace; pixels of the final frame."""

from collections.abc import Sequence

import numpy as np

from videmo.synth.geometry import CENTRE, UNIT, Head
from videmo.synth.palette import GOLD, INK, WHITE, Colour, mix, shade
from videmo.synth.shapes import Shape, disc, moved, ring

TIES: tuple[Colour, ...] = ((196, 22, 40), (24, 60, 160), (20, 120, 70))


def neck_place(head: Head) -> float:
    """Where the middle of the neck stands: it does not sway with the head."""
    return float(CENTRE[0] + (head.motion.offset[0, 0] - 0.1 * np.sin(head.turn)) * UNIT)


def _at_neck(head: Head, corners: Sequence[tuple[float, float]]) -> np.ndarray:
    """Points that stand still, given from the middle of the neck, in pixels of the final frame.  # [1, n, 2]"""
    return (np.array(corners, dtype=float) + np.array([neck_place(head), 0.0]))[None]


def shoulders(head: Head, colour: Colour, collar: str) -> list[Shape]:
    """The clothes; they stand still, so they are painted once a clip. Arms reach below the frame."""
    dark, wide = mix(colour, (0, 0, 0), 0.25), 57 if head.identity.male else 50
    slope = [(14, 106), (wide * 0.55, 110), (wide * 0.9, 116), (wide, 128), (wide, 200)]
    line = [(17, 105), (15, 111), (8, 116), (0, 118)] if collar == "crew" else [(16, 105), (14, 108), (0, 124)]
    shapes = [Shape(_at_neck(head, [*slope, *((-x, y) for x, y in reversed(slope))]), colour)]
    for sign in (-1, 1):
        sleeve = [(wide * 0.6, 200), (wide * 0.72, 119), (wide * 0.9, 116), (wide, 128), (wide, 200)]
        shapes.append(Shape(_at_neck(head, [(sign * x, y) for x, y in sleeve]), dark))
    return [*shapes, Shape(_at_neck(head, [*line, *((-x, y) for x, y in reversed(line))]), dark)]


def neck(head: Head, skin: Colour, collar: str) -> list[Shape]:
    """The neck with the shadow of the chin."""
    half = 15.5 if head.identity.male else 12.5
    bottom = [(half, 106), (7, 112), (0, 114), (-7, 112), (-half, 106)]
    if collar == "v":
        bottom = [(half, 106), (5, 113), (0, 119), (-5, 113), (-half, 106)]
    top_x = head.project(np.zeros((1, 1)), np.full((1, 1), 0.6), np.full((1, 1), -0.1))[:, 0, 0]  # [F]
    top = np.stack(
        [np.stack([top_x + side, np.full_like(top_x, 82.0)], -1) for side in (-0.75 * half, 0.75 * half)], 1
    )  # [F, 2, 2]
    low = np.broadcast_to(_at_neck(head, bottom), (len(top_x), 5, 2))
    shadow = np.concatenate([top, moved(low[:, :1], 0, -0.5), moved(low[:, 2:3], 0, -9), moved(low[:, 4:], 0, -0.5)], 1)
    return [
        Shape(np.concatenate([top, low], axis=1), shade(skin, 0.12)),
        Shape(shadow, shade(skin, 0.38), 0.75),
    ]


def necktie(head: Head, colour: Colour) -> list[Shape]:
    """A white collar, a knot and a striped blade."""
    shapes = []
    for sign in (1, -1):
        wing = [(sign * 16, 104), (sign * 1, 112), (sign * 12, 122), (sign * 21, 110)]
        shapes += [Shape(_at_neck(head, wing), WHITE), ring(_at_neck(head, wing), 1.0, (110, 114, 126))]
    dark = mix(colour, INK, 0.55)
    return [
        *shapes,
        Shape(_at_neck(head, [(-7, 110), (7, 110), (5, 117), (10.5, 140), (-10.5, 140), (-5, 117)]), dark),
        Shape(_at_neck(head, [(-4, 117), (4, 117), (9, 140), (-9, 140)]), colour),
        Shape(_at_neck(head, [(-6, 111), (6, 111), (4, 117), (-4, 117)]), mix(colour, WHITE, 0.18)),
        Shape(_at_neck(head, [(-5.5, 120), (5.5, 123), (6.2, 126), (-6.2, 123)]), mix(colour, WHITE, 0.75)),
    ]


def necklace(head: Head) -> list[Shape]:
    """A chain of golden beads with a big red pendant."""
    along = np.linspace(-1, 1, 15)
    chain = np.stack([neck_place(head) + 20 * along, 117.0 - 13 * along**2], axis=-1)[None]
    pendant = moved(chain[:, 7:8], 0, 2.6)
    beads = [chain[:, number : number + 1] for number in range(0, 15, 2)]
    return [
        *(disc(bead, 4.4, mix(GOLD, INK, 0.65)) for bead in beads),
        *(disc(bead, 3.4, (255, 214, 72)) for bead in beads),
        disc(pendant, 7.2, mix(GOLD, INK, 0.6)),
        disc(pendant, 6.0, GOLD),
        disc(pendant, 4.4, (232, 16, 62)),
    ]

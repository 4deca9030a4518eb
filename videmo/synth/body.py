"""Shoulders in their clothes, the neck, and the necklace on it; pixels of the final frame."""

import numpy as np
from PIL import Image, ImageDraw

from videmo.synth.geometry import CENTRE, UNIT, Head
from videmo.synth.palette import GOLD, INK, Colour, mix, shade
from videmo.synth.shapes import SUPERSAMPLE, Shape, disc, filled, moved, stroke


def neck_place(head: Head) -> float:
    """Where the middle of the neck stands: it does not sway with the head."""
    return float(CENTRE[0] + (head.motion.offset[0, 0] - 0.1 * np.sin(head.motion.yaw.mean())) * UNIT)


def paint_shoulders(image: Image.Image, head: Head, colour: Colour, collar: str) -> None:
    """Paint the clothes onto a large canvas; they stand still, so once a clip is enough."""
    pen, dark, middle = ImageDraw.Draw(image), mix(colour, (0, 0, 0), 0.22), neck_place(head)
    wide = 57 if head.identity.male else 50

    def paint(corners: list[tuple[float, float]], fill: Colour) -> None:
        pen.polygon([((middle + x) * SUPERSAMPLE, y * SUPERSAMPLE) for x, y in corners], fill=fill)

    slope = [(14, 107), (wide * 0.55, 112), (wide * 0.9, 118), (wide, 129)]
    paint([*slope, *((-x, y) for x, y in reversed(slope))], colour)
    for sign in (-1, 1):
        sleeve = [(wide * 0.62, 129), (wide * 0.74, 120), (wide * 0.9, 118), (wide, 129)]
        paint([(sign * x, y) for x, y in sleeve], dark)
    line = [(17, 106), (15, 112), (8, 117), (0, 119)] if collar == "crew" else [(16, 106), (14, 109), (0, 127)]
    paint([*line, *((-x, y) for x, y in reversed(line))], dark)


def neck(head: Head, skin: Colour, collar: str) -> list[Shape]:
    """The neck with the shadow of the chin."""
    half, middle = 15.5 if head.identity.male else 12.5, neck_place(head)
    bottom = [(half, 107), (7, 113), (0, 115), (-7, 113), (-half, 107)]
    if collar == "v":
        bottom = [(half, 107), (5, 115), (0, 122), (-5, 115), (-half, 107)]
    top_x = head.project(np.zeros((1, 1)), np.full((1, 1), 0.6), np.full((1, 1), -0.1))[:, 0, 0]  # [F]
    top = np.stack(
        [np.stack([top_x + side, np.full_like(top_x, 84.0)], -1) for side in (-0.75 * half, 0.75 * half)], 1
    )  # [F, 2, 2]
    low = np.broadcast_to(np.array(bottom) + np.array([middle, 0.0]), (len(top_x), 5, 2))
    shadow = np.concatenate([top, moved(low[:, :1], 0, -0.5), moved(low[:, 2:3], 0, -9), moved(low[:, 4:], 0, -0.5)], 1)
    return [
        filled(np.concatenate([top, low], axis=1), shade(skin, 0.12)),
        filled(shadow, shade(skin, 0.38), 0.75),
    ]


def necklace(head: Head) -> list[Shape]:
    """A golden chain with a red pendant."""
    along = np.linspace(-1, 1, 15)
    chain = np.stack([neck_place(head) + 15 * along, 120.5 - 14 * along**2], axis=-1)
    chain = np.broadcast_to(chain, (len(head.motion.blink), 15, 2))
    pendant = moved(chain[:, 7:8], 0, 1.8)
    return [
        stroke(chain, 2.2, mix(GOLD, INK, 0.35), taper=0),
        stroke(chain, 1.4, GOLD, taper=0),
        disc(pendant, 2.9, mix(GOLD, INK, 0.3)),
        disc(pendant, 2.1, (222, 60, 84)),
    ]

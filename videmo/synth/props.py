"""What a body holds and does: a drink, a book, headphones, a microphone, a cigarette. Hands come with them.

Props stand beside the mouth or below the chin, so that no expression is hidden.
"""

import numpy as np

from videmo.synth.attire import TURNED
from videmo.synth.geometry import Head
from videmo.synth.palette import INK, WHITE, Colour, shade
from videmo.synth.shapes import Shape, disc, outlined, shrunk, stroke


def props(head: Head, action: str, skin: Colour) -> list[Shape]:
    """The shapes of one body action; none for "none"."""
    draw = _PROPS.get(action)
    return draw(head, skin) if draw else []


def _side(head: Head, otherwise: int) -> int:
    """The side of the picture that the face looks to, so that nothing crosses the cheek."""
    return int(np.sign(head.turn)) if abs(head.turn) > TURNED else otherwise


def _fist(head: Head, x: float, y: float, skin: Colour) -> list[Shape]:
    """A closed hand at a point beside the head, in head units: its back, four fingers, an outline."""
    ring = np.linspace(0, 2 * np.pi, 14, False)
    shapes = [
        Shape(head.around(x + 0.27 * np.cos(ring), y + 0.25 * np.sin(ring)), shade(skin, 0.6)),
        Shape(head.around(x + 0.24 * np.cos(ring), y + 0.22 * np.sin(ring)), skin),
    ]
    for row in (-0.11, 0.0, 0.11):
        shapes.append(stroke(head.around([x - 0.16, x, x + 0.14], [y + row] * 3), 1.3, shade(skin, 0.55)))
    return shapes


def _drink(head: Head, skin: Colour) -> list[Shape]:
    """A tall cup with a straw that leads to the corner of the mouth."""
    side = _side(head, -1)

    def part(*corners: tuple[float, float]) -> np.ndarray:
        x, y = np.array(corners).T
        return head.around(side * x, y)

    corner = head.spots([(side * 0.3, 0.78)], 0.1)  # [F, 1, 2]
    straw = np.concatenate([corner, part((0.72, 0.6), (0.82, 0.86))], axis=1)
    return [
        *outlined(straw, 2.6, (230, 40, 60), WHITE, taper=0),
        Shape(part((1.12, 0.86), (0.62, 0.86), (0.69, 1.62), (1.05, 1.62)), INK),
        Shape(part((1.09, 0.89), (0.65, 0.89), (0.72, 1.59), (1.02, 1.59)), (250, 250, 250)),
        Shape(part((1.1, 1.0), (0.64, 1.0), (0.67, 1.36), (1.07, 1.36)), (236, 122, 34)),
        Shape(part((1.17, 0.8), (0.57, 0.8), (0.57, 0.9), (1.17, 0.9)), (120, 70, 40)),
        *_fist(head, side * 0.98, 1.5, skin),
    ]


def _read(head: Head, skin: Colour) -> list[Shape]:
    """An open book in the corner of the picture, with lines on its pages."""
    left = np.array([(8.0, 100.0), (35.0, 106.0), (35.0, 134.0), (8.0, 129.0)])
    right = np.array([(35.0, 106.0), (60.0, 102.0), (60.0, 130.0), (35.0, 134.0)])
    cover = np.array([(4.0, 99.0), (35.0, 104.0), (64.0, 100.0), (64.0, 134.0), (4.0, 134.0)])
    shapes = [Shape(cover[None], (34, 92, 178)), Shape(left[None], WHITE), Shape(right[None], (238, 236, 228))]
    for row in range(4):
        for one in (left, right):
            start = one[0] + (one[1] - one[0]) * 0.12 + np.array([0, 5.0 + 5.5 * row])
            end = one[0] + (one[1] - one[0]) * 0.88 + np.array([0, 5.0 + 5.5 * row])
            shapes.append(stroke(np.stack([start, (start + end) / 2, end])[None], 1.6, (90, 90, 100), taper=0))
    shapes.append(stroke(np.array([(35.0, 105.0), (35.0, 120.0), (35.0, 134.0)])[None], 1.6, INK, taper=0))
    for x, y in ((6.0, 121.0), (62.0, 122.0)):
        ring = np.linspace(0, 2 * np.pi, 12, False)
        thumb = np.stack([x + 7 * np.cos(ring), y + 4.5 * np.sin(ring)], axis=-1)[None]
        shapes += [Shape(thumb, shade(skin, 0.6)), Shape(shrunk(thumb, 0.8), skin)]
    return shapes


def _listen(head: Head, skin: Colour) -> list[Shape]:
    """Headphones over the hair, and a note."""
    t = np.linspace(-np.pi / 2, np.pi / 2, 21)
    band = head.project(1.2 * np.sin(t)[None], (0.0 - 1.62 * np.cos(t))[None], np.full((1, 21), -0.05))
    shapes = [stroke(band, 7.0, INK, taper=0), stroke(band, 4.0, (228, 48, 72), taper=0)]
    ring = np.linspace(0, 2 * np.pi, 16, False)
    for sign in (1, -1):
        if sign * head.turn > 2 * TURNED:
            continue
        z = 0.26 * np.cos(ring) - 0.05
        for size, colour in ((1.0, INK), (0.74, (228, 48, 72))):
            x = sign * (1.14 + 0.1 * np.cos(ring) * size)
            shapes.append(
                Shape(head.project(x[None], (0.1 + 0.36 * size * np.sin(ring))[None], size * z[None]), colour)
            )
    return shapes + _note(head, 1.42, -0.72)


def _note(head: Head, x: float, y: float) -> list[Shape]:
    """Two joined quavers, white around black."""
    shapes = []
    ring = np.linspace(0, 2 * np.pi, 10, False)
    for extra, colour in ((0.05, WHITE), (0.0, (60, 30, 120))):
        for shift in (-0.13, 0.13):
            head_x = x + shift + (0.09 + extra) * np.cos(ring)
            shapes.append(Shape(head.around(head_x, y + 0.2 + (0.07 + extra) * np.sin(ring)), colour))
            stem = head.around([x + shift + 0.07] * 2, [y + 0.2, y - 0.15])
            shapes.append(stroke(stem, 1.8 + 60 * extra, colour, taper=0))
        beam = head.around([x - 0.06, x + 0.2], [y - 0.14, y - 0.14])
        shapes.append(stroke(beam, 3.6 + 60 * extra, colour, taper=0))
    return shapes


def _sing(head: Head, skin: Colour) -> list[Shape]:
    """A microphone in a hand below the mouth, and notes beside the head."""
    side = _side(head, 1)
    grip = head.around([side * 0.56, side * 0.8, side * 1.0], [1.28, 1.6, 1.9])
    ball = head.around([side * 0.5], [1.18])
    return [
        stroke(grip, 8.5, INK, taper=0),
        *_fist(head, side * 0.92, 1.66, skin),
        disc(ball, 8.8, WHITE),
        disc(ball, 7.8, INK),
        disc(ball, 6.6, (150, 154, 166)),
        disc(head.around([side * 0.5 - 0.05], [1.12]), 2.6, (226, 228, 236)),
        *_note(head, -side * 1.36, 0.35),
    ]


def _smoke(head: Head, skin: Colour) -> list[Shape]:
    """A cigarette at a corner of the mouth, with its smoke."""
    side = _side(head, 1)
    x, y, z = side * np.array([[0.24, 0.45, 0.75]]), np.array([[0.8, 0.84, 0.9]]), np.array([[1.0, 1.2, 1.4]])
    stick = head.project(x, y, z, jaw=True)
    tip = stick[:, -1:]  # [F, 1, 2]
    rise = np.linspace(0, 1, 14)
    sway = np.arange(len(stick))[:, None] * 0.8 if len(stick) > 1 else np.zeros((1, 1))
    plume = np.stack(
        [4 * rise * np.sin(rise * 11 + sway) + side * 10 * rise, np.broadcast_to(-46 * rise, (len(stick), 14))], -1
    )
    width = np.linspace(3.0, 8.0, 14)
    return [
        stroke(tip + plume, width + 2.4, (120, 124, 136), 0.75, taper=0),
        stroke(tip + plume, width, (236, 238, 244), 0.95, taper=0),
        *outlined(stick, 4.2, (252, 250, 244), INK, taper=0),
        stroke(stick[:, :2], 4.2, (222, 140, 60), taper=0),
        disc(tip, 3.2, (250, 70, 24)),
    ]


_PROPS = {"drink": _drink, "read": _read, "listen_to_music": _listen, "sing": _sing, "smoke": _smoke}

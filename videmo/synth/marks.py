"""The marks of comics: tears, sweat, a throbbing vein, lines of surprise; more of them if strong.

Marks stand beside the head or on the face and follow it. In a compound the first emotion has the viewer's right side,
the second the left; a single one has both.
"""

import numpy as np

from videmo.synth.geometry import Head
from videmo.synth.palette import INK, TEAR, WHITE, Colour, mix
from videmo.synth.shapes import Shape, disc, drop, outlined, stroke

SPARK: Colour = (255, 214, 40)
VEIN: Colour = (226, 20, 34)
FUME: Colour = (88, 168, 30)
VIOLET: Colour = (150, 60, 210)
GLOOM: Colour = (74, 84, 140)
COLD: Colour = (40, 110, 230)


def marks(head: Head, emotion: str, strength: float, opacity: float, sides: tuple[int, ...]) -> list[Shape]:
    """The marks of one emotion.

    Args:
        head: Whose they are.
        emotion: One of `EMOTIONS`; Neutral has none.
        strength: About 0.55 weak, 0.85 medium, 1.2 strong: one, two or three of a kind.
        opacity: Of all of them, 0 to 1.
        sides: 1 for the viewer's right of the head, -1 for the left.
    """
    draw = _MARKS.get(emotion)
    count = 1 + (strength > 0.7) + (strength > 1.1)
    return draw(head, count, opacity, sides) if draw else []


def _places(count: int, sides: tuple[int, ...]) -> list[tuple[float, float]]:
    """Where up to three marks stand beside the head, in head units."""
    slots = [(sides[0], 1.3, -1.05), (sides[-1], 1.3, -1.05 if len(sides) > 1 else -0.5), (sides[0], 1.46, -0.42)]
    return [(side * x, y) for side, x, y in slots[:count]]


def _sparkles(head: Head, count: int, opacity: float, sides: tuple[int, ...]) -> list[Shape]:
    shapes = []
    angles = np.arange(8) * np.pi / 4
    for x, y in _places(count, sides):
        for size, colour in ((0.3, WHITE), (0.23, SPARK)):
            reach = size * np.where(np.arange(8) % 2, 0.34, 1.0)
            shapes.append(Shape(head.around(x + reach * np.cos(angles), y + reach * np.sin(angles)), colour, opacity))
    return shapes


def _tears(head: Head, count: int, opacity: float, sides: tuple[int, ...]) -> list[Shape]:
    """One drop, then a trickle from both eyes, then streams down to the jaw."""
    spacing, shapes = head.identity.eye_spacing, []
    end, width = {1: (0.3, 0.0), 2: (0.5, 4.2), 3: (0.98, 7.0)}[count]
    for sign in sides if count > 1 else sides[:1]:
        if width:
            along = np.linspace(0, 1, 6)
            track = head.on_face((sign * (spacing + 0.05 * along))[None], (0.12 + (end - 0.12) * along)[None], jaw=True)
            shapes += outlined(track, width, TEAR, mix(TEAR, INK, 0.3), opacity)
            shapes.append(stroke(track, 0.3 * width, WHITE, 0.7 * opacity))
        tip = head.spots([(sign * (spacing + 0.05), end)], 0.03, jaw=True)
        shapes += drop(tip, 3.1 + 0.5 * count, TEAR, mix(TEAR, INK, 0.45), opacity)
    return shapes


def _veins(head: Head, count: int, opacity: float, sides: tuple[int, ...]) -> list[Shape]:
    """Four bent strokes around nothing: the popping vein; steam from the ears where it is strong."""
    shapes, arc = [], np.linspace(0, np.pi / 2, 6)
    for x, y in _places(min(count, 2), sides):
        size = 0.22 + 0.03 * count
        for rim in (True, False):
            for turn in range(4):
                angles = arc + turn * np.pi / 2
                cx, cy = (np.sign(f(turn * np.pi / 2 + np.pi / 4)) * 1.15 for f in (np.cos, np.sin))
                curve = head.around(x + size * (cx - np.cos(angles)), y + size * (cy - np.sin(angles)))
                shapes.append(stroke(curve, 4.6 if rim else 2.8, WHITE if rim else VEIN, opacity, 0.3))
    if count == 3:
        for sign in sides:
            for reach, radius in ((1.34, 4.0), (1.5, 5.5)):
                shapes.append(disc(head.around([sign * reach], [-0.2 - 0.2 * (reach - 1.3)]), radius, WHITE, opacity))
    return shapes


def _rays(head: Head, count: int, opacity: float, sides: tuple[int, ...]) -> list[Shape]:
    shapes = []
    for sign in sides:
        for angle in np.deg2rad((60, 44, 76)[:count]):
            reach = np.linspace(1.34, 1.5 + 0.08 * count, 3)
            curve = head.around(sign * reach * np.sin(angle), -reach * np.cos(angle) - 0.12)
            shapes += outlined(curve, 3.0, SPARK, INK, opacity)
    return shapes


def _fumes(head: Head, count: int, opacity: float, sides: tuple[int, ...]) -> list[Shape]:
    shapes = []
    along = np.linspace(0, 1, 12)
    for x, y in _places(count, sides):
        for shift in (-0.1, 0.1):
            curve = head.around(x + shift + 0.07 * np.sin(along * 9), y + 0.3 - 0.6 * along)
            shapes += outlined(curve, 2.6, FUME, mix(FUME, WHITE, 0.75), opacity)
    return shapes


def _fright(head: Head, count: int, opacity: float, sides: tuple[int, ...]) -> list[Shape]:
    """Sweat on the brow, lines that run cold down the forehead, and arcs beside a trembling head."""
    shapes, arc = [], np.linspace(-0.5, 0.5, 7)
    for x in np.linspace(-0.4, 0.4, 1 + 2 * count):
        curve = head.on_face(np.full((1, 4), x), np.linspace(-1.0, -0.78 + 0.06 * count, 4)[None], 0.06)
        shapes.append(stroke(curve, 2.2, COLD, 0.75 * opacity, 0.3))
    for sign in sides:
        for number in range(count):
            reach = 1.3 + 0.13 * number
            shapes += outlined(
                head.around(sign * reach * np.cos(arc), 0.75 * np.sin(arc) + 0.15), 1.8, COLD, WHITE, opacity
            )
        for x, y in ((0.66, -0.5), (0.8, -0.05), (0.72, 0.4))[:count]:
            shapes += drop(head.spots([(sign * x, y)], 0.06), 3.2, TEAR, mix(TEAR, INK, 0.45), opacity)
    return shapes


def _sneer(head: Head, count: int, opacity: float, sides: tuple[int, ...]) -> list[Shape]:
    """Dots of silence beside the head."""
    shapes = []
    for number in range(count):
        place = head.around([sides[0] * 1.22], [-1.2 + 0.36 * number])
        shapes += [disc(place, 5.4, WHITE, opacity), disc(place, 4.2, VIOLET, opacity)]
    return shapes


def _worry(head: Head, count: int, opacity: float, sides: tuple[int, ...]) -> list[Shape]:
    """A tangle of thoughts, and drops of sweat at the temple."""
    t = np.linspace(0, (2.5 + count) * np.pi, 44)
    radius = 0.05 + 0.28 * t / t[-1]
    tangle = head.around(-sides[0] * 1.28 + radius * np.cos(t), -1.02 + 0.85 * radius * np.sin(t))
    shapes = [stroke(tangle, 3.4, WHITE, opacity, 0.0), stroke(tangle, 1.7, INK, opacity, 0.0)]
    for x, y in ((1.24, -0.9), (1.4, -0.35), (1.05, -0.45))[:count]:
        shapes += drop(head.around([sides[0] * x], [y]), 4.0, TEAR, mix(TEAR, INK, 0.5), opacity)
    return shapes


def _questions(head: Head, count: int, opacity: float, sides: tuple[int, ...]) -> list[Shape]:
    shapes = []
    hook_x = np.array([-0.1, -0.06, 0.02, 0.1, 0.1, 0.03, 0.0, 0.0])
    hook_y = np.array([-0.12, -0.21, -0.24, -0.18, -0.08, 0.0, 0.06, 0.12])
    for x, y in _places(count, sides):
        shapes += outlined(head.around(x + 1.15 * hook_x, y + 1.15 * hook_y), 3.0, COLD, WHITE, opacity, 0.1)
        dot = head.around([x], [y + 0.28])
        shapes += [disc(dot, 3.0, WHITE, opacity), disc(dot, 2.0, COLD, opacity)]
    return shapes


def _gloom(head: Head, count: int, opacity: float, sides: tuple[int, ...]) -> list[Shape]:
    """Dark lines that hang over a side of the head."""
    shapes = []
    for number in range(1 + count):
        x = sides[0] * (1.0 + 0.15 * number)
        curve = head.around([x, x, x], np.linspace(-1.5, -1.05 + 0.1 * number + 0.1 * count, 3))
        shapes += outlined(curve, 2.4, GLOOM, WHITE, opacity)
    return shapes


_MARKS = {
    "Happy": _sparkles,
    "Sad": _tears,
    "Angry": _veins,
    "Surprise": _rays,
    "Disgust": _fumes,
    "Fear": _fright,
    "Contempt": _sneer,
    "Anxiety": _worry,
    "Helplessness": _questions,
    "Disappointment": _gloom,
}

"""What is worn on a face: glasses, a mask, make-up, earrings, as shapes."""

import numpy as np

from videmo.synth import attire
from videmo.synth.geometry import Head
from videmo.synth.palette import GOLD, INK, WHITE, Colour, mix
from videmo.synth.shapes import Shape, between, disc, moved, ring, shrunk, stroke

LIPSTICK: Colour = (214, 8, 62)
SHADOWS: tuple[Colour, ...] = ((134, 40, 196), (20, 120, 190), (206, 30, 130))
MASK: Colour = (150, 214, 226)


def glasses(head: Head, dark: bool, rng: np.random.Generator) -> list[Shape]:
    """Eyeglasses, or sunglasses behind whose lenses the eyes are hidden."""
    frame = ((18, 18, 26), (190, 16, 40), (16, 50, 190))[int(rng.integers(3))] if not dark else (16, 16, 20)
    curves = attire.glasses(head, bool(rng.random() < 0.5))
    shapes = []
    for side, sign in (("left", 1), ("right", -1)):
        rim = curves[f"rim_{side}"]
        if dark:
            shapes.append(Shape(rim, (24, 26, 34), 1.0))
            shapes.append(stroke(shrunk(rim, 0.62)[:, 15:21], 2.4, (150, 166, 190), 0.9))
        else:
            shapes.append(Shape(rim, (226, 240, 255), 0.14))
        shapes.append(ring(rim, 4.4, frame))
        if sign * head.turn < attire.TURNED:
            shapes.append(stroke(curves[f"arm_{side}"], 3.8, frame, taper=0))
    return [*shapes, stroke(curves["bridge"], 4.2, frame, taper=0)]


def mask(head: Head) -> list[Shape]:
    """A pale blue surgical mask."""
    curves = attire.mask(head)
    shapes = []
    for side, sign in (("left", 1), ("right", -1)):
        if sign * head.turn < attire.TURNED:
            for name in ("high", "low"):
                shapes.append(stroke(curves[f"loop_{name}_{side}"], 1.8, WHITE, taper=0))
    shapes += [Shape(curves["cover"], MASK), ring(curves["cover"], 1.6, mix(MASK, INK, 0.4))]
    shapes += [stroke(curves[f"fold_{number}"], 1.5, mix(MASK, (40, 90, 120), 0.5), 0.8) for number in range(3)]
    return shapes


def eye_shadow(curves: dict[str, np.ndarray], colour: Colour) -> list[Shape]:
    """Strong colour between lid and brow, to be painted before the eye."""
    span = (1 - np.linspace(-1, 1, 13) ** 2)[:, None] * np.array([0.0, -1.0])
    shapes = []
    for side in ("left", "right"):
        upper = curves[f"upper_lid_{side}"]
        shapes.append(Shape(between(upper + 6.4 * span - [0, 0.8], upper), colour, 0.9))
        shapes.append(stroke(moved(curves[f"lower_lid_{side}"], 0, 0.8), 2.0, colour, 0.8))
    return shapes


def lashes(curves: dict[str, np.ndarray]) -> list[Shape]:
    """Long lashes and a wing of liner at the outer corner."""
    shapes = []
    for side, sign in (("left", 1), ("right", -1)):
        upper = curves[f"upper_lid_{side}"]
        upper = upper if sign == 1 else upper[:, ::-1]  # inner corner first
        shapes.append(stroke(upper, 3.2, INK, 1.0, taper=0.5))
        for point, right, down in ((12, 4.0, -3.2), (11, 3.6, -4.2), (9, 2.2, -4.8), (7, 0.6, -4.8)):
            root = upper[:, point : point + 1]
            shapes.append(stroke(np.concatenate([root, moved(root, sign * right, down)], axis=1), 1.8, INK, taper=0.2))
    return shapes


def earrings(head: Head) -> list[Shape]:
    """Big golden drops at the ears that are seen."""
    lobes, shapes = attire.ears(head), []
    for side, sign in (("left", 1), ("right", -1)):
        if sign * head.turn < attire.TURNED:
            top = moved(lobes[f"lobe_{side}"], 0, 0.5)
            gem = moved(top, 0, 7.0)
            shapes.append(stroke(np.concatenate([top, gem], axis=1), 1.8, mix(GOLD, INK, 0.3), taper=0))
            shapes += [disc(gem, 7.6, mix(GOLD, INK, 0.7)), disc(gem, 6.5, GOLD), disc(gem, 3.8, (0, 186, 214))]
            shapes.append(disc(moved(gem, -1.3, -1.3), 1.5, (255, 246, 210)))
    return shapes

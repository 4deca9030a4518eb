"""What age and skin write into a face: folds, sagging cheeks, bags, freckles, moles, a scar, a chin's shape."""

import numpy as np

from videmo.synth.geometry import Head
from videmo.synth.palette import INK, WHITE, Colour, mix, shade
from videmo.synth.shapes import Shape, between, disc, glow, moved, shrunk, stroke

_FRECKLES = np.array(
    [(0.2, 0.2), (0.32, 0.35), (0.41, 0.22), (0.51, 0.38), (0.39, 0.52), (0.62, 0.25), (0.6, 0.54), (0.72, 0.4)]
)


def _crease(curve: np.ndarray, width: float, skin: Colour, opacity: float) -> list[Shape]:
    """A fold of the skin: a dark line, and light below it, which shows on dark skin too."""
    light, dark = mix(skin, WHITE, 0.3), mix(shade(skin, 0.66), INK, 0.25)
    return [stroke(moved(curve, 0.3, 0.8 * width), 0.7 * width, light, 0.7), stroke(curve, width, dark, opacity)]


def forehead(head: Head, skin: Colour) -> list[Shape]:
    """The lines of age on a forehead, to be painted before the hair."""
    age, shapes = head.identity.age, []
    if age == "young":
        return shapes
    span = np.linspace(-0.5, 0.5, 9)
    lift = 0.1 * np.maximum(head.motion.au("AU1"), head.motion.au("AU2"))[:, None]
    for number, place in enumerate((-0.87, -0.74, -0.61) if age == "elderly" else (-0.8, -0.66)):
        y = place + (0.03 * np.cos(span * 9 + number))[None] - lift
        shapes += _crease(head.on_face(span[None], y), 2.9 if age == "elderly" else 2.2, skin, 0.95)
    return shapes


def age_lines(head: Head, skin: Colour) -> list[Shape]:
    """Folds beside the mouth in the middle of life; deeper ones, crow's feet and jowls in old age."""
    age = head.identity.age
    if age == "young":
        return []
    old, shapes = age == "elderly", []
    nose, half = head.identity.nose_length, 0.36 * head.identity.mouth_width
    down = np.linspace(0, 1, 7)
    for sign in (1, -1):
        wing = min(head.nose, 0.32)
        fold_x = sign * (wing + 0.06 + (half + 0.1 - wing) * down**1.3)
        fold = head.on_face(fold_x[None], (nose - 0.04 + (0.8 - nose) * down)[None])
        shapes += _crease(fold, 3.4 if old else 2.8, skin, 0.95 if old else 0.9)
        if not old:
            continue
        jowl_x, jowl_y = sign * (half + 0.12 + 0.1 * np.sin(np.pi * down)), 0.78 + 0.36 * down
        shapes += _crease(head.on_face(jowl_x[None], jowl_y[None], jaw=True), 2.9, skin, 0.9)
        turn = np.linspace(-0.4, 1.5, 7)  # a cheek that hangs
        cheek = head.on_face((sign * (0.5 + 0.2 * np.cos(turn)))[None], (0.44 + 0.2 * np.sin(turn))[None])
        shapes += _crease(cheek, 2.6, skin, 0.85)
        outer = head.identity.eye_spacing + 0.27
        for start, end in ((-0.03, -0.14), (0.03, 0.02), (0.08, 0.18)):
            x = sign * (outer + np.array([0.03, 0.1, 0.18]))
            shapes += _crease(head.on_face(x[None], np.linspace(start, end, 3)[None]), 2.2, skin, 0.95)
    return shapes


def chin(head: Head, skin: Colour) -> list[Shape]:
    """The dent of a cleft chin, the second curve of a double one, the edge of a pointed one."""
    kind, low = head.identity.chin, float(head.heights[-1])
    if kind == "cleft":
        x, y = np.zeros((1, 4)), np.linspace(low - 0.29, low - 0.01, 4)[None]
        dent = head.on_face(x, y, 0.03, jaw=True)
        dark = mix(shade(skin, 1.0), INK, 0.5)
        return [stroke(dent, 8.0, shade(skin, 0.42), 0.95, 0.7), stroke(dent, 4.2, dark, 1.0, 0.5)]
    if kind == "double":
        span = np.linspace(-1, 1, 11)
        x, y = 0.56 * span[None], (low - 0.03 - 0.24 * span**2)[None]
        return [stroke(head.on_face(x, y, 0.03, jaw=True), 4.2, shade(skin, 0.85), 1.0, 0.9)]
    if kind == "pointed":
        x, y = np.array([[-0.26, -0.13, 0.0, 0.13, 0.26]]), low - np.array([[0.42, 0.25, 0.1, 0.25, 0.42]])
        return [stroke(head.on_face(x, y, 0.02, jaw=True), 3.0, shade(skin, 0.62), 0.9)]
    return []


def wattle(head: Head, skin: Colour) -> list[Shape]:
    """The second chin below the first, to be painted before the face."""
    if head.identity.chin != "double":
        return []
    angles = np.linspace(0, 2 * np.pi, 22, False)
    low = float(head.heights[-1])
    x, y = 0.78 * np.cos(angles)[None], (low - 0.1 + 0.4 * np.sin(angles))[None]
    outline = head.project(x, y, np.full_like(x, 0.35), jaw=True)
    return [Shape(outline, shade(skin, 0.72)), Shape(shrunk(outline, 0.95) - [0, 1.4], shade(skin, 0.16))]


def eye_bags(head: Head, eyes: dict[str, np.ndarray], skin: Colour) -> list[Shape]:
    """Dark half moons under both eyes."""
    if not head.identity.eye_bags:
        return []
    dark, shapes = mix(shade(skin, 0.5), (78, 40, 96), 0.45), []
    span = np.linspace(-1, 1, 13)
    for side in ("left", "right"):
        lid = eyes[f"lower_lid_{side}"]
        below = lid + (np.array([[0.0, 1.0]]) * (1.5 + 5.6 * (1 - span**2))[:, None])[None]
        shapes += [Shape(between(lid, below), dark, 0.62), stroke(below, 1.6, shade(dark, 0.5), 0.8)]
    return shapes


def marks_of_skin(head: Head, skin: Colour) -> list[Shape]:
    """Freckles on both cheeks and the nose, a mole on one cheek, or a scar on the person's left cheek."""
    mark, shapes = head.identity.mark, []
    if mark == "freckles":
        dark = mix(shade(skin, 0.85), (110, 30, 0), 0.3)
        if sum(skin) < 300:  # on dark skin they must be darker still
            dark = mix(dark, (0, 0, 0), 0.5)
        for place in np.concatenate([_FRECKLES, _FRECKLES * [-1, 1], [(-0.07, 0.12), (0.08, 0.06), (0.02, 0.25)]]):
            shapes.append(disc(head.spots([place], 0.01), 1.95, dark))
    elif mark.startswith("mole"):
        sign = 1 if mark == "mole_left" else -1
        spot = head.spots([(sign * 0.52, 0.56)], 0.02, jaw=True)
        shapes += [disc(spot, 5.0, mix(shade(skin, 1.0), INK, 0.75)), disc(spot - [1.2, 1.4], 1.3, shade(skin, 0.3))]
    elif mark == "scar":
        along = np.linspace(0, 1, 4)
        x, y = 0.78 - 0.4 * along, 0.12 + 0.66 * along
        colour = mix((176, 34, 52), INK, 0.15)
        shapes.append(stroke(head.on_face(x[None], y[None], 0.02), 6.4, mix(skin, WHITE, 0.6), 0.95, 0.3))
        shapes.append(stroke(head.on_face(x[None], y[None], 0.02), 3.4, colour, 1.0, 0.3))
        for place in (0.14, 0.38, 0.62, 0.86):
            cx, cy = 0.78 - 0.4 * place, 0.12 + 0.66 * place
            stitch = head.on_face(np.array([[cx - 0.14, cx, cx + 0.14]]), np.array([[cy - 0.08, cy, cy + 0.08]]), 0.02)
            shapes.append(stroke(stitch, 2.4, colour, 1.0, 0.2))
    return shapes


def rosy(head: Head, colour: Colour, opacity: float | np.ndarray, steps: int = 4, size: float = 1.0) -> list[Shape]:
    """A round spot on both cheeks that fades outwards and rises with them."""
    shapes, lift = [], np.minimum(head.motion.au("AU6"), 1.0)[:, None]
    turn = np.linspace(0, 2 * np.pi, 14, False)
    for sign in (1, -1):
        x, y = sign * 0.56 + 0.29 * size * np.cos(turn), 0.4 + 0.21 * size * np.sin(turn) - 0.09 * lift
        shapes += glow(head.on_face(np.broadcast_to(x, y.shape), y), colour, opacity, steps)
    return shapes

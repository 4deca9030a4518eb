"""What stands between the camera and the drawn world: a hand, a leaf or a bar, and the noise of a sensor."""

import numpy as np

from videmo.synth.palette import INK, WHITE, mix, shade
from videmo.synth.shapes import Shape, ring, stroke

_HAND_SKIN = (232, 176, 140)


def occluder(kind: str, rng: np.random.Generator, num_frames: int) -> list[Shape]:
    """An object that hides about a quarter of the face and drifts a little; `rng` chooses where it stands."""
    draw = {"hand": _hand, "leaf": _leaf, "bar": _bar}.get(kind)
    if draw is None:
        return []
    side = 1 if rng.random() < 0.5 else -1
    drift = 2.0 * np.sin(np.arange(num_frames) * 0.5 + 6 * rng.random())  # [F]
    shift = np.stack([drift, 0.5 * drift], axis=-1)[:, None]  # [F, 1, 2]
    return [Shape(shape.points + shift, shape.colour, shape.opacity) for shape in draw(side, rng.uniform(-6, 6))]


def noisy(frames: np.ndarray, deviation: float, seed: int) -> np.ndarray:
    """Frames as a camera with this standard deviation, of 255, would see them: other noise in every frame."""
    if deviation <= 0:
        return frames
    rng = np.random.default_rng([seed, 4])
    grain = rng.standard_normal(frames.shape, dtype=np.float32) * np.float32(deviation)
    return np.clip(frames + grain, 0, 255).astype(np.uint8)


def _hand(side: int, move: float) -> list[Shape]:
    """A spread hand that reaches in from a side: four fingers over a cheek, the palm at the edge."""
    shapes, wrist = [], np.array([64 + side * 54.0, 104.0 + move])
    palm = wrist + np.array([side * -14.0, -14.0])
    angles = np.linspace(0, 2 * np.pi, 18, False)
    for extra, colour in ((1.6, shade(_HAND_SKIN, 0.7)), (0.0, _HAND_SKIN)):
        for angle, reach in ((100, 34), (122, 44), (144, 46), (166, 40), (205, 26)):
            turn = np.deg2rad(angle)
            tip = palm + reach * np.array([side * np.cos(turn), -np.sin(turn)])
            shapes.append(stroke(np.stack([palm, (palm + tip) / 2, tip])[None], 12.0 + 2 * extra, colour, taper=0.25))
        radius = 19 + extra
        shapes.append(Shape((palm + radius * np.stack([np.cos(angles), np.sin(angles)], -1))[None], colour))
        arm = np.stack([palm, wrist, wrist + np.array([side * 12.0, 30.0])])[None]
        shapes.append(stroke(arm, 24 + 2 * extra, colour, taper=0))
    return shapes


def _leaf(side: int, move: float) -> list[Shape]:
    """A big leaf that hangs in from an upper or lower corner, with its veins."""
    foot = np.array([64 + side * 70.0, 92.0 + 2 * move])
    tip = np.array([64 - side * 2.0, 44.0 + 2 * move])
    along = np.linspace(0, 1, 15)[:, None]
    middle = foot + (tip - foot) * along
    normal = np.array([-(tip - foot)[1], (tip - foot)[0]]) / np.linalg.norm(tip - foot)
    half = 19.0 * np.sin(np.pi * along**0.8) ** 0.8
    outline = np.concatenate([middle + half * normal, (middle - half * normal)[::-1]])[None]
    green = (64, 142, 60)
    shapes = [Shape(outline, green), ring(outline, 2.0, mix(green, INK, 0.5))]
    shapes.append(stroke(middle[None], 2.4, mix(green, WHITE, 0.4), taper=0.4))
    for place in (4, 7, 10):
        for sign in (1, -1):
            end = middle[min(place + 2, 14)] + 0.75 * sign * half[place] * normal
            vein = np.stack([middle[place], (middle[place] + end) / 2, end])[None]
            shapes.append(stroke(vein, 1.5, mix(green, WHITE, 0.35)))
    return shapes


def _bar(side: int, move: float) -> list[Shape]:
    """A wooden post before one half of the face."""
    x, wood = 64 + side * (15 + 0.6 * move), (150, 104, 62)
    post = np.array([(x - 9, -4.0), (x + 9, -4.0), (x + 9, 132.0), (x - 9, 132.0)])[None]
    shapes = [
        Shape(post, mix(wood, INK, 0.5)),
        Shape(post + np.array([[(1.5, 0), (-1.5, 0), (-1.5, 0), (1.5, 0)]]), wood),
    ]
    for shift in (-4.0, 3.0):
        grain = np.array([(x + shift, -4.0), (x + shift + 1.5, 60.0), (x + shift, 132.0)])[None]
        shapes.append(stroke(grain, 1.6, mix(wood, INK, 0.3), taper=0))
    return shapes

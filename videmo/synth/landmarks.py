"""A face as curves: the outlines of eyes, brows, nose and mouth, in pixels, in every frame.

Features are drawn on the plane of the face, moved by the action units, and put onto the turned head (`geometry`).

Shapes: F frames, n points of a curve.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from videmo.synth.geometry import Head

EYE_OPENINGS = {"narrow": (0.5, 1.04), "average": (1.0, 1.0), "large": (1.5, 1.12)}  # factors of height and width
BROW_ARCHES = {"thin": 0.03, "bushy": 0.06, "arched": 0.3}
LIP_FULLNESS = {"thin": 0.3, "full": 2.3}
_AGED_EYES = {"young": 1.14, "middle-aged": 0.98, "elderly": 0.82}
_IRISES = {"narrow": 0.19, "average": 0.19, "large": 0.212}
_BROW_LIFTS = {"narrow": 0.0, "average": 0.0, "large": 0.08}  # so that big eyes do not reach them
_SPAN = np.linspace(-1, 1, 13)  # along a lid or a lip
_RING = np.linspace(0, 2 * np.pi, 16, False)


def eyes(head: Head) -> dict[str, np.ndarray]:
    """White, iris, pupil, upper lid, crease and lower lid of both eyes; `left` is the person's left eye."""
    person, motion = head.identity, head.motion
    tight, cheeks, wide = motion.au("AU7"), motion.au("AU6"), motion.eye_wide
    squeeze, lift = motion.au("AU10"), 0.02 * motion.au("AU2")
    tall, broad = EYE_OPENINGS[person.eye_shape]
    tall *= _AGED_EYES[person.age]
    up = 0.185 * tall * np.maximum(1 + 0.42 * wide - 0.56 * tight * (1 - 0.5 * wide) - 0.12 * cheeks, 0.22)
    down = 0.105 * tall * np.maximum(1 + 0.28 * np.maximum(wide, 0) - 0.55 * tight - 0.8 * cheeks - 0.25 * squeeze, 0.0)
    curves = {}
    for side, sign in (("left", 1), ("right", -1)):
        half = 0.28 * broad
        x = sign * person.eye_spacing + half * _SPAN  # [n]
        slant = -person.eye_tilt * sign * _SPAN
        bow = 1 - _SPAN**2
        upper = slant - (up[:, None] + lift[:, None]) * bow**0.8  # [F, n]
        lower = slant + down[:, None] * bow
        shut = np.maximum(motion.blink, motion.wink if side == "left" else 0.0)[:, None]
        upper = upper + shut * (lower - upper - 0.012)
        cx = sign * person.eye_spacing + 0.105 * motion.gaze[:, :1]  # [F, 1]
        cy = -0.035 + 0.075 * motion.gaze[:, 1:]
        low_edge, high_edge = _edges(x, upper), _edges(x, lower)
        for name, radius in (("iris", _IRISES[person.eye_shape]), ("pupil", 0.075)):
            rx = np.clip(cx + radius * np.cos(_RING), x[0], x[-1])  # [F, 16]
            ry = np.clip(cy + radius * np.sin(_RING), low_edge(rx), high_edge(rx))
            curves[f"{name}_{side}"] = head.on_face(rx, ry, 0.01)
        xs = np.broadcast_to(x, upper.shape)
        curves[f"upper_lid_{side}"] = head.on_face(xs, upper)
        curves[f"lower_lid_{side}"] = head.on_face(xs, lower)
        curves[f"crease_{side}"] = head.on_face(xs, upper - 0.075 * bow**0.5 - 0.02)
    return curves


def _edges(x: np.ndarray, lid: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A lid as a function: heights at given places of each frame."""
    step = (len(x) - 1) / (x[-1] - x[0])

    def at(places: np.ndarray) -> np.ndarray:
        place = np.clip((places - x[0]) * step, 0, len(x) - 1.001)
        whole = place.astype(int)
        part = place - whole
        rows = np.arange(len(lid))[:, None]
        return lid[rows, whole] * (1 - part) + lid[rows, whole + 1] * part

    return at


def brows(head: Head) -> dict[str, np.ndarray]:
    """The middle line of both brows, inner end first, and the furrows between them."""
    person, motion = head.identity, head.motion
    inner, outer, low = motion.au("AU1"), motion.au("AU2"), motion.au("AU4")
    along = np.linspace(0, 1, 7)  # inner to outer end
    x = 0.15 + 0.53 * along - 0.075 * low[:, None] * (1 - along)  # [F, n]
    peak = np.sin(np.pi * along**1.2)
    raised = 0.4 + _BROW_LIFTS[person.eye_shape] + (0.06 if person.eyebrows == "bushy" else 0.0)
    rest = -raised - BROW_ARCHES[person.eyebrows] * peak + 0.06 * along**2
    y = (
        rest
        - 0.26 * inner[:, None] * (1 - along) ** 1.3
        - 0.23 * outer[:, None] * np.minimum(along * 1.6, 1)
        + low[:, None] * (0.23 - 0.11 * along) * (1 - 0.68 * inner[:, None] * (1 - along))
    )
    curves = {"brow_left": head.on_face(x, y), "brow_right": head.on_face(-x, y)}
    for number, place in enumerate((-0.06, 0.06)):
        fy = np.linspace(-0.42, -0.2, 4) + 0.06 * low[:, None]
        curves[f"furrow_{number}"] = head.on_face(np.broadcast_to(place * np.linspace(1, 0.8, 4), fy.shape), fy)
    for number, place in enumerate((-0.72, -0.62)):
        fx = np.linspace(-0.42, 0.42, 9)
        fy = place - 0.06 * np.maximum(inner, outer)[:, None] + 0.05 * np.cos(fx * 5)[None]
        curves[f"forehead_{number}"] = head.on_face(np.broadcast_to(fx, fy.shape), fy)
    return curves


def nose(head: Head) -> dict[str, np.ndarray]:
    """Bridge, underside, wings, nostrils and wrinkles; the tip stands out of the face, so it shows where it points."""
    tip, half = head.identity.nose_length, head.nose
    rise = -0.06 * head.motion.au("AU10")[:, None]  # [F, 1]

    def curve(xs: ArrayLike, ys: ArrayLike, bumps: ArrayLike) -> np.ndarray:
        y = np.array(ys)[None] + rise
        return head.on_face(np.broadcast_to(np.array(xs), y.shape), y, np.array(bumps))

    low = 0.17 if head.identity.nose == "narrow" else 0.11  # a slim nose ends in a point
    thick = min(0.22 * half + 0.03, 0.12)  # of the bridge
    curves = {
        "nose_tip": curve([0.0], [tip], [0.3]),
        "nose_body": curve(
            [-thick, -thick, -0.6 * half, -half, -0.5 * half, 0, 0.5 * half, half, 0.6 * half, thick, thick],
            [-0.18, 0.08, tip - 0.1, tip + 0.04, tip + 0.08, tip + 0.1, tip + 0.08, tip + 0.04, tip - 0.1, 0.08, -0.18],
            [0.0, 0.14, 0.16, 0.03, 0.14, 0.22, 0.14, 0.03, 0.16, 0.14, 0.0],
        ),
        "nose_ridge": curve([0, 0, 0, 0], [-0.15, 0.05, tip - 0.12, tip], [0.04, 0.16, 0.26, 0.3]),
        "nose_under": curve(
            [-half, -0.55 * half, 0, 0.55 * half, half],
            [tip + 0.03, tip + 0.08, tip + low, tip + 0.08, tip + 0.03],
            [0.03, 0.14, 0.22, 0.14, 0.03],
        ),
    }
    round_x, round_y = np.cos(_RING), np.sin(_RING)
    curves["nose_bulb"] = curve(0.82 * half * round_x, tip - 0.03 + (0.12 + 0.14 * half) * round_y, 0.16)
    size = 0.03 + 0.14 * half
    ring = np.linspace(0, 2 * np.pi, 10, False)
    for side, sign in (("left", 1), ("right", -1)):
        curves[f"nostril_{side}"] = curve(
            sign * 0.52 * half + size * np.cos(ring), tip + 0.065 + 0.7 * size * np.sin(ring), 0.13
        )
        curves[f"wing_{side}"] = curve(
            [sign * 0.75 * half, sign * (half + 0.015), sign * (half + 0.02), sign * 0.85 * half],
            [tip - 0.07 - 0.2 * half, tip - 0.04, tip + 0.03, tip + 0.07],
            [0.08, 0.03, 0.02, 0.05],
        )
        for number, y in enumerate((-0.09, 0.01, 0.11)):
            curves[f"wrinkle_{number}_{side}"] = curve([sign * 0.02, sign * 0.16], [y, y - 0.1], [0.1, 0.02])
    return curves


def mouth(head: Head) -> dict[str, np.ndarray]:
    """Lips, the opening, teeth, tongue and the folds beside; a line along the lips starts and ends in a corner."""
    person, motion = head.identity, head.motion
    smile, sad, sneer = motion.au("AU12"), motion.au("AU15"), motion.au("AU10")
    tight, press = motion.au("AU23"), motion.au("AU24")
    part, drop = np.maximum(motion.au("AU25"), np.minimum(1.4 * motion.open, 1.2)), head.drop
    pucker, smirk = motion.pucker, motion.smirk

    def column(values: np.ndarray) -> np.ndarray:
        return values[:, None]  # [F, 1]

    stretch = 1 + 0.36 * smile - 0.36 * tight - 0.16 * drop + 0.06 * sad + 0.06 * press + 0.08 * smirk
    half = column(0.37 * person.mouth_width * stretch * (1 - 0.58 * pucker))
    bow, edge = 1 - _SPAN**2, _SPAN**2
    x = half * _SPAN + column(0.06 * smirk)  # [F, n]
    base = 0.74 + column(0.03 * smile - 0.03 * sneer)
    line = base + column(0.25 * sad - 0.25 * smile) * edge**0.9 + column(0.03 * smile - 0.03 * sad)
    line = line - column(0.13 * sneer) * bow**0.6 - column(0.27 * smirk) * np.clip(_SPAN + 0.1, 0, 1.1) ** 1.6
    opening = column(part * (0.09 + 0.26 * drop + 0.05 * smile) + 0.1 * pucker) * bow**0.7
    inner_top = line - 0.22 * opening - column(0.06 * sneer) * bow**1.5
    inner_low = line + 0.78 * opening
    thin = column((1 - 0.6 * tight) * (1 - 0.8 * press) * (1 - 0.2 * np.minimum(smile, 1)))
    full = 0.095 * LIP_FULLNESS[person.lips] * np.maximum(thin, 0.12) + column(0.08 * pucker)
    cupid = bow**0.8 * (0.9 - 0.28 * np.exp(-((_SPAN / 0.16) ** 2)))
    top = inner_top - full * cupid - column(0.035 * sneer) * bow
    low = inner_low + 1.25 * full * bow**0.75
    y_shift = column(0.09 * drop * np.clip(1 - part, 0, 1))  # a dropped jaw behind closed lips takes them along

    def place(y: np.ndarray, bump: float = 0.08) -> np.ndarray:
        return head.on_face(x, y + y_shift, bump + 0.1 * pucker[:, None])

    curves = {
        "lip_top": place(top),
        "lip_inner_top": place(inner_top),
        "lip_inner_low": place(inner_low),
        "lip_low": place(low),
        "teeth_low": place(inner_top + np.minimum(0.085 * bow**0.3, 0.8 * (inner_low - inner_top)), 0.06),
        "tongue_top": place(inner_low - 0.35 * (inner_low - inner_top), 0.06),
        "chin_dent": head.on_face(0.16 * _SPAN[None] + 0 * x, low[:, 6:7] + y_shift + 0.07 + 0.03 * edge, 0.02),
        "bulge_top": head.on_face(0.8 * x, top + y_shift - 0.055 - 0.02 * bow, 0.04),
        "bulge_low": head.on_face(0.8 * x, low + y_shift + 0.05 + 0.02 * bow, 0.04),
    }
    pull = column(0.1 * smile + 0.04 * sneer)
    wing = min(head.nose, 0.32)
    for side, sign in (("left", 1), ("right", -1)):
        down = np.linspace(0, 1, 6)
        fold_x = sign * (wing + 0.05 + (half + 0.06 - wing + pull * 0.4) * down**1.4)
        fold_y = person.nose_length - 0.06 * column(sneer) + (base - 0.08 * column(smile) - person.nose_length) * down
        curves[f"fold_{side}"] = head.on_face(fold_x, fold_y)
        cheek = np.linspace(0, np.pi, 9)
        cx = sign * (0.52 + 0.24 * np.cos(cheek))[None] + 0 * half
        cy = 0.2 + 0.1 * np.sin(cheek)[None] - 0.04 * column(motion.au("AU6"))
        curves[f"cheek_{side}"] = head.on_face(cx, cy)
        corner = 0 if sign < 0 else -1
        dimple_y = line[:, [corner]] + np.array([[-0.06, 0.0, 0.06]])
        dimple_x = x[:, [corner]] + sign * np.array([[0.035, 0.06, 0.035]])
        curves[f"dimple_{side}"] = head.on_face(dimple_x, dimple_y + y_shift)
        droop = sign * np.array([[0.0, 0.03, 0.05]])
        curves[f"droop_{side}"] = head.on_face(
            x[:, [corner]] + droop, line[:, [corner]] + np.array([[0.0, 0.06, 0.14]])
        )
    return curves

"""A face as curves: identity and motion -> the outlines of every feature, in pixels, in every frame.

Features are drawn on the plane of the face, moved by the action units, lifted onto the head's surface, turned by yaw,
pitch and roll, and projected without perspective. Head units: half the width of a standard head is 1; x to the
viewer's right, y down, z to the viewer; the origin lies between the eyes, inside the head. The skull is a stack of
ellipses, so silhouettes are convex hulls of turned point clouds.

Shapes: F frames, n points of a curve, P points of a cloud.
"""

import numpy as np

from videmo.synth.face import Identity
from videmo.synth.motion import Motion

SIZE = 128  # pixels
UNIT = 39.0  # pixels a head unit
CENTRE = (64.0, 63.0)  # pixels, where the origin of the head stands

HEIGHTS = np.array([-1.42, -1.36, -1.2, -1.0, -0.75, -0.45, -0.1, 0.2, 0.5, 0.75, 0.95, 1.1, 1.2, 1.27])
_WIDTHS = {
    "oval": np.array([0.0, 0.34, 0.66, 0.84, 0.94, 0.98, 0.98, 0.95, 0.86, 0.73, 0.57, 0.42, 0.28, 0.0]),
    "round": np.array([0.0, 0.36, 0.7, 0.88, 0.99, 1.05, 1.09, 1.11, 1.08, 0.99, 0.82, 0.62, 0.42, 0.0]),
    "square": np.array([0.0, 0.36, 0.69, 0.87, 0.96, 0.99, 0.99, 0.97, 0.92, 0.84, 0.72, 0.58, 0.42, 0.0]),
}
_FRONTS = np.array([0.0, 0.34, 0.6, 0.78, 0.9, 0.95, 0.95, 0.95, 0.95, 0.93, 0.9, 0.84, 0.74, 0.4])
_BACKS = np.array([0.0, 0.4, 0.75, 0.98, 1.12, 1.18, 1.15, 1.0, 0.75, 0.5, 0.35, 0.2, 0.1, 0.0])
_TURN = np.linspace(0, 2 * np.pi, 72, False)
_HULL_DIRECTIONS = np.stack([np.cos(_TURN), np.sin(_TURN)])  # [2, 72]
_SPAN = np.linspace(-1, 1, 13)  # along a lid or a lip


class Head:
    """The turned head of one clip: lifts and projects points, and knows the silhouettes.

    Args:
        identity: Whose head.
        motion: How it moves.
    """

    def __init__(self, identity: Identity, motion: Motion):
        self.identity, self.motion = identity, motion
        self.widths = _WIDTHS[identity.face_shape] * (1.0 if identity.male else 0.96)

    def width(self, y: float | np.ndarray) -> float | np.ndarray:
        """Half the width of the head at a height."""
        return np.interp(y, HEIGHTS, self.widths)

    def surface(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Depth of the face's surface at a point of the face's plane."""
        width = np.maximum(self.width(y), 0.3)
        front = np.maximum(np.interp(y, HEIGHTS, _FRONTS), 0.3)
        return front * np.sqrt(np.maximum(1 - (x / width) ** 2, 0.02))

    def project(self, x: np.ndarray, y: np.ndarray, z: np.ndarray, jaw: bool = False) -> np.ndarray:
        """Turn and project points given in head units; `jaw` lets those below the nose follow the jaw.

        Returns:
            Pixels of the final frame.  # [F, n, 2]
        """
        motion = self.motion
        if jaw:
            y = y + 0.17 * motion.au("AU26")[:, None] * np.clip((y - 0.45) / 0.6, 0, 1)
        yaw, pitch, roll = motion.yaw[:, None], motion.pitch[:, None], motion.roll[:, None]
        x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
        # The neck turns behind the middle of the head, so the face also moves to where it turns.
        y = y * np.cos(pitch) - z * np.sin(pitch) + 0.05 * np.sin(pitch)
        x = x + 0.3 * np.sin(yaw)
        x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
        points = np.stack([x, y], axis=-1) + motion.offset[:, None]
        return points * (UNIT * motion.scale) + np.array(CENTRE)

    def on_face(self, x: np.ndarray, y: np.ndarray, bump: float | np.ndarray = 0.0, jaw: bool = False) -> np.ndarray:
        """Project points of the face's plane, lifted onto the surface and `bump` in front of it.  # [F, n, 2]"""
        return self.project(x, y, self.surface(x, y) + bump, jaw)

    def cloud(self, top: float, bottom: float, azimuth: float, grow: float = 0.0, back: bool = False) -> tuple:
        """Points of the skull between two heights, around its front (or its back) up to an azimuth in degrees."""
        heights = np.linspace(top, bottom, 22)
        angles = np.deg2rad(np.linspace(-azimuth, azimuth, 25))
        if back:
            angles = angles + np.pi
        width = self.width(heights)[:, None] + grow
        depth = np.where(
            np.cos(angles) > 0,
            np.interp(heights, HEIGHTS, _FRONTS)[:, None],
            np.interp(heights, HEIGHTS, _BACKS)[:, None],
        )
        x = width * np.sin(angles)
        z = (depth + grow) * np.cos(angles)
        y = np.broadcast_to((heights - grow * np.clip(-heights, 0, 1))[:, None], x.shape)
        return x.ravel(), y.ravel(), z.ravel()

    def hull(self, *clouds: tuple, jaw: bool = False) -> np.ndarray:
        """The outline of turned point clouds: their farthest point in each direction.  # [F, 72, 2]"""
        x, y, z = (np.concatenate(parts) for parts in zip(*clouds, strict=True))
        points = self.project(x[None], y[None], z[None], jaw)  # [F, P, 2]
        farthest = np.argmax(points @ _HULL_DIRECTIONS, axis=1)  # [F, 72]
        return np.take_along_axis(points, farthest[..., None], axis=1)


def skin_outline(head: Head) -> np.ndarray:
    """The silhouette of face and, where it is bald, scalp.  # [F, 72, 2]"""
    # Long hair hides the temples and the ears; otherwise the cheek reaches the ear.
    brow, cheek, jaw = (58, 68, 82) if head.identity.hair_length == "long" else (66, 84, 100)
    parts = [head.cloud(-0.9, -0.3, brow), head.cloud(-0.3, 0.25, cheek), head.cloud(0.2, 1.27, jaw)]
    if head.identity.hair_length == "bald":
        parts.append(head.cloud(-1.42, 0.4, 180))
    return head.hull(*parts, jaw=True)


def eyes(head: Head) -> dict[str, np.ndarray]:
    """White, iris, pupil, upper lid, crease and lower lid of both eyes; `left` is the person's left eye."""
    person, motion = head.identity, head.motion
    tight, cheeks, wide = motion.au("AU7"), motion.au("AU6"), motion.eye_wide
    squeeze, lift = motion.au("AU10"), 0.02 * motion.au("AU2")
    up = 0.175 * person.eye_size * (1 + 0.4 * wide - 0.52 * tight * (1 - 0.5 * wide) - 0.12 * cheeks)
    down = 0.095 * person.eye_size * (1 + 0.25 * wide - 0.55 * tight - 0.95 * cheeks - 0.25 * squeeze)
    curves = {}
    for side, sign in (("left", 1), ("right", -1)):
        half = 0.25 * person.eye_size
        x = sign * person.eye_spacing + half * _SPAN  # [n]
        slant = -person.eye_tilt * sign * _SPAN
        bow = 1 - _SPAN**2
        upper = slant - (up[:, None] + lift[:, None]) * bow**0.8  # [F, n]
        lower = slant + down[:, None] * bow
        upper = upper + motion.blink[:, None] * (lower - upper - 0.012)
        ring = np.linspace(0, 2 * np.pi, 20, False)
        for name, radius in (("iris", 0.128), ("pupil", 0.06)):
            cx, cy = sign * person.eye_spacing, -0.035
            rx = cx + radius * np.cos(ring)
            ry = (cy + radius * np.sin(ring))[None]
            low = np.stack([np.interp(rx, x, row) for row in upper])
            high = np.stack([np.interp(rx, x, row) for row in lower])
            curves[f"{name}_{side}"] = head.on_face(np.broadcast_to(rx, low.shape), np.clip(ry, low, high))
        xs = np.broadcast_to(x, upper.shape)
        curves[f"upper_lid_{side}"] = head.on_face(xs, upper)
        curves[f"lower_lid_{side}"] = head.on_face(xs, lower)
        curves[f"crease_{side}"] = head.on_face(xs, upper - 0.075 * bow**0.5 - 0.02)
        crow = sign * (person.eye_spacing + half + np.array([0.05, 0.12, 0.17]))
        for number, (start, end) in enumerate(((-0.02, -0.1), (0.03, 0.03), (0.08, 0.14))):
            y = np.linspace(start, end, 3)[None] + np.zeros((len(up), 1))
            curves[f"crow_{number}_{side}"] = head.on_face(np.broadcast_to(crow, y.shape), y)
    return curves


def brows(head: Head) -> dict[str, np.ndarray]:
    """The middle line of both brows, inner end first, and the furrows between them."""
    person, motion = head.identity, head.motion
    inner, outer, low = motion.au("AU1"), motion.au("AU2"), motion.au("AU4")
    along = np.linspace(0, 1, 7)  # inner to outer end
    x = 0.15 + 0.53 * along - 0.075 * low[:, None] * (1 - along)  # [F, n]
    rest = -0.36 - person.brow_arch * np.sin(np.pi * along**1.2) + 0.05 * along**2
    y = (
        rest
        - 0.23 * inner[:, None] * (1 - along) ** 1.3
        - 0.2 * outer[:, None] * np.minimum(along * 1.6, 1)
        + low[:, None] * (0.2 - 0.09 * along) * (1 - 0.62 * inner[:, None] * (1 - along))
    )
    curves = {"brow_left": head.on_face(x, y), "brow_right": head.on_face(-x, y)}
    for number, place in enumerate((-0.055, 0.055)):
        fy = np.linspace(-0.4, -0.2, 4) + 0.06 * low[:, None]
        curves[f"furrow_{number}"] = head.on_face(np.broadcast_to(place * np.linspace(1, 0.8, 4), fy.shape), fy)
    for number, place in enumerate((-0.72, -0.62)):
        fx = np.linspace(-0.42, 0.42, 9)
        fy = place - 0.06 * np.maximum(inner, outer)[:, None] + 0.05 * np.cos(fx * 5)[None]
        curves[f"forehead_{number}"] = head.on_face(np.broadcast_to(fx, fy.shape), fy)
    return curves


def nose(head: Head) -> dict[str, np.ndarray]:
    """Bridge, underside, wings, nostrils and wrinkles; the tip stands out of the face, so it shows where it points."""
    person, motion = head.identity, head.motion
    wrinkle = motion.au("AU10")[:, None]
    tip, half = person.nose_length, person.nose_width
    rise = -0.05 * wrinkle  # [F, 1]

    def curve(xs: list, ys: list, bumps: list) -> np.ndarray:
        y = np.array(ys)[None] + rise
        return head.on_face(np.broadcast_to(np.array(xs), y.shape), y, np.array(bumps))

    curves = {
        "nose_tip": curve([0.0], [tip], [0.3]),
        "nose_body": curve(
            [-0.07, -0.05, -0.6 * half, -half, -0.5 * half, 0, 0.5 * half, half, 0.6 * half, 0.05, 0.07],
            [-0.18, 0.08, tip - 0.1, tip + 0.04, tip + 0.08, tip + 0.1, tip + 0.08, tip + 0.04, tip - 0.1, 0.08, -0.18],
            [0.0, 0.14, 0.16, 0.03, 0.14, 0.22, 0.14, 0.03, 0.16, 0.14, 0.0],
        ),
        "nose_ridge": curve([0, 0, 0, 0], [-0.15, 0.05, tip - 0.12, tip], [0.04, 0.16, 0.26, 0.3]),
        "nose_under": curve(
            [-half, -0.55 * half, 0, 0.55 * half, half],
            [tip + 0.03, tip + 0.08, tip + 0.11, tip + 0.08, tip + 0.03],
            [0.03, 0.14, 0.22, 0.14, 0.03],
        ),
    }
    for side, sign in (("left", 1), ("right", -1)):
        ring = np.linspace(0, 2 * np.pi, 10, False)
        curves[f"nostril_{side}"] = curve(
            list(sign * 0.5 * half + 0.045 * np.cos(ring)), list(tip + 0.065 + 0.025 * np.sin(ring)), [0.13] * 10
        )
        curves[f"wing_{side}"] = curve(
            [sign * 0.8 * half, sign * (half + 0.015), sign * half],
            [tip - 0.09, tip - 0.01, tip + 0.05],
            [0.06, 0.03, 0.03],
        )
        for number, y in enumerate((-0.09, 0.01, 0.11)):
            curves[f"wrinkle_{number}_{side}"] = curve([sign * 0.02, sign * 0.14], [y, y - 0.08], [0.1, 0.02])
    return curves


def mouth(head: Head) -> dict[str, np.ndarray]:
    """Lips, the opening, teeth, tongue and the folds beside; a line along the lips starts and ends in a corner."""
    person, motion = head.identity, head.motion
    smile, sad, sneer = motion.au("AU12"), motion.au("AU15"), motion.au("AU10")
    tight, press, part, drop = motion.au("AU23"), motion.au("AU24"), motion.au("AU25"), motion.au("AU26")

    def column(values: np.ndarray) -> np.ndarray:
        return values[:, None]  # [F, 1]

    stretch = 1 + 0.32 * smile - 0.26 * tight - 0.14 * drop + 0.06 * sad + 0.05 * press
    half = column(0.37 * person.mouth_width * stretch)
    bow, edge = 1 - _SPAN**2, _SPAN**2
    x = half * _SPAN  # [F, n]
    base = 0.74 + column(0.03 * smile - 0.03 * sneer)
    line = base + column(0.22 * sad - 0.22 * smile) * edge**0.9 + column(0.03 * smile - 0.03 * sad)
    line = line - column(0.1 * sneer) * bow**0.6
    opening = column(part * (0.09 + 0.24 * drop + 0.04 * smile)) * bow**0.7
    inner_top = line - 0.22 * opening - column(0.05 * sneer) * bow**1.5
    inner_low = line + 0.78 * opening
    thin = column((1 - 0.6 * tight) * (1 - 0.78 * press) * (1 - 0.2 * smile))
    full = 0.095 * person.lip_fullness * thin
    cupid = bow**0.8 * (0.9 - 0.28 * np.exp(-((_SPAN / 0.16) ** 2)))
    top = inner_top - full * cupid - column(0.035 * sneer) * bow
    low = inner_low + 1.25 * full * bow**0.75
    y_shift = column(0.09 * drop * (1 - part))  # a dropped jaw behind closed lips takes them along

    def place(y: np.ndarray, bump: float = 0.08) -> np.ndarray:
        return head.on_face(x, y + y_shift, bump)

    curves = {
        "lip_top": place(top),
        "lip_inner_top": place(inner_top),
        "lip_inner_low": place(inner_low),
        "lip_low": place(low),
        "teeth_low": place(inner_top + np.minimum(0.085 * bow**0.3, 0.8 * (inner_low - inner_top)), 0.04),
        "tongue_top": place(inner_low - 0.35 * (inner_low - inner_top), 0.04),
        "chin_dent": head.on_face(0.16 * _SPAN[None] + 0 * x, low[:, 6:7] + y_shift + 0.07 + 0.03 * edge, 0.02),
        "bulge_top": head.on_face(0.8 * x, top + y_shift - 0.055 - 0.02 * bow, 0.04),
        "bulge_low": head.on_face(0.8 * x, low + y_shift + 0.05 + 0.02 * bow, 0.04),
    }
    pull = column(0.1 * smile + 0.04 * sneer)
    for side, sign in (("left", 1), ("right", -1)):
        down = np.linspace(0, 1, 6)
        fold_x = sign * (person.nose_width + 0.05 + (half + 0.06 - person.nose_width + pull * 0.4) * down**1.4)
        fold_y = person.nose_length - 0.06 * column(sneer) + (base - 0.08 * column(smile) - person.nose_length) * down
        curves[f"fold_{side}"] = head.on_face(fold_x, fold_y)
        cheek = np.linspace(0, np.pi, 9)
        cx = sign * (0.52 + 0.24 * np.cos(cheek))[None] + 0 * half
        cy = 0.2 + 0.1 * np.sin(cheek)[None] - 0.04 * column(motion.au("AU6"))
        curves[f"cheek_{side}"] = head.on_face(cx, cy)
        dimple_y = line[:, [0]] + np.array([[-0.06, 0.0, 0.06]])
        curves[f"dimple_{side}"] = head.on_face(sign * (half + np.array([[0.035, 0.055, 0.035]])), dimple_y + y_shift)
        droop = np.array([[0.0, 0.03, 0.05]])
        curves[f"droop_{side}"] = head.on_face(sign * (half + droop), line[:, [0]] + np.array([[0.0, 0.05, 0.12]]))
    return curves


def landmarks(identity: Identity, motion: Motion) -> dict[str, np.ndarray]:
    """Every facial feature's curve in pixels of the final frame, by name.  # each [F, n, 2]"""
    head = Head(identity, motion)
    return {**eyes(head), **brows(head), **nose(head), **mouth(head), "skin": skin_outline(head)}

"""The turned head: identity and motion -> where a point of it stands in pixels, and its silhouettes, in every frame.

Points are given on the plane of the face or in space, lifted onto the head's surface, turned by yaw, pitch and roll,
and projected without perspective. Head units: half the width of a standard head is 1; x to the viewer's right, y down,
z to the viewer; the origin lies between the eyes, inside the head. The skull is a stack of ellipses, so silhouettes are
convex hulls of turned point clouds.

Shapes: F frames, n points of a curve, P points of a cloud.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from videmo.synth.face import Identity
from videmo.synth.motion import Motion

SIZE = 128  # pixels
UNIT = 37.0  # pixels a head unit
CENTRE = (64.0, 60.0)  # pixels, where the origin of the head stands

NOSE_WIDTHS = {"narrow": 0.08, "average": 0.2, "wide": 0.44}  # half widths at the wings

HEIGHTS = np.array([-1.42, -1.36, -1.2, -1.0, -0.75, -0.45, -0.1, 0.2, 0.5, 0.75, 0.95, 1.1, 1.2, 1.27])
_WIDTHS = {
    "oval": np.array([0.0, 0.33, 0.6, 0.75, 0.83, 0.87, 0.87, 0.83, 0.74, 0.63, 0.49, 0.36, 0.24, 0.0]),
    "round": np.array([0.0, 0.36, 0.7, 0.9, 1.03, 1.13, 1.22, 1.28, 1.26, 1.16, 0.97, 0.74, 0.5, 0.0]),
    "square": np.array([0.0, 0.42, 0.78, 0.94, 1.0, 1.02, 1.02, 1.03, 1.05, 1.06, 1.04, 0.97, 0.8, 0.0]),
}
# Features lie on a face at least this wide, so that a slim chin does not bend the mouth around itself.
_BROADS = np.array([0.0, 0.34, 0.64, 0.8, 0.89, 0.95, 0.97, 0.95, 0.87, 0.75, 0.63, 0.52, 0.4, 0.3])
_LENGTHS = {"oval": 1.12, "round": 0.9, "square": 1.0}  # factors of the length below y = 0.9
_CHINS = {  # factors of the width at the last six heights, and of the length below y = 0.9
    "rounded": ((1.0, 1.0, 1.0, 1.0, 1.0, 1.0), 1.0),
    "pointed": ((0.89, 0.74, 0.53, 0.32, 0.16, 0.0), 1.45),
    "double": ((1.0, 1.04, 1.12, 1.14, 1.12, 1.0), 0.75),
    "cleft": ((1.0, 1.0, 1.02, 1.1, 1.2, 1.0), 1.0),
}
_SAG = {"young": (1.0, 1.0, 1.0), "middle-aged": (1.05, 1.07, 1.07), "elderly": (1.04, 1.18, 1.22)}  # y = .5, .75, .95
_FRONTS = np.array([0.0, 0.34, 0.6, 0.78, 0.9, 0.95, 0.95, 0.95, 0.95, 0.93, 0.9, 0.84, 0.74, 0.4])
_BACKS = np.array([0.0, 0.4, 0.75, 0.98, 1.12, 1.18, 1.15, 1.0, 0.75, 0.5, 0.35, 0.2, 0.1, 0.0])
_TURN = np.linspace(0, 2 * np.pi, 60, False)
_HULL_DIRECTIONS = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1).astype(np.float32)  # [60, 2]


class Head:
    """The turned head of one person: lifts and projects points, and knows the silhouettes.

    Args:
        identity: Whose head.
        motion: How it moves.
    """

    def __init__(self, identity: Identity, motion: Motion):
        self.identity, self.motion = identity, motion
        self.widths = _WIDTHS[identity.face_shape] * (1.0 if identity.male else 0.96)
        factors, length = _CHINS[identity.chin]
        length *= _LENGTHS[identity.face_shape]
        self.widths[-6:] *= factors
        sagging = np.minimum(self.widths[8:11] * _SAG[identity.age], 1.03 * self.widths.max())
        self.widths[8:11] = np.maximum(self.widths[8:11], sagging)
        self.heights = np.where(HEIGHTS > 0.9, 0.9 + (HEIGHTS - 0.9) * length, HEIGHTS)
        self.nose = NOSE_WIDTHS[identity.nose]
        self.turn = float(motion.yaw.mean())
        self.drop = np.maximum(motion.au("AU26"), 0.85 * motion.open)  # of the jaw  # [F]
        self._sines = [
            (np.sin(angle)[:, None], np.cos(angle)[:, None]) for angle in (motion.yaw, motion.pitch, motion.roll)
        ]

    def width(self, y: float | np.ndarray) -> Any:
        """Half the width of the head at a height, or at each of several."""
        return np.interp(y, self.heights, self.widths)

    def surface(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Depth of the face's surface at a point of the face's plane."""
        width = np.maximum(self.width(y), np.interp(y, self.heights, _BROADS))
        front = np.maximum(np.interp(y, self.heights, _FRONTS), 0.3)
        return front * np.sqrt(np.maximum(1 - (x / width) ** 2, 0.02))

    def project(self, x: np.ndarray, y: np.ndarray, z: np.ndarray, jaw: bool = False) -> np.ndarray:
        """Turn and project points given in head units; `jaw` lets those below the nose follow the jaw.

        Returns:
            Pixels of the final frame.  # [F, n, 2]
        """
        motion = self.motion
        if jaw:
            y = y + 0.17 * self.drop[:, None] * np.clip((y - 0.45) / 0.6, 0, 1)
        (sin_yaw, cos_yaw), (sin_pitch, cos_pitch), (sin_roll, cos_roll) = self._sines
        x, z = x * cos_yaw + z * sin_yaw, z * cos_yaw - x * sin_yaw
        # The neck turns behind the middle of the head, so the face also moves to where it turns.
        y = y * cos_pitch - z * sin_pitch + 0.05 * sin_pitch
        x = x + 0.3 * sin_yaw
        points = np.stack([x * cos_roll - y * sin_roll, x * sin_roll + y * cos_roll], axis=-1)
        return (points + motion.offset[:, None]) * (UNIT * motion.scale) + np.array(CENTRE)

    def on_face(self, x: np.ndarray, y: np.ndarray, bump: float | np.ndarray = 0.0, jaw: bool = False) -> np.ndarray:
        """Project points of the face's plane, lifted onto the surface and `bump` in front of it.  # [F, n, 2]"""
        return self.project(x, y, self.surface(x, y) + bump, jaw)

    def spots(self, places: ArrayLike, bump: float = 0.0, jaw: bool = False) -> np.ndarray:
        """Project single points of the face's plane.  # places [n, 2] -> [F, n, 2]"""
        points = np.asarray(places, dtype=float)
        return self.on_face(points[None, :, 0], points[None, :, 1], bump, jaw)

    def around(self, across: ArrayLike, down: ArrayLike) -> np.ndarray:
        """Points of the picture's plane that follow the head and its roll but do not turn with it.  # [F, n, 2]"""
        (sin_yaw, _), _, (sin_roll, cos_roll) = self._sines
        x, y = np.asarray(across, dtype=float)[None], np.asarray(down, dtype=float)[None]
        points = np.stack([x * cos_roll - y * sin_roll + 0.2 * sin_yaw, x * sin_roll + y * cos_roll], axis=-1)
        return (points + self.motion.offset[:, None]) * (UNIT * self.motion.scale) + np.array(CENTRE)

    def cloud(self, top: float, bottom: float, azimuth: float, grow: float = 0.0, back: bool = False) -> tuple:
        """Points of the skull between two heights, around its front (or its back) up to an azimuth in degrees."""
        heights = np.linspace(top, bottom, 3 + round((bottom - top) * 9))
        angles = np.deg2rad(np.linspace(-azimuth, azimuth, 25 if azimuth > 110 else 17))
        if back:
            angles = angles + np.pi
        width = self.width(heights)[:, None] + grow
        depth = np.where(
            np.cos(angles) > 0,
            np.interp(heights, self.heights, _FRONTS)[:, None],
            np.interp(heights, self.heights, _BACKS)[:, None],
        )
        x = width * np.sin(angles)
        z = (depth + grow) * np.cos(angles)
        y = np.broadcast_to((heights - grow * np.clip(-heights, 0, 1))[:, None], x.shape)
        return x.ravel(), y.ravel(), z.ravel()

    def hull(self, *clouds: tuple, jaw: bool = False) -> np.ndarray:
        """The outline of turned point clouds: their farthest point in each direction.  # [F, 60, 2]"""
        x, y, z = (np.concatenate(parts) for parts in zip(*clouds, strict=True))
        points = self.project(x[None], y[None], z[None], jaw)  # [F, P, 2]
        reach = _HULL_DIRECTIONS @ points.astype(np.float32).transpose(0, 2, 1)  # [F, 60, P]
        farthest = np.argmax(reach, axis=2)  # [F, 60]
        return np.take_along_axis(points, farthest[..., None], axis=1)


def skin_outline(head: Head) -> np.ndarray:
    """The silhouette of face and, where it is bald, scalp.  # [F, 60, 2]"""
    # Long hair hides the temples and the ears; otherwise the cheek reaches the ear.
    brow, cheek, jaw = (58, 68, 82) if head.identity.hair_length == "long" else (66, 84, 100)
    low = head.heights[-1]
    top = -0.9 if head.identity.bangs else -1.12
    parts = [head.cloud(top, -0.3, brow), head.cloud(-0.3, 0.25, cheek), head.cloud(0.2, low, jaw)]
    if head.identity.hair_length == "bald":
        parts.append(head.cloud(-1.42, 0.4, 180))
    elif head.identity.receding:
        parts.append(head.cloud(-1.3, -0.8, 70))
    return head.hull(*parts, jaw=True)

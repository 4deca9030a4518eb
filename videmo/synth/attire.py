"""Hair, beard, ears and what is worn, as outlines on the turned head."""

from dataclasses import dataclass

import numpy as np

from videmo.synth.geometry import Head
from videmo.synth.shapes import shrunk

TURNED = np.deg2rad(12)  # beyond this yaw the far ear and the far lock are behind the head


@dataclass(frozen=True)
class Hair:
    """Outlines of the hair, each [F, n, 2] in pixels; `behind` lies behind the neck, `front` over the face.

    `bumps` are centres of curls along the outline, with their radius in pixels.
    """

    behind: list[np.ndarray]
    scalp: np.ndarray
    front: list[np.ndarray]
    bumps: list[tuple[np.ndarray, float]]


def hair(head: Head, covered: bool = False) -> Hair | None:
    """The hair of a head, flatter where a hat covers it; None where it is bald."""
    person = head.identity
    if person.hair_length == "bald":
        return None
    wavy, long = person.hair_texture == "wavy", person.hair_length == "long"
    grow = 0.15 if wavy and not covered else 0.09
    scalp = head.hull(
        head.cloud(-1.42, -0.8, 180, grow), head.cloud(-0.95, 0.3 if long else 0.12, 102, grow, back=True)
    )
    if person.bangs:
        front = [_fringe(head, wavy)]
    else:
        front = [_corners(head)] if person.receding else [_parting(head)]
    if person.sideburns:
        front += [_sideburn(head, sign) for sign in (1, -1) if sign * head.turn < TURNED]
    behind, bumps = [], []
    if wavy:
        curls = slice(0, 37, 3) if covered else slice(0, None, 3)  # the outline starts at the right and goes down first
        bumps.append((scalp[:, curls], 0.15))
    if long:
        curtain = head.hull(
            head.cloud(-1.2, 0.2, 110, grow, back=True), _curtain((1.14 if wavy else 1.02) * head.widths.max() / 0.95)
        )
        behind.append(curtain)
        if wavy:
            bumps.append((curtain[:, ::3], 0.17))
        for sign in (1, -1):
            far = sign * head.turn > TURNED
            (behind if far else front).append(_lock(head, sign, wavy))
    return Hair(behind, scalp, front, bumps)


def _curtain(half: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Long hair down the back to the shoulders, as a cloud."""
    x, y, z = np.meshgrid([-half, -0.5, 0.5, half], [0.8, 1.4, 1.75], [-0.7, -0.1])
    return x.ravel() * (1 - 0.1 * (y.ravel() > 1.7)), y.ravel(), z.ravel()


def _lock(head: Head, sign: int, wavy: bool) -> np.ndarray:
    """Long hair beside the face on one side."""
    y = np.linspace(-1.0, 1.75, 22)
    wave = 0.09 * np.sin(y * 7.5 + sign) if wavy else np.zeros_like(y)
    inner = np.interp(y, [-1.0, -0.6, 0.0, 0.6, 1.2, 1.75], [0.56, 0.76, 0.89, 0.84, 0.78, 0.86]) + wave
    outer = np.interp(y, [-1.0, -0.6, 0.0, 0.6, 1.2, 1.75], [0.75, 1.04, 1.14, 1.14, 1.12, 1.0]) + wave
    x = sign * np.concatenate([inner, outer[::-1]]) * head.widths.max() / 0.95
    z = np.interp(y, [-1.0, -0.5, 0.2, 1.75], [0.55, 0.4, 0.1, 0.05])
    return head.project(x[None], np.concatenate([y, y[::-1]])[None], np.concatenate([z, z[::-1]])[None])


def _fringe(head: Head, wavy: bool) -> np.ndarray:
    """Bangs: a band from the crown down to the brows."""
    angles = np.deg2rad(np.linspace(-72, 72, 33))
    teeth = np.abs(np.sin(np.arange(33) * (np.pi / 4 if wavy else np.pi / 2.6)))
    low = -0.36 + 0.07 * teeth * (1 if wavy else -1) - 0.02 * np.cos(angles)
    return _band(head, angles, low, 0.14)


def _parting(head: Head) -> np.ndarray:
    """Hair combed from a parting to both sides, so that the forehead shows."""
    angles = np.deg2rad(np.linspace(-80, 80, 33))
    low = np.minimum(-1.12 + 0.28 * np.abs(np.sin(angles) - 0.35) ** 1.5, -0.7)
    return _band(head, angles, low, 0.05)


def _corners(head: Head) -> np.ndarray:
    """A hairline that has gone back over both temples and left a tip in the middle: an M."""
    angles = np.deg2rad(np.linspace(-82, 82, 33))
    low = -1.02 - 0.24 * np.sin(np.clip(np.abs(angles) / 0.85, 0, 1) * np.pi) ** 1.5
    low = np.where(np.abs(angles) > 1.0, low + 0.75 * (np.abs(angles) - 1.0), low)
    return _band(head, angles, low, 0.04)


def _sideburn(head: Head, sign: int) -> np.ndarray:
    """Hair before an ear, down to the jaw."""
    y = np.array([-0.5, -0.1, 0.3, 0.62, 0.66, 0.62, 0.3, -0.1, -0.5])
    inner = np.array([0.24, 0.2, 0.19, 0.24, 0.12, 0.0, -0.03, -0.03, -0.03])
    width = head.width(y)
    return head.project((sign * (width - inner))[None], y[None], (0.34 + 0.4 * np.maximum(inner, 0))[None])


def _band(head: Head, angles: np.ndarray, low: np.ndarray, bump: float) -> np.ndarray:
    """Hair from the crown down to a height at each angle."""
    x_low = np.sin(angles) * np.interp(low, [-1.42, -1.0, -0.45], [0.3, 0.9, 1.0]) * head.widths.max()
    x_high = np.sin(angles) * 0.55
    x, y = np.concatenate([x_low, x_high[::-1]]), np.concatenate([low, np.full_like(low, -1.4)])
    z = np.concatenate([np.cos(angles), 0.36 * np.cos(angles)[::-1]]) * 0.93 + bump
    return head.project(x[None], y[None], z[None])


def ears(head: Head) -> dict[str, np.ndarray]:
    """Outline, inner fold and lobe of both ears."""
    curves = {}
    ring = np.linspace(0, 2 * np.pi, 16, False)
    for side, sign in (("left", 1), ("right", -1)):
        x = sign * (head.width(0.1) + 0.04 + 0.1 * np.cos(ring))
        y = 0.1 + 0.27 * np.sin(ring) + 0.03 * np.cos(2 * ring)
        z = -0.1 - 0.14 * np.cos(ring)
        curves[f"ear_{side}"] = head.project(x[None], y[None], z[None])
        curves[f"ear_fold_{side}"] = shrunk(curves[f"ear_{side}"], 0.55)
        curves[f"lobe_{side}"] = head.project(x[None, 4:5], y[None, 4:5] + 0.05, z[None, 4:5])
    return curves


def glasses(head: Head, rectangular: bool) -> dict[str, np.ndarray]:
    """Both rims (closed), the bridge and the arms to the ears."""
    person = head.identity
    ring = np.linspace(0, 2 * np.pi, 28, False)
    power = 0.45 if rectangular else 1.0
    round_x = np.sign(np.cos(ring)) * np.abs(np.cos(ring)) ** power
    round_y = np.sign(np.sin(ring)) * np.abs(np.sin(ring)) ** power
    curves = {}
    for side, sign in (("left", 1), ("right", -1)):
        x = sign * (person.eye_spacing + 0.03) + 0.36 * round_x
        y = 0.01 + (0.29 if rectangular else 0.34) * round_y
        curves[f"rim_{side}"] = head.project(x[None], y[None], (1.04 - 0.4 * x**2)[None])
        arm_x = sign * np.array([0.8, 0.92, 1.0, 1.02])
        curves[f"arm_{side}"] = head.project(
            arm_x[None], np.array([[-0.05, -0.05, -0.04, -0.03]]), np.array([[0.72, 0.5, 0.2, -0.05]])
        )
    x = np.linspace(-(person.eye_spacing - 0.32), person.eye_spacing - 0.32, 5)
    curves["bridge"] = head.on_face(x[None], (-0.03 - 0.03 * np.cos(x * 12))[None], 0.16)
    return curves


def mask(head: Head) -> dict[str, np.ndarray]:
    """A surgical mask from the bridge of the nose to below the chin, its folds and its loops to the ears."""
    x = np.array([0.0, 0.2, 0.45, 0.68, 0.72, 0.6, 0.38, 0.15])
    y = np.array([0.1, 0.14, 0.26, 0.34, 0.7, 0.96, 1.16, 1.24])
    x, y = np.concatenate([x, [0.0], -x[:0:-1]]), np.concatenate([y, [1.25], y[:0:-1]])
    bump = 0.1 + 0.16 * np.clip(1 - 2 * np.abs(x), 0, 1) * np.clip(1.2 - y, 0, 1)
    curves = {"cover": head.on_face(x[None], y[None], bump, jaw=True)}
    for number, height in enumerate((0.5, 0.68, 0.86)):
        fold = np.linspace(-0.62, 0.62, 9) * (1 - 0.12 * number)
        curves[f"fold_{number}"] = head.on_face(fold[None], (height - 0.05 * fold**2)[None], 0.16, jaw=True)
    for side, sign in (("left", 1), ("right", -1)):
        for name, start, end in (("high", 0.36, -0.02), ("low", 0.72, 0.3)):
            loop = sign * np.array([[0.68, 0.85, 1.0]])
            height = np.linspace(start, end, 3)[None]
            curves[f"loop_{name}_{side}"] = head.project(loop, height, np.array([[0.6, 0.38, 0.0]]))
    return curves


def hat(head: Head) -> dict[str, np.ndarray]:
    """A knitted hat: its dome, the face's side of its edge, the band along that edge, and a bobble.

    The dome is a silhouette, so it also holds the far side of the hat; what is below `edge` is to be cut off.
    """
    cap_angles = np.linspace(0, 2 * np.pi, 12, False)
    cap = [np.concatenate([r * f(cap_angles) for r in (0.3, 0.56, 0.78)]) for f in (np.sin, np.cos)]
    cap.insert(1, np.repeat([-1.74, -1.66, -1.5], 12))
    dome = head.hull(head.cloud(-1.46, -0.8, 180, 0.19), tuple(cap))
    angles = np.linspace(-np.pi / 2, np.pi / 2, 25) - head.motion.yaw[:, None]  # the half that is seen  # [F, 25]

    def around(y: float, grow: float) -> np.ndarray:
        x, z = (head.width(y) + grow) * np.sin(angles), (0.92 + grow) * np.cos(angles)
        return head.project(x, np.full_like(x, y), np.where(z > 0, z, z * 1.2))

    edge, top = around(-0.7, 0.2), around(-0.98, 0.25)
    ring = np.linspace(0, 2 * np.pi, 16, False)
    knot = head.project(np.zeros((1, 1)), np.full((1, 1), -1.8), np.full((1, 1), -0.1))
    bobble = knot + head.motion.scale * np.stack([6.0 * np.cos(ring), 6.0 * np.sin(ring)], axis=-1)
    return {"dome": dome, "edge": edge, "band": np.concatenate([edge, top[:, ::-1]], axis=1), "bobble": bobble}


def beard(head: Head, kind: str, mouth: dict[str, np.ndarray]) -> np.ndarray:
    """The outline of a mustache (follows the upper lip), a goatee or stubble (follow the jaw).  # [F, n, 2]"""
    if kind == "goatee":  # pointed, so that it is not taken for an open mouth
        x = np.array([0.0, 0.18, 0.42, 0.4, 0.28, 0.12])
        y = np.array([0.93, 0.88, 0.9, 1.16, 1.38, 1.54])
        x, y = np.concatenate([x, [0.0], -x[:0:-1]]), np.concatenate([y, [1.62], y[:0:-1]])
        return head.project(x[None], y[None], (0.92 - 1.2 * x**2)[None], jaw=True)
    if kind == "stubble":
        reach = 96 if head.identity.hair_length != "long" else 78  # degrees around the jaw, down to the chin
        return head.hull(head.cloud(0.52, float(head.heights[-1]), reach, -0.02), jaw=True)
    top = mouth["lip_top"]
    nose = head.spots([(0, head.identity.nose_length + 0.11)], 0.05)  # [F, 1, 2]
    span = np.abs(np.linspace(-1, 1, top.shape[1]))[None, :, None]
    down = np.array([0.0, 1.0])
    room = np.maximum((top[:, 6:7] - nose)[..., 1:], 7.0)  # between nose and lip, in pixels  # [F, 1, 1]
    lower = top + 0.5 * (top - top.mean(axis=1, keepdims=True)) * [1, 0] + down * (2.0 + 8.0 * span**2.5)
    upper = lower - down * (2.0 + 0.95 * room + 7.0 * span**2) * (1 - span**4)
    return np.concatenate([lower, upper[:, ::-1]], axis=1)


def bristles(head: Head) -> np.ndarray:
    """Places of the single hairs of stubble.  # [F, n, 2]"""
    rng = np.random.default_rng(7)
    x, y = rng.uniform(-0.85, 0.85, 48), rng.uniform(0.5, 1.2, 48)
    keep = (np.abs(x) < 0.68 * head.width(y)) & ((np.abs(x) > 0.38) | (y > 0.98) | (y < 0.58))
    return head.on_face(x[None, keep], y[None, keep], 0.01, jaw=True)

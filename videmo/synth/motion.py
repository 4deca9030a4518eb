"""How a face moves: the state of a clip -> action units, lids, head angles and position in each of its frames.

Neutral to apex within the first third of a second or so, then held with a small tremor; one blink in most clips; the
head sways around its pose. Any four frames spread over the clip show the expression in at least three.
"""

from dataclasses import dataclass

import numpy as np

from videmo.synth.face import EMOTIONS, POSES, Clip

NUM_FRAMES = 16
FPS = 8
APEX_FRAME = 4


@dataclass(frozen=True)
class Motion:
    """Arrays over the frames of a clip.

    Attributes:
        aus: Strength of each action unit that moves, 0 to 1.25, each [F].
        eye_wide: Widening of the eyes, 0 to 1.  # [F]
        blink: 0 open, 1 shut.  # [F]
        yaw, pitch, roll: Radians; yaw grows towards the person's left, pitch upwards.  # [F]
        offset: Shift of the head in head units.  # [F, 2]
        scale: Size of the face in the frame, about 1.
    """

    aus: dict[str, np.ndarray]
    eye_wide: np.ndarray
    blink: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    roll: np.ndarray
    offset: np.ndarray
    scale: float

    def au(self, name: str) -> np.ndarray:
        """Strength of one action unit over the frames; zeros where the clip does not have it.  # [F]"""
        return self.aus.get(name, np.zeros_like(self.blink))


def animate(clip: Clip) -> Motion:
    """The motion of a clip: the same for the same clip, always."""
    rng = np.random.default_rng([clip.variation, 1])
    t = np.arange(NUM_FRAMES) / FPS  # seconds  # [F]
    rise = np.clip((np.arange(NUM_FRAMES) + 0.5) / APEX_FRAME, 0, 1)
    onset = rise * rise * (3 - 2 * rise) * (1 + 0.04 * np.sin(2 * np.pi * (1.1 * t + rng.random())))  # [F]

    blink = np.zeros(NUM_FRAMES)
    if rng.random() < 0.7:
        shut = rng.choice([2, 7, 8, 12])
        blink[shut], blink[shut + 1] = 1.0, 0.5

    def sway(degrees: float, hertz: float) -> np.ndarray:
        return np.deg2rad(degrees) * np.sin(2 * np.pi * (hertz * t + rng.random()))

    yaw, pitch = POSES[clip.pose]
    breath = 0.012 * np.sin(2 * np.pi * (0.4 * t + rng.random()))
    place = rng.uniform([-0.05, -0.03], [0.05, 0.03])
    return Motion(
        aus={name: strength * onset for name, strength in clip.aus.items()},
        eye_wide=EMOTIONS[clip.emotion].eye_wide * onset,
        blink=blink,
        yaw=np.deg2rad(yaw + rng.uniform(-3, 3)) + sway(2.0, 0.45),
        pitch=np.deg2rad(pitch + rng.uniform(-2.5, 2.5)) + sway(1.2, 0.6),
        roll=np.deg2rad(rng.uniform(-2, 2)) + sway(1.0, 0.35),
        offset=place + np.stack([np.zeros(NUM_FRAMES), breath], axis=-1),  # [F, 2]
        scale=float(rng.uniform(0.97, 1.03)),
    )

"""How a face moves: the state of a clip -> action units, lids, gaze, head angles and position in each of its frames.

An expression goes from neutral to its apex within half a second, is held with a small tremor, and most clips blink
once. A change shows its first emotion up to frame 6 and its last from frame 8 on; a micro-expression stays for five
frames. Whatever swings (a nod, talking lips) has a period of 20/3 or 20/7 frames, so that four frames spread over the
clip, five apart, show four different phases of it.
"""

from dataclasses import dataclass, replace

import numpy as np

from videmo.synth.face import EMOTIONS, POSES, Clip
from videmo.synth.world import STRENGTHS

NUM_FRAMES = 16
FPS = 8
APEX_FRAME = 4
CHANGE_FRAME = 8
MICRO_COURSE = (0.85, 1.0, 1.0, 1.0, 1.0)
SWINGS = {"nod": (0.0, 16.0, 0.0), "shake_head": (22.0, 0.0, 0.0), "head_wagging": (0.0, 0.0, 18.0)}  # yaw, pitch, roll
STEEPEST = (62.0, 36.0)  # degrees of yaw and pitch, beyond which the face could not be read
POSTURES = {  # degrees that two people turn (yaw) and lean (roll) to each other
    "Intimate": (12.0, 15.0),
    "Mild": (20.0, 5.0),
    "Neutral": (0.0, 0.0),
    "Tense": (-34.0, -7.0),
    "Hostile": (38.0, 11.0),
}
_FRAMES = np.arange(NUM_FRAMES)


@dataclass(frozen=True)
class Motion:
    """Arrays over the frames of a clip.

    Attributes:
        aus: Strength of each action unit that moves, 0 to 1.3, each [F].
        eye_wide: Widening of the eyes; drooping lids where it is negative.  # [F]
        smirk: Pull of the one corner of the mouth.  # [F]
        gaze: Where the eyes look, right and down, in radii of the iris.  # [F, 2]
        blink, wink: 0 open, 1 shut; of both eyes, of the person's left eye.  # [F]
        open: How far talking or yawning opens the mouth.  # [F]
        pucker: How far the lips are rounded for a kiss.  # [F]
        yaw, pitch, roll: Radians; yaw grows to the person's left, pitch upwards, roll to the viewer's right.  # [F]
        offset: Shift of the head in head units.  # [F, 2]
        scale: Size of the face in the frame, about 1.
    """

    aus: dict[str, np.ndarray]
    eye_wide: np.ndarray
    smirk: np.ndarray
    gaze: np.ndarray
    blink: np.ndarray
    wink: np.ndarray
    open: np.ndarray
    pucker: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    roll: np.ndarray
    offset: np.ndarray
    scale: float

    def au(self, name: str) -> np.ndarray:
        """Strength of one action unit over the frames; zeros where the clip does not have it.  # [F]"""
        return self.aus.get(name, np.zeros_like(self.blink))

    def cut(self, frames: slice) -> "Motion":
        """The same motion in some of its frames only."""
        arrays = {name: value[frames] for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return replace(self, **arrays, aus={name: value[frames] for name, value in self.aus.items()})


def strength(aus: dict[str, float], intensity: str = "medium") -> float:
    """How strongly a face feels: the mean of its action units, or the intensity where it moves none that counts."""
    return float(np.mean(list(aus.values()))) if len(aus) > 1 else STRENGTHS[intensity]


def animate(clip: Clip) -> Motion:
    """The motion of a clip's person (of a pair: the one who speaks); the same for the same clip, always."""
    motion = _rest(clip.variation, clip.pose)
    rise = _rise(clip.variation)
    moods = [(name, rise, strength(clip.aus, clip.intensity)) for name in clip.emotions]
    if clip.kind == "micro":
        course = np.zeros(NUM_FRAMES)
        course[clip.onset : clip.onset + len(MICRO_COURSE)] = MICRO_COURSE
        moods, rise = [], course
        motion = replace(motion, blink=np.zeros(NUM_FRAMES))  # a blink would be taken for the expression
    aus = {name: value * rise for name, value in clip.aus.items()}
    if clip.kind == "change":
        assert clip.second
        steps = np.array([CHANGE_FRAME - 2, CHANGE_FRAME])
        last = np.interp(_FRAMES, steps, [0.0, 1.0])
        moods = [(clip.second, 1 - last, strength(clip.first_aus)), (clip.emotion, last, strength(clip.aus))]
        aus = {
            name: clip.first_aus.get(name, 0.0) * (1 - last) + clip.aus.get(name, 0.0) * last
            for name in {**clip.first_aus, **clip.aus}
        }
    motion = _felt(replace(motion, aus=aus), moods)
    motion = _acted(motion, clip.head_action, clip.face_action)
    if clip.relation:
        motion = replace(_posture(motion, clip.relation, 1), open=_talk())
    return motion


def animate_partner(clip: Clip) -> Motion:
    """The motion of the second person of a pair, who listens."""
    assert clip.relation and clip.partner_emotion
    rise = _rise(clip.variation + 1)
    motion = replace(
        _rest(clip.variation + 1, "Front"), aus={name: value * rise for name, value in clip.partner_aus.items()}
    )
    return _posture(_felt(motion, [(clip.partner_emotion, rise, strength(clip.partner_aus))]), clip.relation, -1)


def _rise(seed: int) -> np.ndarray:
    """From neutral to the apex, which trembles a little.  # [F]"""
    up = np.clip((_FRAMES + 0.5) / APEX_FRAME, 0, 1)
    phase = np.random.default_rng([seed, 3]).random()
    return up * up * (3 - 2 * up) * (1 + 0.04 * np.sin(2 * np.pi * (1.1 * _FRAMES / FPS + phase)))


def _rest(seed: int, pose: str) -> Motion:
    """A calm face in a pose: sway, breath, a blink."""
    rng = np.random.default_rng([seed, 1])
    t = _FRAMES / FPS  # seconds  # [F]
    blink = np.zeros(NUM_FRAMES)
    if rng.random() < 0.7:
        shut = rng.choice([2, 7, 8, 12])
        blink[shut], blink[shut + 1] = 1.0, 0.5

    def sway(degrees: float, hertz: float) -> np.ndarray:
        return np.deg2rad(degrees) * np.sin(2 * np.pi * (hertz * t + rng.random()))

    yaw, pitch = POSES[pose]
    breath = 0.012 * np.sin(2 * np.pi * (0.4 * t + rng.random()))
    still = np.zeros(NUM_FRAMES)
    return Motion(
        aus={},
        eye_wide=still,
        smirk=still,
        gaze=np.zeros((NUM_FRAMES, 2)),
        blink=blink,
        wink=still,
        open=still,
        pucker=still,
        yaw=np.deg2rad(yaw + rng.uniform(-3, 3)) + sway(2.0, 0.45),
        pitch=np.deg2rad(pitch + rng.uniform(-2.5, 2.5)) + sway(1.2, 0.6),
        roll=np.deg2rad(rng.uniform(-2, 2)) + sway(1.0, 0.35),
        offset=rng.uniform([-0.05, -0.03], [0.05, 0.03]) + np.stack([still, breath], axis=-1),  # [F, 2]
        scale=float(rng.uniform(0.97, 1.03)),
    )


def _felt(motion: Motion, moods: list[tuple[str, np.ndarray, float]]) -> Motion:
    """Adds what an emotion shows besides its action units: lids, smirk, gaze and tilt, along each course."""
    eye_wide, smirk, gaze, roll = motion.eye_wide, motion.smirk, motion.gaze, motion.roll
    for name, course, strong in moods:
        emotion, level = EMOTIONS[name], course * strong  # [F]
        eye_wide = eye_wide + emotion.eye_wide * level
        smirk = smirk + emotion.smirk * level
        gaze = gaze + np.array(emotion.gaze) * np.minimum(level, 1.0)[:, None]
        roll = roll + np.deg2rad(emotion.tilt) * level
    return replace(motion, eye_wide=np.clip(eye_wide, -0.8, 1.1), smirk=smirk, gaze=gaze, roll=roll)


def _acted(motion: Motion, head: str, face: str) -> Motion:
    """Adds what head and face do."""
    yaw, pitch, roll = motion.yaw, motion.pitch, motion.roll
    swing = np.cos(2 * np.pi * 0.15 * _FRAMES + 0.5)  # [F]
    if head in SWINGS:
        yaw, pitch, roll = (
            angle + np.deg2rad(degrees) * swing for angle, degrees in zip((yaw, pitch, roll), SWINGS[head], strict=True)
        )
    elif head == "turn":
        yaw = yaw + np.deg2rad(np.linspace(-40, 40, NUM_FRAMES))
    far_yaw, far_pitch = np.deg2rad(STEEPEST)
    motion = replace(
        motion, yaw=np.clip(yaw, -far_yaw, far_yaw), pitch=np.clip(pitch, -far_pitch, far_pitch), roll=roll
    )
    middle = np.interp(_FRAMES, [2, 4, 12, 14], [0.0, 1.0, 1.0, 0.0])
    if face == "talk":
        return replace(motion, open=_talk())
    if face == "wink":
        return replace(motion, wink=((_FRAMES >= 3) & (_FRAMES <= 12)).astype(float), blink=0 * middle)
    if face == "close_eyes":
        return replace(motion, blink=np.ones(NUM_FRAMES))
    if face == "look_around":
        return replace(motion, gaze=np.stack([1.15 * np.sign(swing) * np.abs(swing) ** 0.3, 0 * swing], axis=-1))
    if face == "yawn":
        return replace(motion, open=1.7 * middle, blink=np.maximum(motion.blink, middle))
    if face == "kiss":
        return replace(motion, pucker=_rise(0))
    return motion


def _talk() -> np.ndarray:
    """The opening of talking lips.  # [F]"""
    return np.clip(0.45 + 0.6 * np.cos(2 * np.pi * 0.35 * _FRAMES + 0.5), 0, 1)


def _posture(motion: Motion, relation: str, side: int) -> Motion:
    """Turns and leans one of a pair; `side` is 1 for the one at the viewer's left."""
    turn, lean = np.deg2rad(POSTURES[relation])
    return replace(motion, yaw=motion.yaw + side * turn, roll=motion.roll + side * lean)

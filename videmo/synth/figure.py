"""Who is on stage in which frames: a clip's state -> acts, each with one figure or two.

A change has two acts, because the skin changes its colour; a pair has two figures, drawn at about half size.
"""

from dataclasses import dataclass

from videmo.synth.face import Clip, Identity
from videmo.synth.motion import CHANGE_FRAME, NUM_FRAMES, Motion, animate, animate_partner
from videmo.synth.shapes import View
from videmo.synth.world import STRENGTHS

PAIR_ZOOM, PAIR_DOWN = 0.63, 22.0
GAPS = {"Intimate": 45.0, "Mild": 57.0, "Neutral": 65.0, "Tense": 65.0, "Hostile": 68.0}  # pixels between two heads


@dataclass(frozen=True)
class Figure:
    """One person in some frames, ready to be drawn.

    Attributes:
        feelings: Emotions that colour the face and put marks on it, with their strength, about 0.5 to 1.2.
        tint: How strongly they do, 0 to 1.
        worn: Accessories.
        action: What the body does.
        view: Where the person stands.
        seed: Of clothes and glasses.
    """

    identity: Identity
    motion: Motion
    feelings: tuple[tuple[str, float], ...]
    tint: float
    worn: tuple[str, ...]
    action: str
    view: View
    seed: int


@dataclass(frozen=True)
class Act:
    """Some frames of a clip and who is in them, from the back to the front."""

    frames: slice
    figures: tuple[Figure, ...]


def stage(clip: Clip) -> list[Act]:
    """The acts of a clip, in their order."""
    motion = animate(clip)
    whole = slice(0, NUM_FRAMES)
    if clip.kind == "pair":
        assert clip.relation and clip.partner and clip.partner_emotion
        gap = GAPS[clip.relation]
        left, right = (View(PAIR_ZOOM, 64 + side * gap / 2 - 64 * PAIR_ZOOM, PAIR_DOWN) for side in (-1, 1))
        first = _figure(clip, motion, (clip.emotion,), left)
        theirs, seed = animate_partner(clip), clip.variation + 1
        partner = Figure(clip.partner, theirs, ((clip.partner_emotion, 1.0),), clip.tint, (), "none", right, seed)
        return [Act(whole, (first, partner))]
    if clip.kind == "change":
        assert clip.second
        cuts = (slice(0, CHANGE_FRAME), clip.second), (slice(CHANGE_FRAME, NUM_FRAMES), clip.emotion)
        return [Act(frames, (_figure(clip, motion.cut(frames), (felt,), View()),)) for frames, felt in cuts]
    felt = () if clip.kind == "micro" else clip.emotions
    return [Act(whole, (_figure(clip, motion, felt, View()),))]


def _figure(clip: Clip, motion: Motion, felt: tuple[str, ...], view: View) -> Figure:
    strength = STRENGTHS[clip.intensity] if clip.kind == "single" else 1.0
    feelings = tuple((name, strength) for name in felt)
    return Figure(clip.identity, motion, feelings, clip.tint, clip.accessories, clip.body_action, view, clip.variation)

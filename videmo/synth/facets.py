"""What a clip shows of one thing that can be asked about a face: the values of the open attributes' facets.

A value is None where the clip does not show it: hidden, in between, or not to be told apart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from videmo.synth.face import POSES, Clip
from videmo.synth.labels import hidden_parts

FACE_DOING = {
    "none": "still",
    "talk": "talking",
    "wink": "winking",
    "close_eyes": "closing the eyes",
    "look_around": "looking around",
    "yawn": "yawning",
    "kiss": "kissing",
}
BODY_DOING = {
    "none": "nothing",
    "drink": "drinking",
    "read": "reading",
    "listen_to_music": "listening to music",
    "sing": "singing",
    "smoke": "smoking",
}
HEAD_DOING = {
    "none": "keeps still",
    "nod": "nods",
    "shake_head": "shakes",
    "head_wagging": "wags",
    "turn": "turns",
}
MARKS = {
    "none": "no marks",
    "freckles": "freckles",
    "mole_left": "mole on the left",
    "mole_right": "mole on the right",
    "scar": "scar",
}


@dataclass(frozen=True)
class Facet:
    """One thing to ask about an attribute.

    Attributes:
        questions: Its wordings.
        value: What a clip shows of it, None where that cannot be told: the answer, listed or not.
        part: The part of the face that must be in sight.
    """

    questions: tuple[str, ...]
    value: Callable[[Clip], str | None]
    part: str | None = None

    def truth(self, clip: Clip) -> str | None:
        """What the clip shows of it, None where that cannot be told."""
        return None if self.part in hidden_parts(clip) else self.value(clip)


def hair_words(clip: Clip) -> str:
    """Length, texture and colour of the hair: `short wavy black`, or `bald`."""
    person = clip.identity
    if person.hair_length == "bald":
        return "bald"
    return f"{person.hair_length} {person.hair_texture} {person.hair_colour}"


def steady(clip: Clip) -> bool:
    """Whether one expression is shown throughout, with nothing else done by the mouth."""
    busy = clip.face_action in ("talk", "yawn", "kiss") or clip.body_action in ("drink", "sing", "smoke")
    return clip.kind in ("single", "compound") and not busy


def eye_shape(clip: Clip) -> str | None:
    """Not where feelings widen or tighten the eyes, or they are shut."""
    moved = {"AU6", "AU7", "AU10"} & set(clip.aus) or eye_state(clip) not in (None, "open")
    return clip.identity.eye_shape if not moved and clip.emotion not in ("Surprise", "Fear") else None


def eye_state(clip: Clip) -> str | None:
    if clip.kind != "single":
        return None
    if clip.emotion in ("Surprise", "Fear"):
        return "wide open"
    if clip.emotion != "Neutral" or clip.aus:
        return None
    return {"close_eyes": "closed", "wink": "winking", "look_around": "looking around"}.get(clip.face_action, "open")


def brow_state(clip: Clip) -> str | None:
    """Not where inner brows alone rise, or brows are raised and lowered at once."""
    if clip.kind not in ("single", "compound"):
        return None
    moved = {"AU1", "AU2", "AU4"} & set(clip.aus)
    if not moved:
        return "relaxed"
    if moved == {"AU4"}:
        return "lowered"
    return "raised" if "AU2" in moved and "AU4" not in moved else None


def mouth_opening(clip: Clip) -> str | None:
    """Not where the jaw drops behind closed lips."""
    if not steady(clip) or ("AU26" in clip.aus and "AU25" not in clip.aus):
        return None
    return "open" if "AU25" in clip.aus else "closed"


def mouth_corners(clip: Clip) -> str | None:
    if not steady(clip) or clip.emotion == "Contempt" or {"AU12", "AU15"} <= set(clip.aus):
        return None
    return "turned up" if "AU12" in clip.aus else "turned down" if "AU15" in clip.aus else "straight"


def lips(clip: Clip) -> str | None:
    """Not where lips are tightened, pressed, puckered or stretched."""
    moved = {"AU23", "AU24"} & set(clip.aus) or clip.face_action in ("kiss", "yawn")
    return None if moved else clip.identity.lips


def facial_hair(clip: Clip) -> str | None:
    """Of men; a woman's gender would tell it."""
    beard = {"none": "clean-shaven"}.get(clip.identity.beard, clip.identity.beard)
    return beard if clip.identity.male and "mask" not in clip.accessories else None


def jewelry(clip: Clip) -> str:
    worn = [name for name in ("earrings", "necklace") if name in clip.accessories]
    return " and ".join(worn) or "no jewelry"


def eyewear(clip: Clip) -> str:
    return next((name for name in ("eyeglasses", "sunglasses") if name in clip.accessories), "no glasses")


def direction(clip: Clip) -> str | None:
    """Where the head points, if it stays there; the side is the person's own."""
    yaw, pitch = POSES[clip.pose]
    if clip.head_action != "none":
        return None
    if yaw:
        return "left" if yaw > 0 else "right"
    return "up" if pitch > 0 else "down" if pitch < 0 else "front"


def face_doing(clip: Clip) -> str | None:
    """What a face without feelings does."""
    if clip.kind != "single" or clip.emotion != "Neutral":
        return None
    return FACE_DOING[clip.face_action]


def face_showing(clip: Clip) -> str | None:
    if clip.kind != "single":
        return None
    plainest = {"Sad": "crying", "Contempt": "smirking", "Disgust": "wrinkling the nose"}
    if clip.emotion in plainest:
        return plainest[clip.emotion]
    if "AU12" in clip.aus:
        return "smiling"
    if clip.emotion == "Surprise":
        return "gaping"
    return "frowning" if {"AU1", "AU2", "AU4"} & set(clip.aus) == {"AU4"} else None


def of_person(field: str) -> Callable[[Clip], str]:
    return attrgetter(f"identity.{field}")


def of_single(names: Mapping[str, str], field: str) -> Callable[[Clip], str | None]:
    return lambda clip: names[getattr(clip, field)] if clip.kind == "single" else None


def put_on(name: str) -> Callable[[Clip], str]:
    return lambda clip: name if name in clip.accessories else f"no {name}"

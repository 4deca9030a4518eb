"""The latent state of a drawn clip: who it is, what the face does, what was put on. It is the truth of every question.

An `Identity` is what a person keeps from clip to clip (skin, hair, features, beard, marks); a `Clip` adds what
changes (emotion with its action units, head pose, accessories, clothing, background). Both are plain data: drawing
reads them, questions read them, ``truth/*.jsonl`` stores them.
"""

from dataclasses import asdict, dataclass

HAIR_COLOURS = ("black", "brown", "blonde", "gray")

# Degrees as drawn: (yaw, pitch). Left is the person's own left, which is the viewer's right: image x grows with yaw.
# 60 and 30 degrees are drawn smaller so that the far half of the face still shows its expression.
POSES = {
    "Front": (0.0, 0.0),
    "Right 60 degrees": (-46.0, 0.0),
    "Left 60 degrees": (46.0, 0.0),
    "Left 30 degrees": (18.0, 0.0),
    "Right 30 degrees": (-18.0, 0.0),
    "Down": (0.0, -26.0),
    "Up": (0.0, 25.0),
}


@dataclass(frozen=True)
class Emotion:
    """How an emotion shows.

    Attributes:
        weight: Its share of the clips; uneven, so that sentiment (derived) stays nearly balanced.
        always: Action units that are always there: they tell the emotion from the others.
        either: At least one of these is there.
        often: Action units with their probabilities; at most one is left out when `strict`.
        rare: Action units of which one comes along in a few clips without changing the emotion.
        eye_wide: How far the eyes widen (upper lid raiser, which no label set here asks for).
    """

    weight: float
    always: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    often: tuple[tuple[str, float], ...] = ()
    rare: tuple[str, ...] = ()
    eye_wide: float = 0.0


EMOTIONS = {
    "Happy": Emotion(0.20, ("AU12",), (), (("AU6", 0.75), ("AU25", 0.5)), ("AU7",)),
    "Sad": Emotion(0.105, ("AU1", "AU15"), (), (("AU4", 0.7),), ("AU7", "AU25")),
    "Neutral": Emotion(0.18, (), (), (), ("AU7", "AU25", "AU24")),
    "Angry": Emotion(0.105, ("AU4",), ("AU23", "AU24"), (("AU7", 0.75),), ("AU15",)),
    "Surprise": Emotion(0.20, ("AU2", "AU26"), (), (("AU1", 0.7), ("AU25", 0.8), ("AU12", 0.5)), (), 0.8),
    "Disgust": Emotion(0.105, ("AU10",), (), (("AU4", 0.5), ("AU7", 0.4)), ("AU6", "AU25", "AU15")),
    "Fear": Emotion(0.105, ("AU1", "AU4", "AU25"), (), (("AU2", 0.7), ("AU7", 0.6)), ("AU26",), 0.7),
}


@dataclass(frozen=True)
class Identity:
    """What a person keeps. Lengths are in head units: half the width of a standard head is 1."""

    name: str
    male: bool
    skin: str
    face_shape: str  # oval, round, square
    eye_colour: str
    eye_size: float  # factor on the standard eye
    eye_spacing: float
    eye_tilt: float  # outer corner raised by this much
    nose_width: float
    nose_length: float
    bushy_eyebrows: bool
    brow_arch: float
    mouth_width: float
    lip_fullness: float  # factor on the standard lips
    hair_colour: str
    hair_texture: str  # straight, wavy
    hair_length: str  # short, long, bald
    bangs: bool
    beard: str  # none, goatee, mustache
    mark: str  # none, freckles, mole_left, mole_right


@dataclass(frozen=True)
class Clip:
    """One clip's whole state. `name` is random and says nothing about the rest.

    Attributes:
        aus: Active action units with their strength at the apex, 1 to 1.25: plain to see.
        accessories: What is put on: of eyeglasses, hat, earrings, necklace, lipstick, blush.
        background: The kind of background; identity pairs differ in it.
        variation: Seed of everything without a label: colours, sway, blinks, size in the frame.
    """

    name: str
    split: str
    identity: Identity
    emotion: str
    aus: dict[str, float]
    pose: str
    accessories: tuple[str, ...]
    background: str
    variation: int

    @property
    def path(self) -> str:
        """The path of the clip under ``ROOT/videos``."""
        return f"DrawnFaces/{self.split}/{self.name}.mp4"

    def as_dict(self) -> dict:
        """The state as JSON-ready data, with the labels derived from it."""
        return {
            "path": self.path,
            **asdict(self),
            "sentiment": sentiment(self),
            "appearance": [label for label, shown in appearance(self).items() if shown],
        }


def sentiment(clip: Clip) -> str:
    """Positive with a smile (lip corners pulled up), negative with a negative emotion, neutral otherwise."""
    if "AU12" in clip.aus:
        return "Positive"
    return "Neutral" if clip.emotion in ("Neutral", "Surprise") else "Negative"


def appearance(clip: Clip) -> dict[str, bool]:
    """The appearance labels that drawing shows, in the label set's order, and whether each holds.

    Labels of the set that are missing here are never drawn, or (no_beard) nearly always true.
    """
    person, worn = clip.identity, clip.accessories
    haired = person.hair_length != "bald"
    return {
        "male": person.male,
        "chubby": person.face_shape == "round",
        "pale_skin": person.skin == "pale",
        "rosy_cheeks": "blush" in worn,
        "bald": not haired,
        "bangs": person.bangs,
        "black_hair": haired and person.hair_colour == "black",
        "blonde_hair": haired and person.hair_colour == "blonde",
        "gray_hair": haired and person.hair_colour == "gray",
        "brown_hair": haired and person.hair_colour == "brown",
        "straight_hair": haired and person.hair_texture == "straight",
        "wavy_hair": haired and person.hair_texture == "wavy",
        "long_hair": person.hair_length == "long",
        "bushy_eyebrows": person.bushy_eyebrows,
        "eyeglasses": "eyeglasses" in worn,
        "goatee": person.beard == "goatee",
        "mustache": person.beard == "mustache",
        "wearing_earrings": "earrings" in worn,
        "wearing_hat": "hat" in worn,
        "wearing_lipstick": "lipstick" in worn,
        "wearing_necklace": "necklace" in worn,
    }

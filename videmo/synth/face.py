"""The latent state of a drawn clip: who it is, what the face does, what was put on. It is the truth of every question.

An `Identity` is what a person keeps from clip to clip (skin, hair, features, beard, marks); a `Clip` adds what
changes (emotion with its action units, head pose, actions, accessories, background). Both are plain data: drawing
reads them, questions and captions are read off them (`labels`), ``truth/*.jsonl`` stores them.
"""

from dataclasses import asdict, dataclass, field

# What a person can look like; the first is the plain one where one is plainest.
AGES = ("young", "middle-aged", "elderly")
EYEBROWS = ("thin", "bushy", "arched")
NOSES = ("narrow", "average", "wide")
LIPS = ("thin", "full")
CHINS = ("rounded", "pointed", "double", "cleft")
HAIR_COLOURS = ("black", "brown", "blonde", "gray")
HAIR_TEXTURES = ("straight", "wavy")
HAIR_LENGTHS = ("short", "long", "bald")

# What a clip can show.
INTENSITIES = ("weak", "medium", "strong")
HEAD_ACTIONS = ("none", "nod", "shake_head", "head_wagging", "turn")
FACE_ACTIONS = ("none", "talk", "wink", "close_eyes", "look_around", "yawn", "kiss")
BODY_ACTIONS = ("none", "drink", "read", "listen_to_music", "sing", "smoke")
ACCESSORIES = (
    "eyeglasses",
    "sunglasses",
    "hat",
    "earrings",
    "necklace",
    "necktie",
    "mask",
    "lipstick",
    "makeup",
    "blush",
)
RELATIONS = ("Neutral", "Mild", "Intimate", "Tense", "Hostile")

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
        valence: 1 positive, -1 negative, 0 neither.
        always: Action units that are always there: they tell the emotion from the others.
        either: At least one of these is there.
        often: Action units with their probabilities.
        rare: Action units of which one comes along in a few clips without changing the emotion.
        eye_wide: How far the eyes widen (upper lid raiser), or the lids droop where it is negative.
        smirk: How far one corner of the mouth alone is pulled.
        gaze: Where the eyes look: right in the picture, down; in radii of the iris.
        tilt: Degrees that the head leans to a side.
    """

    weight: float
    valence: int
    always: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    often: tuple[tuple[str, float], ...] = ()
    rare: tuple[str, ...] = ()
    eye_wide: float = 0.0
    smirk: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)
    tilt: float = 0.0


# The first seven are DFEW's; with Contempt they are MEAD's, with the last four MAFW's.
EMOTIONS = {
    "Happy": Emotion(0.19, 1, ("AU12",), (), (("AU6", 0.75), ("AU25", 0.5)), ("AU7",)),
    "Sad": Emotion(0.10, -1, ("AU1", "AU15"), (), (("AU4", 0.7),), ("AU7", "AU25")),
    "Neutral": Emotion(0.15, 0, (), (), (), ("AU7", "AU25", "AU24")),
    "Angry": Emotion(0.10, -1, ("AU4",), ("AU23", "AU24"), (("AU7", 0.75),), ("AU15",)),
    "Surprise": Emotion(0.17, 0, ("AU2", "AU26"), (), (("AU1", 0.7), ("AU25", 0.8), ("AU12", 0.5)), (), 0.8),
    "Disgust": Emotion(0.10, -1, ("AU10",), (), (("AU4", 0.5), ("AU7", 0.4)), ("AU6", "AU25", "AU15")),
    "Fear": Emotion(0.10, -1, ("AU1", "AU4", "AU25"), (), (("AU2", 0.7), ("AU7", 0.6)), ("AU26",), 0.7),
    "Contempt": Emotion(0.06, -1, (), (), (("AU7", 0.4),), ("AU24",), -0.45, 1.0),
    "Anxiety": Emotion(0.025, -1, ("AU1", "AU4", "AU24"), (), (), ("AU7",), 0.2, 0.0, (0.75, 0.1)),
    "Helplessness": Emotion(0.025, -1, ("AU1", "AU15"), (), (("AU25", 0.4),), (), 0.1, 0.0, (0.0, -0.8), 13.0),
    "Disappointment": Emotion(0.025, -1, ("AU15",), (), (("AU4", 0.5), ("AU24", 0.5)), (), -0.4, 0.0, (0.0, 0.8)),
}
DFEW = tuple(EMOTIONS)[:7]
MEAD = tuple(EMOTIONS)[:8]
COMPOUNDS = (
    ("Happy", "Surprise"),
    ("Sad", "Fear"),
    ("Sad", "Angry"),
    ("Sad", "Disgust"),
    ("Angry", "Disgust"),
    ("Angry", "Surprise"),
    ("Fear", "Surprise"),
    ("Fear", "Disgust"),
    ("Disgust", "Surprise"),
)
MICRO = {  # the classes of micro-expressions, shown for about half a second on a calm face
    "Happiness": ("AU6", "AU12"),
    "Repression": ("AU15", "AU24"),
    "Disgust": ("AU4", "AU10"),
    "Surprise": ("AU1", "AU2", "AU26"),
    "Others": ("AU7", "AU23"),
}
MEETINGS = {  # what two people feel in each relation; the first speaks
    "Neutral": (("Neutral", "Neutral"), ("Surprise", "Neutral"), ("Neutral", "Surprise")),
    "Mild": (("Happy", "Neutral"), ("Neutral", "Happy"), ("Happy", "Surprise")),
    "Intimate": (("Happy", "Happy"),),
    "Tense": (("Fear", "Neutral"), ("Disgust", "Sad"), ("Sad", "Fear"), ("Neutral", "Fear"), ("Fear", "Disgust")),
    "Hostile": (("Angry", "Angry"), ("Angry", "Disgust"), ("Disgust", "Angry"), ("Angry", "Fear")),
}


@dataclass(frozen=True)
class Identity:
    """What a person keeps. Lengths are in head units: half the width of a standard head is 1."""

    name: str
    male: bool
    age: str
    skin: str
    face_shape: str
    eye_colour: str
    eye_shape: str
    eye_spacing: float
    eye_tilt: float  # outer corner raised by this much
    eye_bags: bool
    eyebrows: str
    nose: str
    nose_length: float
    mouth_width: float
    lips: str
    chin: str
    hair_colour: str
    hair_texture: str
    hair_length: str
    bangs: bool
    receding: bool
    beard: str
    sideburns: bool
    mark: str


@dataclass(frozen=True)
class Clip:
    """One clip's whole state. `name` is random and says nothing about the rest.

    Attributes:
        kind: One emotion; two at once (compound); one after the other (change); a calm face with a brief one (micro);
            two people (pair).
        emotion: What is felt, at the end where it changes; in a pair by the person on the viewer's left, who speaks.
        second: The other emotion of a compound, or the first one of a change.
        intensity: Of the emotion; medium where nothing asks for it.
        aus: Action units with their strength at the apex: about 0.55 weak, 0.85 medium, 1.2 strong.
        first_aus: Those of the first emotion of a change.
        micro: The class of a micro-expression.
        onset: First frame of a micro-expression.
        head_action, face_action, body_action: What is done meanwhile.
        accessories: What is put on.
        background: The kind of background; identity pairs differ in it.
        occluder: What stands between camera and face.
        noise: Standard deviation of the camera's noise, of 255.
        tint: How strongly feelings colour the face, 0 to 1.
        variation: Seed of everything without a label: colours, sway, blinks, size in the frame.
        relation: How the two people of a pair stand to each other.
        partner, partner_emotion, partner_aus: The person on the viewer's right of a pair.
    """

    name: str
    split: str
    kind: str
    identity: Identity
    emotion: str
    aus: dict[str, float]
    pose: str
    accessories: tuple[str, ...]
    background: str
    variation: int
    second: str | None = None
    intensity: str = "medium"
    first_aus: dict[str, float] = field(default_factory=dict)
    micro: str | None = None
    onset: int = 0
    head_action: str = "none"
    face_action: str = "none"
    body_action: str = "none"
    occluder: str = "none"
    noise: float = 0.0
    tint: float = 1.0
    relation: str | None = None
    partner: Identity | None = None
    partner_emotion: str | None = None
    partner_aus: dict[str, float] = field(default_factory=dict)

    @property
    def emotions(self) -> tuple[str, ...]:
        """What is felt in the end, two at once in a compound."""
        return (self.emotion, self.second) if self.kind == "compound" and self.second else (self.emotion,)

    @property
    def path(self) -> str:
        """The path of the clip under ``ROOT/videos``."""
        return f"DrawnFaces/{self.split}/{self.name}.mp4"

    def as_dict(self) -> dict:
        """The state as JSON-ready data."""
        return {"path": self.path, **asdict(self)}

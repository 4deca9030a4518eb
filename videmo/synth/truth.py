"""What is true of a clip, as a caption can say it: the facts of its people, and the affective tree that they make.

Captions (`videmo.synth.captions`) are written from the same facts, so that a complete caption says the whole tree and
nothing besides. What is worn, or kept from view by it, decides what is told: nobody sees the mouth behind a mask.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from videmo.affect import AffectiveTree, canonical
from videmo.synth.face import BODY_ACTIONS, EMOTIONS, FACE_ACTIONS, HEAD_ACTIONS, Clip, Identity
from videmo.synth.labels import hidden_parts

MAX_THINGS = {1: 3, 2: 1}  # marks and things worn, by the number of emotions: more would make captions too long

UNITS = {
    "AU1": canonical("brows", "inner raised"),
    "AU2": canonical("brows", "outer raised"),
    "AU4": canonical("brows", "furrowed"),
    "AU6": canonical("cheeks", "raised"),
    "AU7": canonical("eyes", "narrowed"),
    "AU10": canonical("mouth", "upper lip raised"),
    "AU12": canonical("mouth", "upturned corners"),
    "AU15": canonical("mouth", "downturned corners"),
    "AU23": canonical("mouth", "tight lips"),
    "AU24": canonical("mouth", "pressed lips"),
    "AU25": canonical("mouth", "parted lips"),
    "AU26": canonical("jaw", "dropped"),
}
WIDE, DROOPING = canonical("eyes", "widened"), canonical("eyes", "drooping")
SMIRK, TEARS = canonical("mouth", "one corner up"), canonical("eyes", "tearful")
GAZE_AWAY, GAZE_UP, GAZE_DOWN = canonical("gaze", "away"), canonical("gaze", "up"), canonical("gaze", "down")
TILTED = canonical("head", "tilted")
FELT = {
    "Happy": canonical("emotion", "happiness"),
    "Sad": canonical("emotion", "sadness"),
    "Angry": canonical("emotion", "anger"),
    "Others": canonical("emotion", "unclear"),
    **{
        name: canonical("emotion", name.lower())
        for name in (*EMOTIONS, "Happiness", "Repression")
        if name not in ("Happy", "Sad", "Angry")
    },
}
POSES_AND_ACTIONS = {
    "Left 60 degrees": canonical("head", "turned far left"),
    "Right 60 degrees": canonical("head", "turned far right"),
    "Left 30 degrees": canonical("head", "turned left"),
    "Right 30 degrees": canonical("head", "turned right"),
    "Down": canonical("head", "lowered"),
    "Up": canonical("head", "raised"),
    "turn": canonical("action", "turn head"),
    **{
        name: canonical("action", name.replace("_", " "))
        for name in (*HEAD_ACTIONS, *FACE_ACTIONS, *BODY_ACTIONS)
        if name not in ("none", "turn")
    },
}
WORN = {  # in the order of telling
    name: canonical("accessory", name)
    for name in ("eyeglasses", "sunglasses", "mask", "hat", "earrings", "necklace", "necktie", "lipstick", "makeup")
}
HIDING = (WORN["sunglasses"], WORN["mask"])  # never left untold: they explain what else is
PART_OF = {WORN["lipstick"]: "mouth", WORN["makeup"]: "eyes", TEARS: "face"}
"""The part of the face that a label is seen on, where its aspect is another."""


@dataclass(frozen=True)
class Shown:
    """An expression, and the attribute that it rests on, if a caption names one."""

    label: str
    rests_on: str | None = None


@dataclass(frozen=True)
class Felt:
    """An emotion with the expressions that show it; `intensity` is weak, medium or strong, `time` first or brief."""

    label: str
    shown: tuple[Shown, ...] = ()
    intensity: str = "medium"
    time: str | None = None


@dataclass(frozen=True)
class Told:
    """The facts of one person, all of them labels of the lexicon.

    Attributes:
        male: Whether the person is a man.
        age, hair: Attributes; hair is length, texture and colour, or bald alone. Of each of two people there is less to
            tell: no age, no texture.
        marks: Beard, freckles and the like.
        worn: What is put on; with the marks at most `MAX_THINGS`.
        felt: Emotions in the order in which a caption tells them.
        doing: Head pose, where it is not frontal, and actions.
    """

    male: bool
    age: str | None
    hair: tuple[str, ...]
    marks: tuple[str, ...]
    worn: tuple[str, ...]
    felt: tuple[Felt, ...]
    doing: tuple[str, ...]


def told(clip: Clip) -> tuple[Told, ...]:
    """The facts of a clip's people: of one, or of two from the viewer's left to the right."""
    hidden = hidden_parts(clip)
    if clip.kind == "pair":
        assert clip.partner and clip.partner_emotion
        mine = _felt(clip.emotion, _shown((clip.emotion,), clip.aus, hidden))
        theirs = _felt(clip.partner_emotion, _shown((clip.partner_emotion,), clip.partner_aus, set()))
        return _one_of_two(clip.identity, mine), _one_of_two(clip.partner, theirs)
    actions = (clip.head_action, clip.face_action, clip.body_action)
    felt = _with_attributes(_feelings(clip, hidden), clip.identity)
    worn = [label for name, label in WORN.items() if name in clip.accessories]
    things = [label for label in (*_marks(clip), *worn) if not _is_hidden(label, hidden)]
    things = sorted(things, key=lambda label: label not in HIDING)[: MAX_THINGS[len(felt)]]
    return (
        Told(
            clip.identity.male,
            canonical("age", clip.identity.age),
            _hair(clip.identity, clip.identity.hair_length, clip.identity.hair_texture, clip.identity.hair_colour),
            felt=tuple(felt),
            marks=tuple(label for label in things if label not in worn),
            worn=tuple(label for label in things if label in worn),
            doing=tuple(POSES_AND_ACTIONS[name] for name in (clip.pose, *actions) if name in POSES_AND_ACTIONS),
        ),
    )


def affective_tree(clip: Clip) -> AffectiveTree:
    """The true tree of a clip: what a complete caption says of it."""
    return AffectiveTree("video", tuple(map(_tree, told(clip))))


def _tree(person: Told) -> AffectiveTree:
    had = [*([person.age] if person.age else []), *person.hair, *person.marks, *person.worn]
    beside = AffectiveTree("expression: -", tuple(map(AffectiveTree, had)))
    emotions = [
        AffectiveTree(
            felt.label,
            (
                *([AffectiveTree(canonical("intensity", felt.intensity))] if felt.intensity != "medium" else []),
                *([AffectiveTree(canonical("time", felt.time))] if felt.time else []),
                *(AffectiveTree(s.label, (AffectiveTree(s.rests_on),) if s.rests_on else ()) for s in felt.shown),
            ),
        )
        for felt in person.felt
    ]
    loose = AffectiveTree("emotion: -", (beside, *map(AffectiveTree, person.doing)))
    return AffectiveTree(canonical("person", "man" if person.male else "woman"), (*emotions, loose))


def _hair(identity: Identity, *items: str) -> tuple[str, ...]:
    return tuple(canonical("hair", item) for item in (items if identity.hair_length != "bald" else ("bald",)))


def _one_of_two(identity: Identity, felt: Felt) -> Told:
    return Told(identity.male, None, _hair(identity, identity.hair_length, identity.hair_colour), (), (), (felt,), ())


def _feelings(clip: Clip, hidden: set[str]) -> list[Felt]:
    if clip.micro:
        seen = [UNITS[name] for name in clip.aus if not _is_hidden(UNITS[name], hidden)]
        return [Felt(FELT["Neutral"]), Felt(FELT[clip.micro], tuple(map(Shown, seen)), time="brief")]
    if clip.kind == "change":
        assert clip.second
        first = _shown((clip.second,), clip.first_aus, hidden)
        last = _shown((clip.emotion,), clip.aus, hidden)
        last[clip.emotion] = [label for label in last[clip.emotion] if label not in first[clip.second]]
        return [_felt(clip.second, first, time="first"), _felt(clip.emotion, last)]
    shown = _shown(clip.emotions, clip.aus, hidden)
    intensity = clip.intensity if clip.kind == "single" and clip.emotion != "Neutral" else "medium"
    return [_felt(name, shown, intensity=intensity) for name in clip.emotions]


def _felt(name: str, shown: dict[str, list[str]], **more: str) -> Felt:
    return Felt(FELT[name], tuple(map(Shown, shown[name])), **more)


def _shown(names: Sequence[str], units: dict[str, float], hidden: set[str]) -> dict[str, list[str]]:
    """Emotion -> the expressions in view that show it; each goes to the emotion that it tells most of, just once."""
    shown: dict[str, list[str]] = {name: [] for name in names}
    for unit in units:
        shown[max(names, key=lambda name: _tells(unit, name))].append(UNITS[unit])
    taken: set[str] = set()
    for name in names:
        shown[name] += [label for label in _besides(name) if label not in taken]
        taken |= set(shown[name])
        shown[name] = [label for label in shown[name] if not _is_hidden(label, hidden)]
    return shown


def _tells(unit: str, name: str) -> int:
    """How much an action unit tells of an emotion; the first of equals takes it."""
    emotion = EMOTIONS[name]
    return 3 * (unit in (*emotion.always, *emotion.either)) + 2 * (unit in dict(emotion.often)) + (unit in emotion.rare)


def _besides(name: str) -> list[str]:
    """What comes along with an emotion's action units: eyes, gaze, a smirk, tears, a tilted head."""
    emotion = EMOTIONS[name]
    right, down = emotion.gaze
    told = {
        WIDE: emotion.eye_wide > 0.4,
        DROOPING: emotion.eye_wide < -0.3,
        SMIRK: emotion.smirk > 0.5,
        TEARS: name == "Sad",
        GAZE_AWAY: abs(right) > 0.5,
        GAZE_UP: down < -0.5,
        GAZE_DOWN: down > 0.5,
        TILTED: abs(emotion.tilt) > 8,
    }
    return [label for label, is_told in told.items() if is_told]


def _is_hidden(label: str, hidden: set[str]) -> bool:
    aspect = label.partition(":")[0]
    part = PART_OF.get(label, {"gaze": "eyes", "beard": "jaw", "mark": "cheeks"}.get(aspect, aspect))
    return part in hidden


def _with_attributes(felt: Sequence[Felt], identity: Identity) -> list[Felt]:
    """The same feelings, where the first expression of the brows names the brows' kind, and of the mouth the lips'."""
    rests = {"brows": canonical("eyebrows", identity.eyebrows), "mouth": canonical("lips", identity.lips)}

    def rested(shown: Shown) -> Shown:
        aspect = "" if shown.label == SMIRK else shown.label.partition(":")[0]
        return Shown(shown.label, rests.pop(aspect, None))

    return [replace(one, shown=tuple(map(rested, one.shown))) for one in felt]


def _marks(clip: Clip) -> list[str]:
    """Beard, mark of the skin and rosy cheeks."""
    identity = clip.identity
    beard = [canonical("beard", identity.beard)] if identity.beard != "none" else []
    mark = [canonical("mark", identity.mark.partition("_")[0])] if identity.mark != "none" else []
    return [*beard, *mark, *([canonical("cheeks", "rosy")] if "blush" in clip.accessories else [])]

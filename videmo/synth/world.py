"""Samples a world: identities, their clips, the splits and the identity pairs, all from one seed.

Splits are by identity: about 88% of the clips train, 4% validate, 8% test. The state of a clip does not depend on how
many processes draw the world.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from videmo.errors import InputError
from videmo.synth.face import (
    ACCESSORIES,
    CHINS,
    COMPOUNDS,
    DFEW,
    EMOTIONS,
    EYEBROWS,
    HAIR_TEXTURES,
    INTENSITIES,
    LIPS,
    MEETINGS,
    MICRO,
    NOSES,
    POSES,
    RELATIONS,
    Clip,
    Identity,
)
from videmo.synth.scene import BACKGROUNDS

MIN_VIDEOS = 60
CLIPS_AN_IDENTITY = 2
SPLITS = ("train", "val", "test")
PAIRS_A_CLIP = {"train": 0.2, "val": 1.0, "test": 1.0}  # a pair shows two more videos: fewer where it costs time
KIND_SHARES = {  # the rarer kinds are more frequent where they are measured
    "train": {"single": 0.58, "compound": 0.11, "change": 0.08, "micro": 0.11, "pair": 0.12},
    "test": {"single": 0.45, "compound": 0.14, "change": 0.11, "micro": 0.15, "pair": 0.15},
}
STRENGTHS = {"weak": 0.55, "medium": 0.85, "strong": 1.2}


@dataclass(frozen=True)
class Look:
    """How plain a world is to see.

    Attributes:
        gain: Factor on every action unit.
        tint: How strongly feelings colour the face.
        noise: Largest standard deviation of the camera's noise, of 255.
        occluders: Weights of what stands before the face.
    """

    gain: float = 1.0
    tint: float = 1.0
    noise: float = 0.0
    occluders: Mapping[str, float] = field(default_factory=lambda: {"none": 1.0})


CLEAR = Look()
HARD = Look(0.75, 0.25, 14.0, {"none": 0.55, "hand": 0.15, "leaf": 0.15, "bar": 0.15})


@dataclass(frozen=True)
class Pair:
    """Two clips to compare: of one person (with another background, pose and emotion) or of two."""

    first: Clip
    second: Clip

    @property
    def same(self) -> bool:
        return self.first.identity.name == self.second.identity.name

    @property
    def differs(self) -> bool:
        """Whether background, pose and emotion all differ, so that none of them tells the answer."""
        one, two = self.first, self.second
        return one.background != two.background and one.pose != two.pose and one.emotion != two.emotion


@dataclass(frozen=True)
class World:
    """The clips and identity pairs of every split, in an order that tells nothing."""

    clips: dict[str, list[Clip]]
    pairs: dict[str, list[Pair]]


def split_sizes(num_videos: int) -> dict[str, int]:
    """Clips a split: 88 / 4 / 8%, and never fewer than two identities with two clips each.

    Example:
        >>> split_sizes(3000)
        {'train': 2640, 'val': 120, 'test': 240}

    Raises:
        InputError: If there are too few videos.
    """
    if num_videos < MIN_VIDEOS:
        raise InputError(
            f"{num_videos} videos are too few for three splits that share no identity; ask for at least {MIN_VIDEOS}"
        )
    val, test = max(8, round(0.04 * num_videos)), max(10, round(0.08 * num_videos))
    return {"train": num_videos - val - test, "val": val, "test": test}


def sample_world(num_videos: int, seed: int, look: Look = CLEAR) -> World:
    """The whole latent state of a world.

    Raises:
        InputError: If there are too few videos.
    """
    sizes = split_sizes(num_videos)
    rng = np.random.default_rng([seed, 0])
    names = [f"{number:08x}" for number in rng.choice(2**32, size=3 * num_videos, replace=False)]
    clips, pairs = {}, {}
    for split in SPLITS:
        clips[split] = _sample_clips(split, sizes[split], names, look, rng)
        pairs[split] = _sample_pairs(
            [clip for clip in clips[split] if clip.kind != "pair"],
            round(PAIRS_A_CLIP[split] * sizes[split]),
            np.random.default_rng([seed, 1, len(pairs)]),
        )
    return World(clips, pairs)


def _sample_clips(split: str, count: int, names: list[str], look: Look, rng: np.random.Generator) -> list[Clip]:
    identities = max(2, round(count / CLIPS_AN_IDENTITY))
    owners = np.sort(np.arange(count) % identities)
    kinds = _deck(rng, count, KIND_SHARES["train" if split == "train" else "test"])
    of_kind = Counter(kinds)
    decks = {
        "kind": kinds,
        "emotion": _deck(
            rng,
            of_kind["single"] + of_kind["change"],
            {name: emotion.weight for name, emotion in EMOTIONS.items()},
        ),
        "intensity": _deck(rng, of_kind["single"], dict.fromkeys(INTENSITIES, 1.0)),
        "relation": _deck(rng, of_kind["pair"], dict.fromkeys(RELATIONS, 1.0)),
        "micro": _deck(rng, of_kind["micro"], dict.fromkeys(MICRO, 1.0)),
        "compound": _deck(rng, of_kind["compound"], {"+".join(both): 1.0 for both in COMPOUNDS}),
        "pose": _deck(rng, count, dict.fromkeys(POSES, 1.0)),
        "background": _deck(rng, count, dict.fromkeys(BACKGROUNDS, 1.0)),
    }
    clips = []
    for owner in range(identities):
        person = sample_identity(f"person_{names.pop()}", rng)
        drawn: list[Clip] = []
        for _ in range(int(np.sum(owners == owner))):
            drawn.append(_sample_clip(split, person, drawn, decks, names, look, rng))
        clips += drawn
    return [clips[place] for place in rng.permutation(count)]


def _sample_clip(
    split: str,
    person: Identity,
    earlier: list[Clip],
    decks: dict[str, list[str]],
    names: list[str],
    look: Look,
    rng: np.random.Generator,
) -> Clip:
    """One more clip of a person, who has not yet felt this emotion in this pose before this background, if possible."""
    kind = decks["kind"].pop()
    pose = _deal(decks["pose"], [clip.pose for clip in earlier])
    base = {
        "name": f"clip_{names.pop()}",
        "split": split,
        "kind": kind,
        "identity": person,
        "pose": pose if kind != "pair" else "Front",
        "accessories": _sample_accessories(person, rng),
        "background": _deal(decks["background"], [clip.background for clip in earlier]),
        "occluder": _choose(rng, look.occluders),
        "noise": float(rng.uniform(0.5, 1.0) * look.noise),
        "tint": look.tint,
        "variation": int(rng.integers(2**31)),
    }
    if kind == "pair":
        relation = decks["relation"].pop()
        mine, theirs = MEETINGS[relation][int(rng.integers(len(MEETINGS[relation])))]
        return Clip(
            **base,
            emotion=mine,
            aus=sample_action_units((mine,), look.gain, rng),
            relation=relation,
            partner=sample_identity(f"person_{names.pop()}", rng),
            partner_emotion=theirs,
            partner_aus=sample_action_units((theirs,), look.gain, rng),
        )
    if kind == "micro":
        label = decks["micro"].pop()
        aus = {name: float(look.gain * rng.uniform(0.9, 1.1)) for name in MICRO[label]}
        return Clip(**base, emotion="Neutral", aus=aus, micro=label, onset=int(rng.integers(1, 11)))
    if kind == "compound":
        emotion, second = decks["compound"].pop().split("+")
    else:
        emotion, second = _deal(decks["emotion"], [clip.emotion for clip in earlier]), None
    intensity, gain, first_aus = "medium", 1.05, {}
    if kind == "single":
        intensity = decks["intensity"].pop()
        gain = STRENGTHS[intensity]
    elif kind == "change":
        second = str(rng.choice([name for name in DFEW if name != emotion]))
        if emotion not in DFEW:
            emotion = str(rng.choice([name for name in DFEW if name != second]))
        first_aus = sample_action_units((second,), gain * look.gain, rng)
    felt = (emotion, str(second)) if kind == "compound" else (emotion,)
    return Clip(
        **base,
        emotion=emotion,
        second=second,
        intensity=intensity,
        aus=sample_action_units(felt, gain * look.gain, rng),
        first_aus=first_aus,
        **_sample_actions(kind, emotion, pose, base["accessories"], rng),
    )


def _sample_actions(kind: str, emotion: str, pose: str, worn: tuple[str, ...], rng: np.random.Generator) -> dict:
    """What is done besides feeling: at most one of head, face and body each, where it does not hide the emotion."""
    if kind != "single":
        return {}
    head = _choose(rng, {"none": 2.4, "nod": 1, "shake_head": 1, "head_wagging": 1, "turn": 0.6})
    if head == "turn" and pose != "Front":
        head = "none"
    body = _choose(rng, {"none": 3, "drink": 1, "read": 1, "listen_to_music": 1, "sing": 1, "smoke": 1})
    face = "none"
    if emotion == "Neutral":
        face = _choose(rng, {"none": 1, "talk": 1, "wink": 1, "close_eyes": 1, "look_around": 1, "yawn": 1, "kiss": 1})
    if "mask" in worn:
        face = face if face in ("wink", "close_eyes", "look_around") else "none"
        body = "none" if body in ("drink", "smoke", "sing") else body
    if "sunglasses" in worn and face in ("wink", "close_eyes", "look_around"):
        face = "none"
    if face in ("talk", "yawn", "kiss") and body in ("drink", "smoke", "sing"):
        body = "none"
    return {"head_action": head, "face_action": face, "body_action": body}


def _deck(rng: np.random.Generator, count: int, weights: dict[str, float]) -> list[str]:
    """Shuffled values whose shares follow the weights as nearly as whole numbers can."""
    values, shares = list(weights), np.array(list(weights.values())) / sum(weights.values())
    counts = np.floor(shares * count).astype(int)
    rest = rng.choice(len(values), size=count - counts.sum(), replace=False, p=shares)
    counts[rest] += 1
    return list(rng.permutation(np.repeat(values, counts)).tolist())


def _deal(deck: list[str], taken: list[str]) -> str:
    """The next card that the person does not hold yet, or just the next one where all that is left is held."""
    for place in range(len(deck) - 1, -1, -1):
        if deck[place] not in taken:
            return deck.pop(place)
    return deck.pop()


def sample_identity(name: str, rng: np.random.Generator) -> Identity:
    """A person; the shares are such that no appearance label is nearly certain."""
    male = bool(rng.random() < 0.5)
    age = _choose(rng, {"young": 1.2, "middle-aged": 1, "elderly": 1})
    length = _choose(rng, {"short": 6, "long": 2, "bald": 3} if male else {"short": 4, "long": 5, "bald": 0.6})
    colours = {"black": 1, "brown": 1, "blonde": 1, "gray": 3.0 if age == "elderly" else 0.5}
    bangs = length != "bald" and rng.random() < 0.33
    return Identity(
        name=name,
        male=male,
        age=age,
        skin=_choose(rng, {"pale": 0.25, "fair": 0.18, "tan": 0.17, "olive": 0.14, "brown": 0.14, "dark": 0.12}),
        face_shape=_choose(
            rng, {"oval": 2, "round": 1.6, "square": 2} if male else {"oval": 2, "round": 1.6, "square": 1.2}
        ),
        eye_colour=_choose(rng, {"brown": 3, "black": 2, "blue": 2.5, "green": 2.5}),
        eye_shape=_choose(rng, {"narrow": 1, "average": 1, "large": 1}),
        eye_spacing=float(rng.uniform(0.38, 0.46)),
        eye_tilt=float(rng.uniform(-0.025, 0.04)),
        eye_bags=bool(rng.random() < (0.5 if age == "elderly" else 0.2)),
        eyebrows=_choose(rng, dict.fromkeys(EYEBROWS, 1.0)),
        nose=_choose(rng, dict.fromkeys(NOSES, 1.0)),
        nose_length=float(rng.uniform(0.29, 0.39)),
        mouth_width=float(rng.uniform(0.92, 1.12)),
        lips=_choose(rng, dict.fromkeys(LIPS, 1.0)),
        chin=_choose(rng, dict.fromkeys(CHINS, 1.0)),
        hair_colour=_choose(rng, colours),
        hair_texture=_choose(rng, dict.fromkeys(HAIR_TEXTURES, 1.0)),
        hair_length=length,
        bangs=bool(bangs),
        receding=bool(male and length == "short" and not bangs and rng.random() < 0.35),
        beard=_choose(rng, {"none": 4, "goatee": 2.4, "mustache": 2.4, "stubble": 2}) if male else "none",
        sideburns=bool(male and length == "short" and rng.random() < 0.3),
        mark=_choose(rng, {"none": 3, "freckles": 3, "mole_left": 1.5, "mole_right": 1.5, "scar": 2.5}),
    )


def sample_action_units(emotions: Sequence[str], gain: float, rng: np.random.Generator) -> dict[str, float]:
    """Action units that show one emotion or several at once, in numerical order, with their strength at the apex."""
    active: set[str] = set()
    for name in emotions:
        emotion = EMOTIONS[name]
        active |= set(emotion.always)
        if emotion.either:
            active.add(str(rng.choice(emotion.either)))
            active |= {unit for unit in emotion.either if rng.random() < 0.25}
        active |= {unit for unit, probability in emotion.often if rng.random() < probability}
    if len(emotions) == 1 and EMOTIONS[emotions[0]].rare and rng.random() < 0.15:
        active.add(str(rng.choice(EMOTIONS[emotions[0]].rare)))
    return {name: float(gain * rng.uniform(0.95, 1.05)) for name in sorted(active, key=lambda name: int(name[2:]))}


def _choose(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    shares = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=shares / shares.sum()))


def _sample_accessories(person: Identity, rng: np.random.Generator) -> tuple[str, ...]:
    eyes = _choose(rng, {"none": 0.66, "eyeglasses": 0.24, "sunglasses": 0.1})
    chances = {
        "hat": 0.2,
        "earrings": 0.12 if person.male else 0.4,
        "necklace": 0.12 if person.male else 0.34,
        "necktie": 0.3 if person.male else 0.06,
        "mask": 0.06,
        "lipstick": 0.0 if person.male else 0.45,
        "makeup": 0.0 if person.male else 0.3,
        "blush": 0.2,
    }
    worn = {name for name, chance in chances.items() if rng.random() < chance}
    if eyes != "none":
        worn.add(eyes)
    return tuple(name for name in ACCESSORIES if name in worn)


def _sample_pairs(clips: list[Clip], num_pairs: int, rng: np.random.Generator) -> list[Pair]:
    """About `num_pairs` pairs: half of them of one person, half of two (of one gender every other time)."""
    owned: dict[str, list[Clip]] = {}
    for clip in clips:
        owned.setdefault(clip.identity.name, []).append(clip)
    own_pairs = [Pair(*two) for own in owned.values() for two in combinations(own, 2)]
    same = [pair for pair in own_pairs if pair.differs]
    same = [same[place] for place in rng.permutation(len(same))[: num_pairs // 2]]

    men = [own[0].identity.male for own in owned.values()]
    alike = len(same) // 2 if 0 < sum(men) < len(men) else len(same)
    if len(men) == 2 and men[0] != men[1]:
        alike = 0
    missing = {True: alike, False: len(same) - alike}  # by whether the genders agree
    others, seen = [], set()
    for _ in range(200 * len(clips)):  # a tiny split may hold fewer pairs
        one, two = sorted(rng.choice(len(clips), size=2, replace=False).tolist())
        pair = Pair(clips[one], clips[two])
        like = pair.first.identity.male == pair.second.identity.male
        if missing[like] and not pair.same and pair.differs and (one, two) not in seen:
            seen.add((one, two))
            others.append(pair)
            missing[like] -= 1
        if not any(missing.values()):
            break
    chosen = [Pair(pair.second, pair.first) if rng.random() < 0.5 else pair for pair in same + others]
    return [chosen[place] for place in rng.permutation(len(chosen))]

"""Samples a world: identities, their clips, the splits and the identity pairs, all from one seed.

Splits are by identity: about 86% of the clips train, 4% validate, 10% test. Every clip has its own stream of random
numbers, so a clip does not depend on how many processes draw the world.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from videmo.errors import InputError
from videmo.synth.face import EMOTIONS, HAIR_COLOURS, POSES, Clip, Emotion, Identity
from videmo.synth.scene import BACKGROUNDS

MIN_VIDEOS = 40
CLIPS_AN_IDENTITY = 4
SPLITS = ("train", "val", "test")
PAIRS_A_CLIP = {
    "train": 0.2,
    "val": 1.0,
    "test": 1.0,
}  # a pair shows two more videos: fewer where it costs training time


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
    """Clips a split: 86 / 4 / 10%, and never fewer than two identities with two clips each.

    Example:
        >>> split_sizes(1500)
        {'train': 1290, 'val': 60, 'test': 150}

    Raises:
        InputError: If there are too few videos.
    """
    if num_videos < MIN_VIDEOS:
        raise InputError(
            f"{num_videos} videos are too few for three splits that share no identity; ask for at least {MIN_VIDEOS}"
        )
    val, test = max(4, round(0.04 * num_videos)), max(6, round(0.1 * num_videos))
    return {"train": num_videos - val - test, "val": val, "test": test}


def sample_world(num_videos: int, seed: int) -> World:
    """The whole latent state of a world.

    Raises:
        InputError: If there are too few videos.
    """
    sizes = split_sizes(num_videos)
    rng = np.random.default_rng([seed, 0])
    names = [f"{number:08x}" for number in rng.choice(2**32, size=2 * num_videos, replace=False)]
    clips, pairs = {}, {}
    for split in SPLITS:
        clips[split] = _sample_clips(split, sizes[split], names, rng)
        pairs[split] = _sample_pairs(
            clips[split], round(PAIRS_A_CLIP[split] * sizes[split]), np.random.default_rng([seed, 1, len(pairs)])
        )
    return World(clips, pairs)


def _sample_clips(split: str, count: int, names: list[str], rng: np.random.Generator) -> list[Clip]:
    identities = max(2, round(count / CLIPS_AN_IDENTITY))
    owners = np.sort(np.arange(count) % identities)
    emotions = _deck(rng, count, {name: emotion.weight for name, emotion in EMOTIONS.items()})
    poses = _deck(rng, count, dict.fromkeys(POSES, 1.0))
    backgrounds = _deck(rng, count, dict.fromkeys(BACKGROUNDS, 1.0))
    clips = []
    for owner in range(identities):
        person = sample_identity(f"person_{names.pop()}", rng)
        drawn: list[Clip] = []
        for _ in range(int(np.sum(owners == owner))):
            emotion = _deal(emotions, [clip.emotion for clip in drawn])
            drawn.append(
                Clip(
                    name=f"clip_{names.pop()}",
                    split=split,
                    identity=person,
                    emotion=emotion,
                    aus=sample_action_units(EMOTIONS[emotion], rng),
                    pose=_deal(poses, [clip.pose for clip in drawn]),
                    accessories=_sample_accessories(person, rng),
                    background=_deal(backgrounds, [clip.background for clip in drawn]),
                    variation=int(rng.integers(2**31)),
                )
            )
        clips += drawn
    return [clips[place] for place in rng.permutation(count)]


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
    """A person; hair, skin and beard are drawn so that no appearance label is nearly certain."""
    male = bool(rng.random() < 0.5)

    def choose(values: dict[str, float]) -> str:
        shares = np.array(list(values.values()))
        return str(rng.choice(list(values), p=shares / shares.sum()))

    length = choose({"short": 6, "long": 2, "bald": 3} if male else {"short": 4, "long": 5, "bald": 0.6})
    skin = choose({"pale": 0.25, "fair": 0.18, "tan": 0.17, "olive": 0.14, "brown": 0.14, "dark": 0.12})
    return Identity(
        name=name,
        male=male,
        skin=skin,
        face_shape=choose({"oval": 2, "round": 1.6, "square": 2} if male else {"oval": 3, "round": 1.4, "square": 0.6}),
        eye_colour=choose({"brown": 3, "black": 2, "blue": 2, "green": 2}),
        eye_size=float(rng.uniform(0.9, 1.12)),
        eye_spacing=float(rng.uniform(0.38, 0.46)),
        eye_tilt=float(rng.uniform(-0.025, 0.04)),
        nose_width=float(rng.uniform(0.13, 0.22)),
        nose_length=float(rng.uniform(0.29, 0.39)),
        bushy_eyebrows=bool(rng.random() < 0.27),
        brow_arch=float(rng.uniform(0.03, 0.11)),
        mouth_width=float(rng.uniform(0.92, 1.12)),
        lip_fullness=float(rng.uniform(0.85, 1.3)),
        hair_colour=str(rng.choice(HAIR_COLOURS)),
        hair_texture=str(rng.choice(["straight", "wavy"])),
        hair_length=length,
        bangs=bool(length != "bald" and rng.random() < 0.33),
        beard=choose({"none": 4, "goatee": 3, "mustache": 3}) if male else "none",
        mark=choose({"none": 4, "freckles": 3, "mole_left": 2, "mole_right": 2}),
    )


def sample_action_units(emotion: Emotion, rng: np.random.Generator) -> dict[str, float]:
    """Action units that show an emotion, in numerical order, with their strength at the apex."""
    active = set(emotion.always)
    if emotion.either:
        active.add(str(rng.choice(emotion.either)))
        active |= {name for name in emotion.either if rng.random() < 0.25}
    active |= {name for name, probability in emotion.often if rng.random() < probability}
    if emotion.rare and rng.random() < 0.15:
        active.add(str(rng.choice(emotion.rare)))
    return {name: float(rng.uniform(1.0, 1.25)) for name in sorted(active, key=lambda name: int(name[2:]))}


def _sample_accessories(person: Identity, rng: np.random.Generator) -> tuple[str, ...]:
    chances = {
        "eyeglasses": 0.28,
        "hat": 0.22,
        "earrings": 0.12 if person.male else 0.42,
        "necklace": 0.15 if person.male else 0.36,
        "lipstick": 0.0 if person.male else 0.5,
        "blush": 0.25,
    }
    return tuple(name for name, chance in chances.items() if rng.random() < chance)


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

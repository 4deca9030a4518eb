"""Questions and answers about the drawn clips: latent state -> records in the release's format.

Questions are short (every token costs training time) and come in a few wordings; option letters are shuffled in every
record; answers follow from the state alone. `FILES` says in which file of the release's layout each task stands.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from videmo.synth.face import Clip, Identity, appearance, sentiment
from videmo.synth.world import Pair, sample_identity
from videmo.tasks import label_set


@dataclass(frozen=True)
class File:
    """Where a task's records stand: folder and stem, the stem of the test file where it differs, and their `source`."""

    folder: str
    stem: str
    test_stem: str | None = None

    def path(self, split: str) -> str:
        """The file's path under ``ROOT/jsons``."""
        stem = self.test_stem if split == "test" and self.test_stem else self.stem
        return f"{split}/{self.folder}/full/{stem}.json"


FILES = {
    "emotion": File("emotion", "DFEW_Single-Label-Emotion-Recognition"),
    "head_pose": File("attribute", "MEAD_Head-Pose"),
    "identity": File("attribute", "MEAD_ID"),
    "appearance": File("attribute", "CelebV-HQ_Appearance-Recognition"),
    "action_units": File("emotion", "AffWild2_Action_Unit_Detection"),
    "sentiment": File("emotion", "MOSEI_Single-Label-Sentiment-Recognition"),
    "hair": File("qa", "QA_Hair", "QA_test_sampling_all_Hair"),
    "caption": File("caption", "caption_test_sampling_v2_all_example"),
}

WORDINGS = {
    "emotion": (
        "What emotion does the person show?",
        "Which emotion is this?",
        "How does the person feel?",
        "Choose the emotion on the face.",
    ),
    "head_pose": ("What is the head pose?", "Which way does the head turn?", "Choose the head pose."),
    "sentiment": ("What is the sentiment?", "Which sentiment does the face show?", "Choose the sentiment."),
    "hair_choice": ("What hair does the person have?", "Which hair is this?", "Choose the person's hair."),
    "hair_open": ("Describe the person's hair.", "What does the hair look like?", "Say what hair the person has."),
    "appearance": (
        "List every appearance attribute.",
        "Which appearance attributes are visible?",
        "Name all appearance attributes.",
    ),
    "action_units": (
        "List every active action unit.",
        "Which action units are active?",
        "Name all action units shown.",
    ),
    "identity": (
        "Are these the same person?",
        "Is it the same person in both videos?",
        "Do both videos show one person?",
    ),
    "caption": (
        "Describe the person, the expression and the head pose.",
        "Describe this face in detail.",
        "Write a caption of person, face and head.",
    ),
}

ACTIONS = {
    "AU1": "inner brows raised",
    "AU2": "outer brows raised",
    "AU4": "brows lowered",
    "AU6": "cheeks raised",
    "AU7": "lids tight",
    "AU10": "upper lip raised",
    "AU12": "lip corners up",
    "AU15": "lip corners down",
    "AU23": "lips tight",
    "AU24": "lips pressed",
    "AU25": "lips parted",
    "AU26": "jaw dropped",
}
FEELINGS = {
    "Happy": "happy",
    "Sad": "sad",
    "Neutral": "neutral",
    "Angry": "angry",
    "Surprise": "surprised",
    "Disgust": "disgusted",
    "Fear": "afraid",
}
POSE_WORDS = {
    "Front": "faces the front",
    "Right 60 degrees": "turns right by 60 degrees",
    "Left 60 degrees": "turns left by 60 degrees",
    "Left 30 degrees": "turns left by 30 degrees",
    "Right 30 degrees": "turns right by 30 degrees",
    "Down": "tilts down",
    "Up": "tilts up",
}
WORN = {
    "eyeglasses": "glasses",
    "hat": "a hat",
    "earrings": "earrings",
    "necklace": "a necklace",
    "lipstick": "lipstick",
}
BALD_OFFERED = 0.57  # 3 p / (1 - p) for the share p of bald heads: where it is offered, it is right one time in four
TRAIN_SHARE = {"caption": 0.1, "appearance": 0.55, "action_units": 0.7, "sentiment": 0.25, "hair": 0.5}
"""Share of the training clips asked a task (else all). Every answer token weighs the same in the loss: with all
tasks asked of all clips, the two telling tokens of a head pose were not learned beside the long answers."""
QUESTION_FIRST = 0.05  # share of the records that put the question before the video


def clip_records(clips: Sequence[Clip], seed: Sequence[int], shares: Mapping[str, float]) -> dict[str, list[dict]]:
    """All records about single clips, by task; a clip is asked a task once or not at all.

    Args:
        clips: Of one split.
        seed: Key of the random numbers: letters, wordings and the records' order depend on nothing else.
        shares: Task -> share of the clips that are asked it; all of them where it is not named.
    """
    records = {}
    for number, (task, write) in enumerate(_CLIP_TASKS.items()):
        rng = np.random.default_rng([*seed, number])
        asked = [clip for clip in clips if rng.random() < shares.get(task, 1.0)]
        written = [record for clip in asked for record in write(clip, rng)]
        records[task] = [written[place] for place in rng.permutation(len(written))]
    return records


def pair_records(pairs: Sequence[Pair], seed: Sequence[int]) -> list[dict]:
    """The identity records of one split."""
    rng = np.random.default_rng([*seed, len(_CLIP_TASKS)])
    return [
        _record("identity", _ask("identity", rng), "Yes" if pair.same else "No", [pair.first, pair.second], rng)
        for pair in pairs
    ]


def hair_words(person: Identity) -> str:
    """Length, texture and colour of the hair in words: `short wavy black hair`, or `bald`."""
    if person.hair_length == "bald":
        return "bald"
    return f"{person.hair_length} {person.hair_texture} {person.hair_colour} hair"


def caption(clip: Clip) -> str:
    """Two or three sentences in a fixed order: person, hair and what is worn; face and emotion; head pose."""
    person = clip.identity
    noun, pronoun, owner = ("man", "He", "His") if person.male else ("woman", "She", "Her")
    bald = person.hair_length == "bald"
    looks = f"A bald {noun}" if bald else f"A {noun} with {hair_words(person)}"
    if person.bangs:
        looks += " and bangs"
    worn = [WORN[name] for name in clip.accessories if name in WORN]
    if worn:
        looks += f" wears {_listed(worn)}"
    actions = [ACTIONS[name] for name in clip.aus]
    face = f"{pronoun} looks {FEELINGS[clip.emotion]}"
    if actions:
        face += f" with {_listed(actions)}"
    return f"{looks}. {face}. {owner} head {POSE_WORDS[clip.pose]}."


def _emotion(clip: Clip, rng: np.random.Generator) -> Iterator[dict]:
    yield _choice("emotion", _ask("emotion", rng), label_set("dfew7"), clip.emotion, clip, rng)


def _head_pose(clip: Clip, rng: np.random.Generator) -> Iterator[dict]:
    yield _choice("head_pose", _ask("head_pose", rng), label_set("head_pose7"), clip.pose, clip, rng)


def _sentiment(clip: Clip, rng: np.random.Generator) -> Iterator[dict]:
    yield _choice("sentiment", _ask("sentiment", rng), label_set("sentiment3"), sentiment(clip), clip, rng)


def _appearance(clip: Clip, rng: np.random.Generator) -> Iterator[dict]:
    labels = [label for label, shown in appearance(clip).items() if shown]
    yield _record("appearance", _ask("appearance", rng), ", ".join(labels) or "none", [clip], rng)


def _action_units(clip: Clip, rng: np.random.Generator) -> Iterator[dict]:
    yield _record("action_units", _ask("action_units", rng), ", ".join(clip.aus) or "none", [clip], rng)


def _hair(clip: Clip, rng: np.random.Generator) -> Iterator[dict]:
    """A choice for every other clip, an open question for the rest."""
    if rng.random() < 0.5:
        verb = "is" if clip.identity.hair_length == "bald" else "has"
        answer = f"{'He' if clip.identity.male else 'She'} {verb} {hair_words(clip.identity)}."
        yield _record("hair", _ask("hair_open", rng), answer, [clip], rng)
        return
    truth = _capital(hair_words(clip.identity))
    # Wrong options are as common as right ones, so that the options alone tell nothing.
    options = {truth: None}
    if truth != "Bald" and rng.random() < BALD_OFFERED:
        options["Bald"] = None
    while len(options) < 4:
        options[_capital(hair_words(sample_identity("anyone", rng)))] = None
    yield _choice("hair", _ask("hair_choice", rng), list(options), truth, clip, rng)


def _caption(clip: Clip, rng: np.random.Generator) -> Iterator[dict]:
    yield _record("caption", _ask("caption", rng), caption(clip), [clip], rng)


_CLIP_TASKS: dict[str, Callable[[Clip, np.random.Generator], Iterator[dict]]] = {
    "emotion": _emotion,
    "head_pose": _head_pose,
    "sentiment": _sentiment,
    "appearance": _appearance,
    "action_units": _action_units,
    "hair": _hair,
    "caption": _caption,
}


def _ask(wording: str, rng: np.random.Generator) -> str:
    return str(rng.choice(WORDINGS[wording]))


def _choice(task: str, question: str, options: Sequence[str], truth: str, clip: Clip, rng: np.random.Generator) -> dict:
    """A single-choice record: one option a line under shuffled letters; the answer is the option's text."""
    shuffled = [options[place] for place in rng.permutation(len(options))]
    lines = [f"{chr(ord('A') + place)}. {option}" for place, option in enumerate(shuffled)]
    return _record(task, "\n".join([question, *lines]), truth, [clip], rng)


def _record(task: str, question: str, answer: str, clips: Sequence[Clip], rng: np.random.Generator) -> dict:
    videos = "<video>" * len(clips)
    content = f"{question}\n{videos}" if rng.random() < QUESTION_FIRST else f"{videos}{question}"
    return {
        "messages": [{"role": "user", "content": content}, {"role": "assistant", "content": answer}],
        "videos": [clip.path for clip in clips],
        "source": FILES[task].stem,
    }


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`.

    Example:
        >>> _listed(["glasses", "a hat", "earrings"])
        'glasses, a hat and earrings'
    """
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]

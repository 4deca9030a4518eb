"""Captions of the drawn world in a few words: appearance, action, emotion, all of it, and the reasons for an emotion.

They say what `videmo.synth.truth` holds, in the wording of `videmo.synth.phrases`. The sentences around the facts come
from `TEMPLATES`: some for training and validation, others held out for the test, so that a test asks for the facts and
not for a learned sentence. The facts' vocabulary and order are the same in both.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from videmo.errors import InputError
from videmo.synth import phrases
from videmo.synth.face import Clip
from videmo.synth.truth import Felt, Told, told

MAX_APPEARANCE, MAX_ACTION = 18, 12  # words of a caption
MAX_REASONS = 5  # expressions that a rationale names of one person; three of each of two people

# Kind -> (templates of training and validation, templates of the test). A part in brackets is left out where a name in
# it stands for nothing. Names: `phrases.pronouns`, and
#   who, Who  "a young woman"; having "long wavy black hair and freckles"; worn "glasses and a hat"
#   felt, then  emotions in order; reasons, more  the expressions that show them; pose, acts  what the head and all do
TEMPLATES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "looks": (
        ("{Who}[ with {having}][, wearing {worn}].", "We see {who}[ with {having}][, wearing {worn}]."),
        ("Seen: {who}[, having {having}][; wears {worn}].",),
    ),
    "looks_pair": (
        ("The {noun} on the left {has}, the {noun2} on the right {has2}.",),
        ("Seen: a left {noun} who {has} and a right {noun2} who {has2}.",),
    ),
    "acts": (
        ("{She} {acts}[, {her} head {pose}].", "The {noun} {acts}[, {her} head {pose}]."),
        ("Now {she} {acts}[ with {her} head {pose}].",),
    ),
    "acts_pair": (
        ("The {noun} on the left talks, the {noun2} on the right listens.",),
        ("Now the left {noun} talks and the right {noun2} listens.",),
    ),
    "feels": (
        ("{She} looks {felt} the whole time.", "The {noun} looks {felt}."),
        ("It seems the {noun} is {felt}.",),
    ),
    "feels_compound": (
        ("{She} looks {felt} and {then}.", "The {noun} looks {felt} and {then}."),
        ("It seems the {noun} is both {felt} and {then}.",),
    ),
    "feels_change": (
        ("At first {she} looks {felt}, then {she} turns {then}.", "At first the {noun} looks {felt}, then {then}."),
        ("It seems the {noun} goes from {felt} to {then}.",),
    ),
    "feels_micro": (
        ("{She} looks {felt}, but briefly {then}.", "The {noun} looks {felt}, but briefly {then}."),
        ("It seems the {noun} is {felt}, for a moment {then}.",),
    ),
    "feels_pair": (
        ("The {noun} on the left looks {felt}, the {noun2} on the right {then}.",),
        ("It seems the left {noun} is {felt} and the right {noun2} {then}.",),
    ),
    "shows": (
        ("{She} looks {felt}[ because of {reasons}].", "{She} looks {felt}[ with {reasons}]."),
        ("{She} seems {felt}[, shown by {reasons}].",),
    ),
    "shows_compound": (
        (
            "{She} looks {felt}[ because of {reasons}], and {then}[ because of {more}].",
            "{She} looks {felt}[ with {reasons}], and {then}[ with {more}].",
        ),
        ("{She} seems {felt}[, shown by {reasons}], and {then}[, shown by {more}].",),
    ),
    "shows_change": (
        (
            "At first {she} looks {felt}[ because of {reasons}], then {then}[ because of {more}].",
            "At first {she} looks {felt}[ with {reasons}], then {then}[ with {more}].",
        ),
        ("Initially {she} seems {felt}[, shown by {reasons}]; later {then}[, shown by {more}].",),
    ),
    "shows_micro": (
        (
            "{She} looks {felt}, but briefly {then}[ because of {more}].",
            "{She} looks {felt}, but briefly {then}[ with {more}].",
        ),
        ("{She} seems {felt}; for a moment {then}[, shown by {more}].",),
    ),
    "shows_pair": (
        (
            "On the {side}, {who}[ with {having}] looks {felt}[ because of {reasons}].",
            "On the {side}, {who}[ with {having}] looks {felt}[ with {reasons}].",
        ),
        ("{Who} on the {side}[, having {having},] seems {felt}[, shown by {reasons}].",),
    ),
    "does": (
        ("[{Her} head is {pose}.][ {She} {acts}.]", "[Head {pose}.][ {She} {acts}.]"),
        ("[Also, head {pose}.][ Also, {she} {acts}.]",),
    ),
    "why": (("The signs are {reasons}.", "It shows in {reasons}."), ("One can tell from {reasons}.",)),
    "why_pair": (("On the left {reasons}, on the right {more}.",), ("Left: {reasons}; right: {more}.",)),
}
QUESTIONS = {  # the same in every split: what a caption says is held out, not what is asked
    "appearance": ("Describe the person's appearance.", "What does the person look like?"),
    "action": ("Describe the person's actions.", "Describe what the person does."),
    "emotion": ("Describe the emotion.", "Describe the feelings."),
    "fine": ("Describe the video in detail.", "Describe the person, the emotion and its reasons."),
    "why": ("Why?", "How can you tell?"),
}
CAPTION_KINDS = ("appearance", "action", "emotion", "fine")
_STILL = "a face at rest"
_OPTIONAL = re.compile(r"\[([^\]]*)\]")


def appearance_caption(clip: Clip, rng: np.random.Generator, split: str) -> str:
    """Gender, age, hair, beard and what is worn, in at most 18 words; of two people gender and hair."""
    people = told(clip)
    if len(people) == 2:
        has = ["is bald" if phrases.is_bald(person) else f"has {phrases.hair(person)}" for person in people]
        return _write("looks_pair", rng, split, _two(people) | {"has": has[0], "has2": has[1]})
    person = people[0]
    beard = [label for label in person.marks if label.startswith("beard")]
    template = _template("looks", rng, split)
    for count in range(len(person.worn), -1, -1):
        text = _fill(template, _looks(person, beard, person.worn[:count]))
        if len(text.split()) <= MAX_APPEARANCE:
            break
    return text


def action_caption(clip: Clip, rng: np.random.Generator, split: str) -> str:
    """What head, face and body do, in at most 12 words; of a pair, who talks."""
    people = told(clip)
    if len(people) == 2:
        return _write("acts_pair", rng, split, _two(people))
    template, slots = _template("acts", rng, split), phrases.pronouns(people[0]) | _doing(people[0])
    slots["acts"] = slots["acts"] or "keeps still"
    text = _fill(template, slots)
    return text if len(text.split()) <= MAX_ACTION else _fill(template, slots | {"pose": ""})


def emotion_caption(clip: Clip, rng: np.random.Generator, split: str) -> str:
    """The emotion, how strong it is and how it changes, in at most 15 words; of two people both."""
    people = told(clip)
    felt = [one for person in people for one in person.felt]
    slots = _two(people) if len(people) == 2 else phrases.pronouns(people[0])
    return _write(_kind("feels", clip), rng, split, slots | _feelings(felt))


def fine_caption(clip: Clip, rng: np.random.Generator, split: str) -> str:
    """All facts of the true tree in two or three sentences, the expressions as the reasons for the emotion."""
    people = told(clip)
    if len(people) == 2:
        template = _template("shows_pair", rng, split)
        sides = zip(people, ("left", "right"), strict=True)
        return " ".join(_fill(template, _looks(p, (), ()) | _feelings(p.felt) | {"side": side}) for p, side in sides)
    person = people[0]
    sentences = [
        _write("looks", rng, split, _looks(person, person.marks, person.worn)),
        _write(_kind("shows", clip), rng, split, phrases.pronouns(person) | _feelings(person.felt)),
        _write("does", rng, split, phrases.pronouns(person) | _doing(person)),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def rationale(clip: Clip, rng: np.random.Generator, split: str) -> list[str]:
    """Four turns: the question, the emotion, the question why, and the expressions that show the emotion."""
    people = told(clip)
    ask, answer = caption_question("emotion", rng), emotion_caption(clip, rng, split)
    why = str(rng.choice(QUESTIONS["why"]))
    share = MAX_REASONS if len(people) == 1 else 3
    reasons = [_reasons([shown for felt in person.felt for shown in felt.shown][:share]) or _STILL for person in people]
    slots = {"reasons": reasons[0], "more": reasons[-1]}
    return [ask, answer, why, _write("why" if len(people) == 1 else "why_pair", rng, split, slots)]


def caption_question(kind: str, rng: np.random.Generator) -> str:
    """A question for a caption of one of `CAPTION_KINDS`.

    Raises:
        InputError: If there is no such kind.
    """
    if kind not in CAPTION_KINDS:
        raise InputError(f"no caption is of kind {kind!r}; use one of {', '.join(CAPTION_KINDS)}")
    return str(rng.choice(QUESTIONS[kind]))


def _template(kind: str, rng: np.random.Generator, split: str) -> str:
    if split not in ("train", "val", "test"):
        raise InputError(f"{split!r} is no split; use train, val or test")
    return str(rng.choice(TEMPLATES[kind][split == "test"]))


def _write(kind: str, rng: np.random.Generator, split: str, slots: Mapping[str, str]) -> str:
    return _fill(_template(kind, rng, split), slots)


def _fill(template: str, slots: Mapping[str, str]) -> str:
    """A template with its names replaced, without the bracketed parts of which a name stands for nothing."""

    def kept(part: re.Match) -> str:
        return part[1] if all(slots[name] for name in re.findall(r"{(\w+)}", part[1])) else ""

    return _OPTIONAL.sub(kept, template).format(**slots).strip()


def _kind(stem: str, clip: Clip) -> str:
    return stem if clip.kind == "single" else f"{stem}_{clip.kind}"


def _two(people: Sequence[Told]) -> dict[str, str]:
    first, second = map(phrases.pronouns, people)
    return {"noun": first["noun"], "noun2": second["noun"]}


def _looks(person: Told, marks: Sequence[str], worn: Sequence[str]) -> dict[str, str]:
    age, bald = [phrases.item(person.age)] if person.age else [], ["bald"] if phrases.is_bald(person) else []
    who = phrases.with_article(" ".join([*age, *bald, phrases.pronouns(person)["noun"]]))
    hair = [phrases.hair(person)] if phrases.hair(person) else []
    return phrases.pronouns(person) | {
        "who": who,
        "Who": who.capitalize(),
        "having": phrases.listed([*hair, *(phrases.THINGS[label] for label in marks)]),
        "worn": phrases.listed([phrases.THINGS[label] for label in worn]),
    }


def _feelings(felt: Sequence[Felt]) -> dict[str, str]:
    return {
        "felt": phrases.feeling(felt[0]),
        "reasons": _reasons(felt[0].shown),
        "then": phrases.feeling(felt[-1]),
        "more": _reasons(felt[-1].shown),
    }


def _reasons(shown: Sequence) -> str:
    return phrases.listed([phrases.expression(one) for one in shown])


def _doing(person: Told) -> dict[str, str]:
    pose = [phrases.POSES[label] for label in person.doing if label in phrases.POSES]
    acts = [phrases.ACTIONS[label] for label in person.doing if label in phrases.ACTIONS]
    return {"pose": "".join(pose), "acts": phrases.listed(acts)}

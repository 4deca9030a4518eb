"""What a caption says of a drawn clip, fact by fact, held against the clip's latent state.

A measure that no reward trains: it takes its truth from what the clip was drawn from, not from a reference caption; it
reads the words of this world's captions and no others, without the lexicon and the parser of `videmo.affect`; and it
asks of each fact whether it is there, whatever it is said to rest on.
"""

import re
from collections import Counter

from videmo.affect import AffectiveTree
from videmo.synth.face import AGES, HAIR_COLOURS, HAIR_LENGTHS, HAIR_TEXTURES
from videmo.synth.phrases import ACTIONS, EMOTIONS, EXPRESSIONS, INTENSITIES, POSES, THINGS

_RESTS_ON = {"brows": "eyebrows", "mouth": "lips"}
_FELT = "|".join(EMOTIONS.values())
_WORDS = {
    **{f"person: {noun}": noun for noun in ("man", "woman")},
    **{f"age: {age}": age for age in AGES},
    **{
        f"hair: {item}": rf"{item}(?= (?:[\w-]+ ){{0,2}}hair\b)"
        for item in (*HAIR_LENGTHS, *HAIR_TEXTURES, *HAIR_COLOURS)
    },
    "hair: bald": "bald",
    **{label: phrase.removeprefix("a ") for label, phrase in THINGS.items()},
    **EMOTIONS,
    **{f"intensity: {name}": f"{word}(?:{_FELT})" for name, word in INTENSITIES.items() if word},
    "time: first": "at first|initially",
    "time: brief": "briefly|for a moment",
    **{label: f"head (?:is )?{phrase}" for label, phrase in POSES.items()},
    **ACTIONS,
}
_PATTERNS = {label: re.compile(rf"\b(?:{words})\b") for label, words in _WORDS.items()}
_EXPRESSIONS = {
    label: re.compile(rf"\b{words.removeprefix('a ').format('(?:([a-z]+) )?')}\b")
    for label, words in EXPRESSIONS.items()
}


def stated_facts(caption: str) -> Counter[str]:
    """How often a caption states each fact, as labels of the affective tree.

    Example:
        >>> sorted(stated_facts("An elderly man. He looks very sad because of lowered bushy brows."))
        ['age: elderly', 'brows: furrowed', 'emotion: sadness', 'eyebrows: bushy', 'intensity: strong', 'person: man']
    """
    text = caption.lower()
    found = Counter({label: len(pattern.findall(text)) for label, pattern in _PATTERNS.items()})
    for label, pattern in _EXPRESSIONS.items():
        for said in pattern.finditer(text):
            found[label] += 1
            if said.groups() and said[1]:
                found[f"{_RESTS_ON[label.partition(':')[0]]}: {said[1]}"] += 1
    return +found


def facts_told(caption: str | Counter[str], truth: AffectiveTree) -> float:
    """The share of facts told right, 0 to 1: of all that are true of a clip or are said of it.

    Args:
        caption: Of the clip; or the facts that it states.
        truth: The clip's own tree, as ``truth/*.jsonl`` has it.

    Example:
        >>> truth = AffectiveTree.from_compact("video(person: man(emotion: sadness(age: young)))")
        >>> facts_told("A young man. He looks happy.", truth)
        0.5
    """
    said, true = stated_facts(caption) if isinstance(caption, str) else caption, truth.pairs()
    return (said & true).total() / (said | true).total()

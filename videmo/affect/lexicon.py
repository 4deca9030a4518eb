"""The words for the tree's labels, read from ``lexicon.yaml``: phrases, and parts of the face in states.

Whoever makes a label from plain values asks `canonical` for it, so that it is worded in one way only.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml

from videmo.errors import InputError

LEVELS = ("emotion", "expression", "attribute", "scene")
_TIMES = ("first", "brief")
_INTENSITIES = ("weak", "strong")


class Entry(NamedTuple):
    """What a phrase stands for.

    Attributes:
        kind: A level of the tree, or ``person``, ``part``, ``state``, ``intensity`` or ``word`` (it steers the parser).
        value: The label of a level; else the name.
    """

    kind: str
    value: str


@dataclass(frozen=True)
class Lexicon:
    """The phrases of captions.

    Attributes:
        phrases: First word -> the phrases that start with it, the longest first, each with its entries.
        combinations: Part and state -> what the part in that state stands for.
        strong: Words for emotions that are strong by themselves.
        ignored: Words without content.
        labels: All labels a tree can have, besides ``video``, ``scene`` and placeholders.
    """

    phrases: dict[str, list[tuple[tuple[str, ...], tuple[Entry, ...]]]]
    combinations: dict[tuple[str, str], Entry]
    strong: frozenset[str]
    ignored: frozenset[str]
    labels: frozenset[str]


def canonical(aspect: str, item: str) -> str:
    """The label of an item.

    Raises:
        InputError: If the lexicon has no such item.

    Example:
        >>> canonical("hair", "black")
        'hair: black'
    """
    label = f"{aspect}: {item}"
    if label not in load_lexicon().labels:
        known = sorted(one.partition(": ")[2] for one in load_lexicon().labels if one.startswith(f"{aspect}: "))
        raise InputError(f"the lexicon has no {label!r}; of {aspect!r} it has {', '.join(known) or 'nothing'}")
    return label


def inflect(phrase: str) -> list[str]:
    """A phrase in all its forms: ``*`` marks a regular verb, ``**`` one that doubles its consonant.

    Example:
        >>> inflect("raise*"), inflect("nod** head")[2:]
        (['raise', 'raises', 'raised', 'raising'], ['nodded head', 'nodding head'])
    """
    words = phrase.split()
    for place, word in enumerate(words):
        if word.endswith("*"):
            return [" ".join([*words[:place], form, *words[place + 1 :]]) for form in _verb_forms(word)]
    return [phrase]


def _verb_forms(word: str) -> list[str]:
    verb = word.rstrip("*")
    if word.endswith("**"):
        return [verb, f"{verb}s", f"{verb}{verb[-1]}ed", f"{verb}{verb[-1]}ing"]
    if verb.endswith("e"):
        return [verb, f"{verb}s", f"{verb}d", f"{verb[:-1]}ing"]
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return [verb, f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing"]
    plural = "es" if verb.endswith(("s", "sh", "ch", "x", "z")) else "s"
    return [verb, verb + plural, f"{verb}ed", f"{verb}ing"]


@cache
def load_lexicon() -> Lexicon:
    """The shipped lexicon."""
    data = yaml.safe_load((files("videmo.affect") / "lexicon.yaml").read_text(encoding="utf-8"))
    found: dict[tuple[str, ...], list[Entry]] = {}
    combinations: dict[tuple[str, str], Entry] = {}
    labels = {*(f"intensity: {item}" for item in _INTENSITIES), *(f"time: {item}" for item in _TIMES)}

    def add(phrases: list[str], entry: Entry) -> None:
        for phrase in phrases:
            if " + " in phrase:
                part, state = phrase.split(" + ")
                if part not in data["parts"] or state not in data["states"]:
                    raise InputError(f"lexicon.yaml: {phrase!r} of {entry.value!r} is no part and state")
                combinations.setdefault((part, state), entry)
                continue
            for form in inflect(phrase.replace("-", " ")):
                entries = found.setdefault(tuple(form.split()), [])
                if entry not in entries:
                    entries.append(entry)

    for kind in ("person", "emotion"):
        for item, phrases in data[f"{kind}s"].items():
            labels.add(f"{kind}: {item}")
            add(phrases, Entry(kind, item if kind == "person" else f"emotion: {item}"))
    for level, section in (("expression", "expressions"), ("attribute", "attributes"), ("scene", "scene")):
        for aspect, items in data[section].items():
            for item, phrases in items.items():
                labels.add(f"{aspect}: {item}")
                add(phrases, Entry(level, f"{aspect}: {item}"))
    for kind, section in (("part", "parts"), ("state", "states"), ("word", "words")):
        for name, phrases in data[section].items():
            add(phrases, Entry(kind, name))
    for item in _INTENSITIES:
        add(data["intensities"][item], Entry("intensity", item))

    by_first: dict[str, list] = {}
    for words, entries in sorted(found.items(), key=lambda pair: -len(pair[0])):
        by_first.setdefault(words[0], []).append((words, tuple(entries)))
    strong, ignored = data["intensities"]["strong by itself"], data["ignored"].split()
    return Lexicon(by_first, combinations, frozenset(strong), frozenset(ignored), frozenset(labels))

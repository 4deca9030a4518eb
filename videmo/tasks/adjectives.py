"""Labels whose words stand apart: "long, wavy black hair" is long_hair, wavy_hair and black_hair, as is "hair is long".

A noun that labels end in ("hair", "eyebrows") takes the adjectives that such labels begin with, from the run of
adjectives right before it, or from what is said of it ("her nose is big and pointy").
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from videmo.tasks.mentions import Mention

_LINKS = frozenset(
    ["and", "very", "dark", "light", "thick", "thin", "rather", "slightly", "quite", "fairly", "mostly", "loose"]
)
_LONGEST_RUN = 6  # words
_SAID_OF_IT = re.compile(r"\W+(?:(?:is|are|looks?|appears?|seems?)\W+|(?=\W))(?:\w+ly\W+|very\W+)?", re.IGNORECASE)


def adjectives_of_nouns(text: str, phrases: Mapping[str, Any]) -> list[Mention]:
    """Mentions at adjectives that stand apart from their noun; right beside it, `find_phrases` finds the phrase.

    Args:
        text: What is searched.
        phrases: Normalised phrase -> what it means.

    Example:
        >>> adjectives_of_nouns("long black hair", {"long hair": 1, "black hair": 2})[0][:3]
        (1, 0, 4)
    """
    adjectives = _adjectives(tuple(phrases))
    words = (
        [(match[0].lower(), match.start(), match.end()) for match in re.finditer(r"[\w']+", text)] if adjectives else []
    )
    found = []
    for place, (noun, _, end) in enumerate(words):
        if noun not in adjectives:
            continue
        before = _run(text, words[max(0, place - _LONGEST_RUN) : place][::-1], adjectives[noun])[1:]
        said = _SAID_OF_IT.match(text, end)
        after = [word for word in words[place + 1 : place + 1 + _LONGEST_RUN] if said and word[1] >= said.end()]
        for adjective, start, stop in before + _run(text, after, adjectives[noun]):
            if f"{adjective} {noun}" in phrases:
                found.append(Mention(phrases[f"{adjective} {noun}"], start, stop))
    return found


def _run(text: str, words: list[tuple[str, int, int]], adjectives: frozenset[str]) -> list[tuple[str, int, int]]:
    """The words up to the first that is no adjective and links none, or that a sentence ends before."""
    run: list[tuple[str, int, int]] = []
    for word in words:
        gap = text[min(word[2], run[-1][2]) : max(word[1], run[-1][1])] if run else ""
        if word[0] not in adjectives | _LINKS or re.search(r"[.;:!?\n]", gap):
            break
        run.append(word)
    return run


@lru_cache(maxsize=64)
def _adjectives(phrases: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Noun -> the adjectives that phrases of two words put before it."""
    found = defaultdict(set)
    for adjective, _, noun in (phrase.partition(" ") for phrase in phrases):
        if noun and " " not in noun and adjective not in ("no", "wearing"):
            found[noun].add(adjective)
    return {noun: frozenset(adjectives) for noun, adjectives in found.items()}

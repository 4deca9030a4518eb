"""The phrases of the lexicon in a sentence's tokens: the longest from left to right, across articles and adverbs."""

from dataclasses import dataclass

from videmo.affect.lexicon import Entry, Lexicon

LIGHT = frozenset(("a", "an", "the", "his", "her", "their", "its", "this", "that", "is", "are", "of", "quite", "both"))


@dataclass
class Match:
    """A phrase found in a sentence.

    Attributes:
        entries: What it stands for.
        start, end: Its tokens.
        segment: Number of the part of the sentence between commas and "and".
        group: Number of the part of the sentence between "while", "but", "then" and semicolons.
        owner: The part that this part only names the whole of: "the corners of her *lips*".
        placed: Whether it became a fact, or said something about one.
    """

    entries: tuple[Entry, ...]
    start: int
    end: int
    segment: int = 0
    group: int = 0
    owner: "Match | None" = None
    placed: bool = False

    def value(self, kind: str) -> str | None:
        """The value of its entry of a kind; None if it has none."""
        for entry in self.entries:  # asked hundreds of times a caption: a generator would take twice as long
            if entry.kind == kind:
                return entry.value
        return None


def is_light(token: str) -> bool:
    """Whether a word may stand inside a phrase without changing it: articles, possessives, adverbs."""
    return token in LIGHT or token.endswith("ly")


def find_phrases(tokens: list[str], lexicon: Lexicon) -> list[Match]:
    """The longest phrases, from left to right."""
    matches, place = [], 0
    while place < len(tokens):
        for words, entries in lexicon.phrases.get(tokens[place], ()):
            end = _end_of(words, tokens, place)
            if end:
                matches.append(Match(entries, place, end))
                place = end
                break
        else:
            place += 1
    return matches


def _end_of(words: tuple[str, ...], tokens: list[str], place: int) -> int:
    """Where a phrase that starts at a place ends; 0 if it does not stand there."""
    place += 1
    for word in words[1:]:
        while place < len(tokens) and tokens[place] != word and is_light(tokens[place]):
            place += 1
        if place >= len(tokens) or tokens[place] != word:
            return 0
        place += 1
    return place

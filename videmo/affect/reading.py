"""A sentence to facts: its phrases are looked up, then every state is bound to the part of the face it is about.

A state binds to the part right after it ("raised brows"), else to the nearest before it ("her brows are raised and
drawn together"), else to a later one ("short, curly hair"), wherever part and state make sense together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from videmo.affect.lexicon import LEVELS, Lexicon
from videmo.affect.matching import LIGHT, Match, find_phrases, is_light

_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+|[,;:()]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_JOINTS = frozenset((",", "and", "or", ":", ";", "(", ")"))
_GROUP_WORDS = frozenset(("break", "first", "then", "brief"))
_BASE_OF = {
    "inner brows": "brows",
    "outer brows": "brows",
    "upper lip": "lips",
    "corners": "lips",
    "one corner": "lips",
}
_LONGEST = 120  # tokens read as one sentence: a model that repeats itself without end must not cost quadratic time
_NEGATION_REACH = 6  # tokens after a negation that it can cancel


@dataclass
class Fact:
    """A label, where it was said, and the part of the face that said it (None for a phrase of its own)."""

    level: str
    label: str
    match: Match
    part: Match | None = None


@dataclass
class Sentence:
    """A sentence's tokens, the phrases found in them, and what was read from both."""

    tokens: list[str]
    matches: list[Match]
    facts: list[Fact] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)


def read_sentences(text: str, lexicon: Lexicon) -> Iterator[Sentence]:
    """The sentences of a text, with their facts in order of mention."""
    text = text.lower().replace("’", "'").replace("-", " ").replace("n't", " not")
    for part in _SENTENCE_END.split(text):
        tokens = [token.removesuffix("'s") for token in _TOKEN.findall(part)]
        for start in range(0, len(tokens), _LONGEST):
            yield _read(tokens[start : start + _LONGEST], lexicon)


def _read(tokens: list[str], lexicon: Lexicon) -> Sentence:
    sentence = Sentence(tokens, find_phrases(tokens, lexicon))
    _divide(sentence)
    _cancel_negated(sentence)
    _link_parts(sentence)
    _bind(sentence, lexicon)
    sentence.unplaced = list(_unplaced(sentence, lexicon))
    return sentence


def _divide(sentence: Sentence) -> None:
    starts = {match.start: match for match in sentence.matches}
    inside = {place for match in sentence.matches for place in range(match.start, match.end)}
    segment = group = 0
    for place, token in enumerate(sentence.tokens):
        match = starts.get(place)
        breaks = match is not None and match.value("word") in _GROUP_WORDS
        segment += breaks or (token in _JOINTS and place not in inside)
        group += breaks or token == ";"
        if match is not None:
            match.segment, match.group = segment, group


def _cancel_negated(sentence: Sentence) -> None:
    negations = [match for match in sentence.matches if match.value("word") == "negation"]
    for negation in negations:
        for match in list(sentence.matches):
            near = negation.end <= match.start < negation.end + _NEGATION_REACH
            same = match.segment == negation.segment or _follows_or(sentence.tokens[negation.end : match.start])
            if near and same and match.value("word") is None and match.value("person") is None:
                match.entries, match.placed = (), True


def _follows_or(tokens: list[str]) -> bool:
    """Whether the tokens end in "or", as before "beard" in "without a hat or a beard"."""
    while tokens and is_light(tokens[-1]):
        tokens = tokens[:-1]
    return tokens[-1:] == ["or"]


def _link_parts(sentence: Sentence) -> None:
    parts = [match for match in sentence.matches if match.value("part")]
    for one, other in pairwise(parts):
        base = _BASE_OF.get(one.value("part") or "")
        names = ("lips", "mouth") if base == "lips" else (base,)
        if base and other.value("part") in names and one.segment == other.segment and other.start - one.end < 4:
            other.owner = one


def _bind(sentence: Sentence, lexicon: Lexicon) -> None:
    matches = sentence.matches
    used: dict[int, int] = {}  # start of a part -> number of states bound to it
    for place, match in enumerate(matches):
        state = match.value("state") or ""
        labels = [entry for entry in match.entries if entry.kind in LEVELS]
        for part, after in _candidates(sentence, place) if state else ():
            if labels and not after:
                break  # "wrinkles" are an attribute of their own, unless they are what she does to her nose
            bound = next(
                (p for p in (part.owner, part) if p and (p.value("part"), state) in lexicon.combinations),
                None,
            )
            if bound is not None:
                _add(sentence, lexicon, bound, state, match)
                used[part.start] = used[bound.start] = used.get(bound.start, 0) + 1
                if not after:
                    _share(sentence, lexicon, part, state, match, used)
                break
        if not match.placed:
            sentence.facts += [Fact(entry.kind, entry.value, match) for entry in labels]
            match.placed = bool(labels) or any(other.segment == match.segment and _says(other) for other in matches)
    sentence.facts.sort(key=lambda fact: fact.match.start)


def _says(match: Match) -> bool:
    return any(entry.kind in (*LEVELS, "person") for entry in match.entries)


def _add(sentence: Sentence, lexicon: Lexicon, part: Match, state: str, match: Match) -> None:
    entry = lexicon.combinations[part.value("part") or "", state]
    sentence.facts.append(Fact(entry.kind, entry.value, match, part.owner or part))
    match.placed = True


def _share(sentence: Sentence, lexicon: Lexicon, part: Match, state: str, match: Match, used: dict[int, int]) -> None:
    """Binds a state also to the parts listed right before its own: "her cheeks and lip corners are raised"."""
    place = sentence.matches.index(part)
    while place and sentence.matches[place - 1].value("part"):
        place -= 1
        other = sentence.matches[place]
        joined = set(sentence.tokens[other.end : part.start]) - LIGHT <= {",", "and"}
        if other.start in used or not joined or (other.value("part"), state) not in lexicon.combinations:
            return
        _add(sentence, lexicon, other, state, match)
        used[other.start] = 1
        part = other


def _candidates(sentence: Sentence, place: int) -> Iterator[tuple[Match, bool]]:
    """The parts that a state may be about, the likeliest first, and whether each stands after it."""
    matches, state = sentence.matches, sentence.matches[place]
    after, crossing = None, False
    for other in matches[place + 1 :]:
        crossing |= other.segment != state.segment
        if other.value("part"):
            after = other
            break
        if not other.value("state") and other.value("word") not in ("his", "her") and not other.value("intensity"):
            break
    adjacent = after is not None and not crossing and _only_light(sentence, state.end, after.start)
    if adjacent:
        yield after, True
    elif (label := _next(matches, place)) and label.segment == state.segment and _labels_noun(sentence, state, label):
        return
    before = [other for other in matches[:place] if other.value("part")]
    own = [other for other in before if other.segment == state.segment]
    yield from ((other, False) for other in reversed(own))
    listed = not own and after is not None and _only_light(sentence, state.end, after.start)
    if after is not None and (not crossing or listed):
        yield after, True
    yield from ((other, False) for other in reversed(before) if other.group == state.group and other not in own)


def _next(matches: list[Match], place: int) -> Match | None:
    return matches[place + 1] if place + 1 < len(matches) else None


def _labels_noun(sentence: Sentence, state: Match, label: Match) -> bool:
    """Whether a state only describes the noun right after it, as in "a wide smile" or "a blue shirt"."""
    noun = any(entry.kind in ("expression", "attribute", "scene", "person") for entry in label.entries)
    return noun and _only_light(sentence, state.end, label.start)


def _only_light(sentence: Sentence, start: int, end: int) -> bool:
    covered = {
        place
        for match in sentence.matches
        if match.start < end and match.end > start and (match.value("state") or match.value("intensity"))
        for place in range(match.start, match.end)
    }
    between = [sentence.tokens[place] for place in range(start, end) if place not in covered]
    return all(token in ("and", ",") or (is_light(token) and token not in ("is", "are")) for token in between)


def _unplaced(sentence: Sentence, lexicon: Lexicon) -> Iterator[str]:
    """Runs of words with content that no phrase covers, and states that nothing took."""
    covered = {
        place
        for match in sentence.matches
        if match.placed or match.value("state") is None
        for place in range(match.start, match.end)
    }
    run: list[str] = []
    for place, token in enumerate([*sentence.tokens, ","]):
        content = token not in _JOINTS and token not in lexicon.ignored and not is_light(token)
        if place not in covered and content and not token.isdigit():
            run.append(token)
        elif run:
            yield " ".join(run)
            run = []

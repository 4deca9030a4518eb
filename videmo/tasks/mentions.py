"""Labels found in an answer, each with how it is meant there (`stances`), in its clause, sentence and list."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from videmo.tasks.stances import CJK, Stance, stance_of


class Mention(NamedTuple):
    """A phrase found in a text: what it means, where it stands, and how it is meant."""

    meaning: Any
    start: int
    end: int
    stance: Stance = Stance.STATED


_CONTEXT = 160  # characters of a sentence that are looked at on either side of a label
_SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)[.!?;]+(?=\s|\)|$)|\n|;")
_CLAUSE_END = re.compile(
    r"(?:[,()|\[\]]|\s-\s|:(?=\s))|\b(?=(?:but|however|though|although|yet|because|since|as (?:he|she|they|the"
    r"|it)|while|whereas|"
    r"therefore|thus|hence|then|instead|if|which|"
    r"and (?:also )?(?:i|she|he|they|it|there|this|her|his|the|is|are|looks?|seems?|appears?|shows?|has|instead"
    r"|so|then|gazes?)"
    r")\b)|(?=但|而是|而|所以|因此|因为)",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"\b(?:option|choice|letter|answers?|emotion|sentiment|label|expression|relation(?:ship)?|pose|intensity"
    r"|final|correct|the|is|so|it's|"
    r"both|and|or|confidence|it|they|are|surely|level|degree|i'd say|i (?:choose|pick|select|think))\b|选项?|答案|情绪"
    r"|情感|是|为|\d+(?:\.\d+)?%?",
    re.IGNORECASE,
)
_OR = frozenset(("or", "nor", "/", "或", "或者"))
_AND = frozenset(("and", "&", "和"))
_LIST_JOINT = re.compile(
    r"\s*(?:,\s*)?(?:(or|nor|/|或者?|and|&|和)\s*)?(?:(?:an?|the|any|her|his|maybe|perhaps|possibly|even|also"
    r"|option)\s+)*",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def normalise(label: str) -> str:
    """One spelling of a label: lower case, one space for underscores, hyphens and spaces.

    Example:
        >>> normalise("Black_Hair")
        'black hair'
    """
    return re.sub(r"[\s_-]+", " ", label).strip().lower()


def phrase_table(labels: Iterable[str], aliases: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Normalised phrase -> label, for the labels themselves and their aliases.

    Example:
        >>> phrase_table(["gray_hair"], {"gray_hair": ["grey hair"]})
        {'gray hair': 'gray_hair', 'grey hair': 'gray_hair'}
    """
    table = {}
    for label in labels:
        for phrase in (label, *aliases.get(label, ())):
            table.setdefault(normalise(phrase), label)
    return table


@lru_cache(maxsize=1024)
def _phrase_pattern(phrases: tuple[str, ...]) -> tuple[re.Pattern, tuple[str, ...]]:
    """A pattern of whole words, the longest first, and the phrase of each of its groups.

    ".." in a phrase leaves room for up to three words; CJK phrases stand anywhere, as CJK text has no word ends.
    """
    longest_first = sorted(phrases, key=lambda phrase: (".." not in phrase, len(phrase)), reverse=True)
    parts = []
    for phrase in longest_first:
        words = [r"\W+(?:\w+\W+){0,3}?" if w == ".." else re.escape(w) for w in phrase.split(" ")]
        body = r"[\s_-]+".join(words).replace(r"[\s_-]+\W+(?:\w+\W+){0,3}?[\s_-]+", r"\W+(?:[\w']+\W+){0,3}?")
        parts.append(f"({body})" if CJK.search(phrase) else rf"((?<![^\W_]){body}(?![^\W_]))")
    return re.compile("|".join(parts), re.IGNORECASE), tuple(longest_first)


def find_phrases(text: str, phrases: Mapping[str, Any]) -> list[Mention]:
    """The phrases found in a text, the longest first, whatever is said of them.

    Args:
        text: What is searched.
        phrases: Normalised phrase -> what it means.
    """
    if not phrases:
        return []
    pattern, in_order = _phrase_pattern(tuple(phrases))
    return [Mention(phrases[in_order[(m.lastindex or 1) - 1]], m.start(), m.end()) for m in pattern.finditer(text)]


def with_stances(text: str, mentions: Iterable[Mention]) -> list[Mention]:
    """Mentions in order of place, with how each is meant."""
    mentions = sorted(mentions, key=lambda mention: mention.start)
    letters = list(text)  # a label may hold a negation itself ("no_beard"): only words outside labels are looked at
    for _, start, end, _ in mentions:
        letters[start:end] = "x" * (end - start)
    masked = "".join(letters)
    sentences = _Pieces(_SENTENCE_END, masked)
    clauses = _Pieces(_CLAUSE_END, masked)
    bare = {}
    found = []
    for mention in mentions:
        start, end = sentences.around(mention.start)
        if (start, end) not in bare:
            inside = [m for m in mentions[bisect_left(mentions, start, key=lambda m: m.start) :][:40] if m.start < end]
            rest = list(text[start:end])
            for m in inside:
                rest[m.start - start : m.end - start] = " " * (m.end - m.start)
            bare[start, end] = end - start < 400 and not re.search(r"\w", _FILLER.sub(" ", "".join(rest)))
        after = masked[mention.end : min(end + 1, mention.end + _CONTEXT)]
        before = masked[max(clauses.around(mention.start)[0], start, mention.start - _CONTEXT) : mention.start]
        found.append(mention._replace(stance=stance_of(before, after, bare[start, end])))
    return _share_stances(masked, found)


class _Pieces:
    """A text cut at a pattern: where the piece around a position begins and ends."""

    def __init__(self, pattern: re.Pattern, text: str) -> None:
        cuts = list(pattern.finditer(text))
        self.starts = [0, *(cut.end() for cut in cuts)]
        self.ends = [*(cut.start() for cut in cuts), len(text)]

    def around(self, position: int) -> tuple[int, int]:
        index = bisect_right(self.starts, position) - 1
        return self.starts[index], self.ends[index]


def _share_stances(text: str, mentions: list[Mention]) -> list[Mention]:
    """Mentions of one list share how its first (if it has an "or") or its last is meant: the lesser counts."""
    shared: list[Mention] = []
    run: list[Mention] = []
    joints: set[str] = set()
    for mention in [*mentions, None]:
        joint = _LIST_JOINT.fullmatch(text, run[-1].end, mention.start) if mention and run else None
        if run and not joint:
            stance = run[-1].stance if joints & _AND or len(run) > 2 else Stance.BARE
            if joints & _OR and len({m.meaning for m in run}) > 1:
                stance = min(run[0].stance, Stance.ALTERNATIVE)
            shared += [m._replace(stance=min(m.stance, stance)) for m in run]
            run, joints = [], set()
        if joint:
            joints.add((joint[1] or "").lower())
        if mention:
            run.append(mention)
    return shared

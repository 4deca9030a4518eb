"""Labels found in an answer, and how each is meant: denied, considered, stated, decided on, or said and nothing else.

A label is *denied* by a negation within a few words before it in its clause ("not happy", "ruled out fear"), by what is
said of it ("fear is unlikely", "AU2: no"), or with the list that it stands in ("no hat, scarf or mask"). Two denials
make it *considered*, as do "might be", "at first" and "although she smiles,". It is *decided* on where its clause draws
a conclusion ("so", "most likely", "fits best"), and *bare* where its sentence says nothing else.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple


class Stance(IntEnum):
    """How a label is meant, from no to nothing but yes."""

    DENIED = 0
    CONSIDERED = 1
    STATED = 2
    DECIDED = 3
    BARE = 4


class Mention(NamedTuple):
    """A phrase found in a text: what it means, where it stands, and how it is meant."""

    meaning: Any
    start: int
    end: int
    stance: Stance = Stance.STATED


_REACH = 7  # words between a negation and the label that it negates; CJK text has no spaces: characters
_CONTEXT = 160  # characters of a sentence that are looked at on either side of a label
_SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)[.!?;]+(?=\s|\)|$)|\n|;")
_CLAUSE_END = re.compile(
    r"(?:[,()|\[\]]|\s-\s|:(?=\s))|\b(?=(?:but|however|though|although|yet|so|because|since|as (?:he|she|they|the|it)|while|whereas|"
    r"therefore|thus|hence|then|instead|if|which|"
    r"and (?:also )?(?:i|she|he|they|it|there|this|her|his|the|is|are|looks?|seems?|appears?|shows?|has|instead|so|then|gazes?)"
    r")\b)|(?=但|而是|而|所以|因此|因为)",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:not|no|never|neither|nor|none|nothing|cannot|than|hardly|barely|less|anything but)\b|n't\b|"
    r"不(?!过)|没|無|无|并非|非(?!常)|未",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:unlikely|rul(?:e|es|ed|ing) out|exclud\w+|eliminat\w+|reject\w*|dismiss\w*|impossible|doubt\w*|den(?:y|ies)|without|"
    r"lack\w*|absen\w+|devoid|free of|fails? to|far from|whether|cross(?:ed|ing)? out|discard\w*)\b"
    r"|\bif (?!i\b|you\b|one\b|we\b|forced\b|pressed\b|asked\b|anything\b)|排除|缺乏|是否",
    re.IGNORECASE,
)
_IS_NOT = re.compile(
    r"[\s)\].,\"']{0,4}(?:(?:is|are|was|were|does|do|did|can|could|would|seems?|looks?|has|have)(?:\s*n't|\s+not)|不)"
    r"(?:\s+(?:be|seem|look|\w+ly))*\s*"
    r"(?:$|[.,;)]|(?:been )?(?:fit|match|correct|right|it|apply|appl|likely|supported|support|present|visible|shown|seen|activ|"
    r"appropriate|suit|plausible|the\b|an option|displayed|detected|observed|a (?:good )?(?:fit|match)|possible|work|hold|here|true)"
    r"|符合|是|对|正确|存在|明显)",
    re.IGNORECASE,
)
_IS_DENIED = re.compile(
    r"\W{0,4}(?:(?:is|are|was|were|can|could|should|be|also|therefore|thus|would|seems?|looks?|feels?|very|highly|quite|clearly|too|"
    r"itself|as an option|well)\W+){0,4}"
    r"(?:(?:unlikely|excluded|ruled out|eliminated|out|wrong|incorrect|absent|missing|inactive|impossible|dismissed|rejected|"
    r"less (?:likely|fitting|suitable|plausible)|off the table|implausible)\b|被?排除)",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    r"(?:[\s)\]]|\([^()\n]{0,40}\))*(?:[:=|]|\s->?\s|→)[^\n,;.]{0,40}?"
    r"(?:\b(?:(?P<no>no|false|absent|inactive|not \w+|none|n|0+(?:\.[0-4]\d*)?|否|无)|(?P<yes>yes|true|present|active|y|是|有))(?![\w.])"
    r"|(?P<cross>✗|×)|(?P<tick>✓))|\s*(?:(?P<cross2>✗|×)|(?P<tick2>✓))|\s*\(\s*(?P<no2>no|absent|inactive|0(?:\.[0-4]\d*)?|0%)\s*\)",
    re.IGNORECASE,
)
_MAYBE = re.compile(
    r"\b(?:may|might|could|can be|possibly|perhaps|maybe|at first|first glance|first sight|first impression|seemed|i (?:first )?thought|"
    r"hints?|resembl\w*|similar|would need|would be|either|options?|choices|among|between|next to|close to|confus\w+|mistaken|"
    r"mistake|despite|in spite of|although|though|even if|while|whereas|usually|typically|often|suggest(?:ing|ion of)?)\b"
    r"|可能|也许|或许|乍看|虽然|尽管",
    re.IGNORECASE,
)
_MAYBE_AFTER = re.compile(
    r"[\s)]*(?:\((?:maybe|possibly|perhaps)\)|(?:is|are|was) (?:also )?(?:possible|conceivable)|(?:may|might|could|would)\b|at first\b|comes (?:close|second)"
    r"|as well\?|[^.\n]{0,30}\?)",
    re.IGNORECASE,
)
_DECIDES = re.compile(
    r"\b(?:so|therefore|thus|hence|consequently|overall|in conclusion|to conclude|conclude|concluded|conclusion|best|most likely|"
    r"likely|dominant|dominat\w+|primar\w+|predominant\w*|mainly|mostly|main|answers?|correct|choose|chose|select|pick|go with|going with|"
    r"opt for|i'd say|would say|my guess|classified|categori[sz]ed|labell?ed|corresponds?|final|finally|points? to|prevail\w*|settle|"
    r"strongest|most|ultimately|in the end|in sum\w*|on balance|surely)\b|所以|因此|综上|总体|主要|最|选",
    re.IGNORECASE,
)
_DECIDES_AFTER = re.compile(
    r"[\s)\]\"',]{0,4}(?:is|seems|appears|looks|would be|must be|remains|fits|matches|describes|dominates|prevails)\b[^.;\n,]{0,24}?"
    r"\b(?:the (?:correct |right |best |final |most )?(?:answer|option|choice|one|fit|match)|correct|right|best|dominant|most|answer|"
    r"fits best|likely|main|primary)\b|\s*(?:fits|matches|describes [^.,\n]{0,30}) best\b|是正确|最",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"\b(?:option|choice|letter|answers?|emotion|sentiment|label|expression|relation(?:ship)?|pose|intensity|final|correct|the|is|so|it's|"
    r"both|and|or|confidence|it|they|are|surely|level|degree|i'd say|i (?:choose|pick|select|think))\b|选项?|答案|情绪|情感|是|为|\d+(?:\.\d+)?%?",
    re.IGNORECASE,
)
_OR = frozenset(("or", "nor", "/", "或", "或者"))
_AND = frozenset(("and", "&", "和"))
_LIST_JOINT = re.compile(
    r"\s*(?:,\s*)?(?:(or|nor|/|或者?|and|&|和)\s*)?(?:(?:an?|the|any|her|his|no|maybe|perhaps|possibly|even|also|option)\s+)*", re.IGNORECASE
)
_CJK = re.compile(r"[\u4e00-\u9fff]")


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
        parts.append(f"({body})" if _CJK.search(phrase) else rf"((?<![^\W_]){body}(?![^\W_]))")
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
    return [Mention(phrases[in_order[m.lastindex - 1]], m.start(), m.end()) for m in pattern.finditer(text)]


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
        found.append(mention._replace(stance=_stance(before, after, bare[start, end])))
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


def _stance(before: str, after: str, is_bare: bool) -> Stance:
    near = before[-40:] if _CJK.search(before) else " ".join(before.split()[-_REACH:])
    denied = bool(_NOT.search(near))
    doubly = bool(_DENIES.search(near))
    said = _VERDICT.match(after)
    verdict = said and (said["no"] or said["no2"] or said["cross"] or said["cross2"])
    if denied != doubly:
        return Stance.DENIED
    if verdict or _IS_NOT.match(after) or _IS_DENIED.match(after):
        return Stance.DENIED
    if denied or _MAYBE.search(before) or _MAYBE_AFTER.match(after):
        return Stance.CONSIDERED
    if is_bare:
        return Stance.BARE
    if said or _DECIDES.search(before) or _DECIDES_AFTER.match(after):
        return Stance.DECIDED
    return Stance.STATED


def _share_stances(text: str, mentions: list[Mention]) -> list[Mention]:
    """Mentions that stand in one list share how its first (if it has an "or") or its last is meant: the lesser counts."""
    shared, run, joints = [], [], set()
    for mention in [*mentions, None]:
        joint = mention and run and _LIST_JOINT.fullmatch(text, run[-1].end, mention.start)
        if run and not joint:
            stance = run[-1].stance if joints & _AND else Stance.BARE
            stance = min(stance, run[0].stance) if joints & _OR else stance
            stance = min(stance, run[-1].stance) if joints & _OR and run[-1].stance else stance
            shared += [m._replace(stance=min(m.stance, stance)) for m in run]
            run, joints = [], set()
        if joint:
            joints.add((joint[1] or "").lower())
        if mention:
            run.append(mention)
    return shared

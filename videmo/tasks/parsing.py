"""Answer text to labels, by rule. The first edition: simple rules, and no doubt is ever read as an answer.

What a model says is cleaned of markdown and full-width punctuation and cut to what follows a last "the answer is".
Then labels are looked for as whole words, the longest first, so that "Right 60 degrees" is never read as a shorter
label. These are not answers (`None`): a refusal ("I cannot tell"), unless a "but" goes on after it; a negated label
("not happy"); several different options; a letter that contradicts its text ("B. Happy" where B is Sad).
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

_OPTION_LINE = re.compile(r"^\s*\(?([A-Z])\s?[.):]\s*(\S.*?)\s*$", re.MULTILINE)
_ANSWER_IS = re.compile(r"\banswer\b[^.\n]{0,30}?(?:\bis\b|:)\s*(?=\S)", re.IGNORECASE)
_ASK_VERBS = (
    "tell|determine|say|see|identify|confirm|recogni[sz]e|answer|help|assist|provide|know|judge|assess|compare|"
    "verify|access|watch|view|decide|be (?:sure|certain)"
)
_REFUSAL = re.compile(
    r"\b(?:"
    rf"(?:can ?not|can't|could not|couldn't|(?:unable|not able|impossible|difficult|hard|not possible) to)"
    rf" (?:\w+ )?(?:{_ASK_VERBS})"
    r"|(?:not|n't|don't) (?:know|sure|certain|clear|enough)"
    r"|unsure|unclear|uncertain|unknown|no idea|insufficient|as an ai|sorry|apologi[sz]e"
    r")\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\b(?:but|however|though)\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|no|never|neither|nor|without|isn't|\w+n't|rather than|instead of)\b", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[.,;:!?\n]|\bbut\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?;]+(?:\s|$)|\n")
_NEGATION_REACH = 5  # words between a negation and the label that it negates
_NONE = re.compile(
    r"^\W*(?:none|nothing|n/a|no (?:\w+ )?(?:action units?|attributes?|labels?|actions?|emotions?))\b", re.IGNORECASE
)


class Mention(NamedTuple):
    """A phrase found in a text: what it stands for and where it stands."""

    label: str
    start: int
    end: int


@lru_cache(maxsize=4096)
def question_options(question: str) -> dict[str, str]:
    """The options that a question lists, one a line, as letter -> text; empty if it lists fewer than two from A on.

    Example:
        >>> question_options("How does she feel?\\nA. Sad\\nB. Happy")
        {'A': 'Sad', 'B': 'Happy'}
    """
    options: dict[str, str] = {}
    for letter, text in _OPTION_LINE.findall(question):
        if letter == chr(ord("A") + len(options)):
            options[letter] = text.rstrip(".")
    return options if len(options) > 1 else {}


@lru_cache(maxsize=4096)
def normalise(label: str) -> str:
    """One spelling of a label: lower case, one space for underscores, hyphens and spaces.

    Example:
        >>> normalise("Black_Hair")
        'black hair'
    """
    return re.sub(r"[\s_-]+", " ", label).strip().lower()


def clean(text: str) -> str:
    """Text without markdown marks, with half-width punctuation and one kind of quotation mark."""
    text = unicodedata.normalize("NFKC", text).replace("。", ".").replace("、", ",").replace("’", "'")
    return re.sub(r"[*`#>\"“”]+", "", text).strip()


def final_part(text: str) -> str | None:
    """What follows the last "the answer is", and a "but" after a refusal; None for a refusal that gives no answer."""
    *_, start = 0, *(match.end() for match in _ANSWER_IS.finditer(text))
    text = text[start:]
    if refusal := _REFUSAL.search(text):
        goes_on = _GOES_ON.search(text, refusal.end())
        return final_part(text[goes_on.end() :]) if goes_on else None
    return text


@lru_cache(maxsize=1024)
def _phrase_pattern(phrases: tuple[str, ...]) -> re.Pattern:
    longest_first = sorted(phrases, key=len, reverse=True)
    words = (r"[\s_-]+".join(re.escape(word) for word in phrase.split(" ")) for phrase in longest_first)
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(words)})(?![^\W_])", re.IGNORECASE)


def find_mentions(text: str, phrases: Mapping[str, str]) -> list[Mention]:
    """The phrases found in a text as whole words, the longest first, without those that are negated.

    Args:
        text: What is searched.
        phrases: Normalised phrase -> the label that it stands for.
    """
    if not phrases:
        return []
    matches = list(_phrase_pattern(tuple(phrases)).finditer(text))
    # A label may hold a negation itself ("no_beard"): only words outside labels negate.
    masked = text
    for match in matches:
        masked = masked[: match.start()] + "x" * len(match.group()) + masked[match.end() :]
    return [
        Mention(phrases[normalise(match.group())], match.start(), match.end())
        for match in matches
        if not _is_negated(masked, match.start())
    ]


def _is_negated(text: str, position: int) -> bool:
    clause = _CLAUSE_END.split(text[:position])[-1]
    words_before = " ".join(clause.split()[-_NEGATION_REACH:])
    return bool(_NEGATION.search(words_before))


def parse_single_choice(text: str, options: Mapping[str, str], phrases: Mapping[str, str]) -> str | None:
    """The one option that a text names, by letter, by text or by both; None if none or several.

    A first sentence that is nothing but an option decides, if no later sentence is nothing but another option or names
    another letter: "B. Sad. Her face is not neutral" is B. Elsewhere, every sentence has a say.

    Args:
        text: The model's answer.
        options: Letter -> label.
        phrases: Normalised phrase -> label: the options' texts and their aliases.
    """
    text = final_part(clean(text))
    if not text:
        return None
    text = re.sub(r"^(\W*)([a-z])(?=\s*[.):]|\W*$)", lambda m: m[1] + m[2].upper(), text)
    text = re.sub(r"(?<![\w'(])([A-Z])\s?[.):](?=\s|$)", r"(\1)", text)  # so that "B." ends no sentence
    sentences = [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip()]
    if not sentences:
        return None
    named = [_options_named(sentence, options, phrases) for sentence in sentences]
    if _is_bare(sentences[0], options, phrases) and len(named[0]) == 1:
        others = [
            {options[letter] for letter, _, _ in _letters(s, options)} | (n if _is_bare(s, options, phrases) else set())
            for s, n in zip(sentences[1:], named[1:], strict=True)
        ]
        found = named[0].union(*others)
    else:
        found = set().union(*named)
    return found.pop() if len(found) == 1 else None


def _letters(sentence: str, options: Mapping[str, str]) -> list[Mention]:
    """Capital letters of options that stand alone; "A" and "I" only where they cannot be words."""
    found = []
    for match in re.finditer(r"(?<![\w'])([A-Z])(?![\w'°])", sentence):
        follows = sentence[match.end() :]
        a_word = match[1] in "AI" and re.match(r"\s+(?!(?:or|and|is|because|since)\b)\w", follows)
        if match[1] in options and not a_word and not _is_negated(sentence, match.start()):
            found.append(Mention(match[1], match.start(), match.end()))
    return found


def _options_named(sentence: str, options: Mapping[str, str], phrases: Mapping[str, str]) -> set[str]:
    by_letter = {options[letter] for letter, _, _ in _letters(sentence, options)}
    return by_letter | {mention.label for mention in find_mentions(sentence, phrases)}


def _is_bare(sentence: str, options: Mapping[str, str], phrases: Mapping[str, str]) -> bool:
    """Whether a sentence has options, and no word besides."""
    mentions = _letters(sentence, options) + find_mentions(sentence, phrases)
    rest = list(sentence)
    for _, start, end in mentions:
        rest[start:end] = " " * (end - start)
    return bool(mentions) and not re.search(r"\w", "".join(rest))


_YES = re.compile(r"^\W*(?:yes|yeah|yep|correct|true)\b|\byes\b", re.IGNORECASE)
_NO = re.compile(r"^\W*(?:no|nope|incorrect|false)\b(?!\s+(?:doubt|differen))|\bno(?=\s*(?:[.,;:!)]|$))", re.IGNORECASE)
_SAME = {"same": "same", "one person": "same", "identical": "same", "different": "different", "differ": "different"}


def parse_yes_no(text: str, question: str = "") -> str | None:
    """``Yes`` or ``No``, said so or in words about being the same person; None if neither or both.

    Words are turned round where the question asks whether the persons differ.
    """
    text = final_part(clean(text))
    if not text:
        return None
    found = set()
    if _YES.search(text):
        found.add("Yes")
    if _NO.search(text):
        found.add("No")
    asked_to_differ = "different" in question.lower() and "same" not in question.lower()
    for match in _phrase_pattern(tuple(_SAME)).finditer(text):
        is_same = (_SAME[normalise(match.group())] == "same") != _is_negated(text, match.start())
        found.add("Yes" if is_same != asked_to_differ else "No")
    return found.pop() if len(found) == 1 else None


def parse_label_set(text: str, phrases: Mapping[str, str]) -> frozenset[str] | None:
    """All labels that a text names; the empty set for "none"; None if it names nothing it could be read by."""
    text = final_part(clean(text))
    if not text:
        return None
    labels = frozenset(mention.label for mention in find_mentions(text, phrases))
    return labels if labels or _NONE.match(text) else None


_BARE_LETTERS = re.compile(r"[A-Z](?:(?:[\s,;.&/()]|and)*[A-Z])*[\s.)]*", re.IGNORECASE)


def parse_listed_labels(text: str, options: Mapping[str, str], phrases: Mapping[str, str]) -> frozenset[str] | None:
    """All labels that a text names by the letters of listed options, by words or by both.

    "A, C", "AC", "A. Anger, C. Fear" and "anger and fear" are the same; None where a letter contradicts its text.

    Args:
        text: The model's answer.
        options: Letter -> label: what the question lists.
        phrases: Normalised phrase -> label.
    """
    text = final_part(clean(text))
    if not text:
        return None
    bare = re.sub(r"\band\b", " ", text, flags=re.IGNORECASE)
    letters = re.findall(r"[A-Z]", bare.upper())
    if _BARE_LETTERS.fullmatch(bare.strip(" (")) and set(letters) <= set(options) and len(set(letters)) == len(letters):
        return frozenset(options[letter] for letter in letters)
    words = find_mentions(text, phrases)
    for letter, start in ((match[1], match.end()) for match in re.finditer(r"\b([A-Z])\s?[.):]\s*", text)):
        if any(word.start == start and word.label != options.get(letter) for word in words):
            return None
    found = {word.label for word in words} | {options[letter] for letter, _, _ in _letters(text, options)}
    return frozenset(found) if found or _NONE.match(text) else None


_NUMBERED_UNIT = re.compile(r"(?<![^\W_])(?:AUs?|action[ _]units?)[\s_-]*0*(\d+)(?!\w)", re.IGNORECASE)
_BARE_NUMBERS = re.compile(r"[\s,;.&\[\]()0-9]+")


def spell_action_units(text: str) -> str:
    """Action units in one spelling: "AU 04", "action unit 4" and "au_4" become "AU4".

    Numbers alone count only where the text is nothing else, so that an intensity is never taken for a unit.

    Example:
        >>> spell_action_units("Action unit 04 and au 12"), spell_action_units("1, 4")
        ('AU4 and AU12', 'AU1, AU4')
    """
    bare = text.replace(" and ", ", ")
    if _BARE_NUMBERS.fullmatch(bare):
        return re.sub(r"0*(\d+)", r"AU\1", bare)
    return _NUMBERED_UNIT.sub(r"AU\1", text)


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

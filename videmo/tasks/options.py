"""The options of a choice: what a question lists, and their letters and words in an answer."""

import re
from collections.abc import Container, Iterable, Mapping
from functools import lru_cache

from videmo.tasks.mentions import Mention, find_phrases, normalise, phrase_table, with_stances

_OPTION_LINE = re.compile(r"^\s*\(?([A-Z])\s?[.):]\s*(\S.*?)\s*$", re.MULTILINE)


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


def list_options(question: str, options: Iterable[str]) -> str:
    """A question with options, one a line under letters from A on.

    Example:
        >>> list_options("How does she feel?", ["Sad", "Happy"]).splitlines()
        ['How does she feel?', 'A. Sad', 'B. Happy']
    """
    return "\n".join([question, *(f"{chr(ord('A') + place)}. {option}" for place, option in enumerate(options))])


def without_options(question: str) -> str:
    """A question without the lines of the options that it lists.

    Example:
        >>> without_options("How does she feel?\\nA. Sad\\nB. Happy")
        'How does she feel?'
    """
    options = question_options(question)
    lines = [(line, _OPTION_LINE.fullmatch(line)) for line in question.split("\n")]
    return "\n".join(line for line, option in lines if not option or options.get(option[1]) != option[2].rstrip("."))


_SMALL_WORDS = frozenset(
    ["a", "an", "the", "of", "and", "or", "with", "in", "on", "at", "to", "is", "are", "no", "not"]
)


def choice_table(options: Iterable[str], aliases: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Normalised phrase -> the options that it leaves: an option, a word of options, and the aliases of either.

    Example:
        >>> sorted(choice_table(["Weak Fear", "Weak Sad"], {"Weak": ["slight"]})["slight"])
        ['Weak Fear', 'Weak Sad']
    """
    options = list(options)
    table = {phrase: frozenset([label]) for phrase, label in phrase_table(options, aliases).items()}
    by_spelling = {normalise(label): words for label, words in aliases.items()}
    parts: dict[str, set[str]] = {}
    for option in options:
        words = normalise(option).split()
        for length in range(1, len(words)):
            for start in range(len(words) - length + 1):
                part = " ".join(words[start : start + length])
                if part in by_spelling or (length == 1 and part not in _SMALL_WORDS):
                    parts.setdefault(part, set()).add(option)
    whole = set(table)
    for part, labels in parts.items():
        for phrase in (part, *map(normalise, by_spelling.get(part, ()))):
            # A word that is an option itself ("Negative") is a part of others, too; `_decide` prefers the option.
            if phrase not in whole or (len(labels) > 1 and part in whole):
                table[phrase] = table.get(phrase, frozenset()) | labels
    return table


def mentions_of_options(text: str, options: Mapping[str, str], phrases: Mapping[str, frozenset[str]]) -> list[Mention]:
    """Letters and phrases of options in a text, with the options that each leaves; "B. Sad" and "sad (B)" are one."""
    words = find_phrases(text, phrases)
    letters = find_letters(text, options, {word.start for word in words})
    found: list[Mention] = []
    for mention in sorted(letters + words, key=lambda mention: mention.start):
        last = found[-1] if found else mention
        joint = _LETTER_TO_LABEL if isinstance(last.meaning, str) else _LABEL_TO_LETTER
        if isinstance(last.meaning, str) != isinstance(mention.meaning, str) and joint.fullmatch(
            text, last.end, mention.start
        ):
            both = _options_meant(found.pop(), options) & _options_meant(mention, options)
            mention = Mention(both, last.start, mention.end)
        found.append(mention)
    return with_stances(text, [mention._replace(meaning=_options_meant(mention, options)) for mention in found])


def _options_meant(mention: Mention, options: Mapping[str, str]) -> frozenset[str]:
    if isinstance(mention.meaning, frozenset):
        return mention.meaning
    return frozenset([options[mention.meaning]]) if mention.meaning in options else frozenset()


_LETTER_TO_LABEL = re.compile(r"\s?[.):\]]+\s*|\s?[:=-]\s|\s")
_LABEL_TO_LETTER = re.compile(r"\s?[(\[]\s?(?:option |choice )?")
# Letters that are no answers: "Person A", "Speaker B".
_NAMED_BY_LETTER = re.compile(
    r"\b(?:person|speaker|video|clip|character|man|woman|image|frame|figure|subject|part|type|plan|vitamin|step)\s$",
    re.IGNORECASE,
)
_LOWER_LETTER = re.compile(
    r"(?:^\W*|[(\[{]\s?|\b(?:option|choice|answer|letter|choose|pick|select)\s?:?\s|(?:选项?"
    r"|答案是?)\s?:?\s?)([a-z])(?=\s*[.):\]},](?![\w])|\W*$)",
    re.IGNORECASE,
)
_WORD_FOLLOWS = re.compile(
    r"\s+(?!(?:or|and|is|because|since|fits|seems|best|but|not|as the|for the|would|appears|are|do|does|matches)\b)\w"
)


def find_letters(text: str, options: Mapping[str, str], word_starts: Container[int] = ()) -> list[Mention]:
    """Letters that stand alone as options do; "A" and "I" only where they cannot be words.

    A letter that no option has is found where a label directly follows it: it contradicts that label.
    """
    found = []
    lower = {match.start(1) for match in _LOWER_LETTER.finditer(text)}
    for match in re.finditer(r"(?<![A-Za-z0-9'&])([A-Za-z])(?![A-Za-z0-9'°&])(?:\s?[.):\]]+\s*(?=\w))?", text):
        letter, start = match[1].upper(), match.start(1)
        if match[1] != letter and start not in lower:
            continue
        follows = text[start + 1 : start + 16]
        is_word = (
            letter in "AI"
            and _WORD_FOLLOWS.match(follows)
            and not re.search(r"\b(?:option|choice)\s$", text[max(0, start - 8) : start], re.I)
        )
        if is_word or _NAMED_BY_LETTER.search(text[max(0, start - 12) : start]):
            continue
        if letter in options or (match.end() > start + 1 and match.end() in word_starts):
            found.append(Mention(letter, start, start + 1))
    return found


def without_listed_options(text: str, options: Mapping[str, str]) -> str:
    """A text without the options repeated in it, line by line or in brackets, if it says something besides."""
    if len(question_options(text)) == len(options):
        text = _OPTION_LINE.sub(" ", text, count=len(options))
    return _OPTIONS_IN_BRACKETS.sub(" ", text)


_OPTIONS_IN_BRACKETS = re.compile(
    r"\b(?:options|choices|candidates|categories|emotions|labels|list|following)\b[^.\n():]{0,40}\([^()\n]*,[^()\n]*\)",
    re.IGNORECASE,
)

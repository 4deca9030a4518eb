"""A judge's reply to its value, tolerant about form and strict about meaning.

A reply may be JSON, fenced or between words, or plain text: "Score: 85", "85/100", "yes.", "label_overlap: 70, ...".
It is read only if it can mean one thing. What is off the scale, says two different things, names a label that was not
listed, lacks one of six scores or was cut short is not readable, with a sentence why: it is never guessed, and never a
zero.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from videmo.affect import AffectiveTree
from videmo.errors import InputError
from videmo.judge.json_values import UnreadableReply, json_in, short
from videmo.judge.prompt import Prompt
from videmo.judge.question import SCORES, Question, Value
from videmo.tasks import question_options
from videmo.tasks.mentions import normalise


def read_reply(text: str, prompt: Prompt, question: Question) -> Value:
    """The value that a reply states.

    Raises:
        UnreadableReply: If it states none, or not one.

    Example:
        >>> from videmo.judge.prompt import load_prompts
        >>> question = Question("caption", {"question": "", "reference": "A sad man.", "response": "He is sad."})
        >>> read_reply("**Score:** 85/100", load_prompts()["caption"], question)
        85.0
    """
    return _READERS[prompt.reply](what_was_said(text), prompt, question)


def what_was_said(text: str) -> str:
    """A reply without the thoughts before it.

    Raises:
        UnreadableReply: If there is nothing else, or a web page.
    """
    text = _THOUGHTS.sub("", text).strip()
    if not text:
        raise UnreadableReply("the reply is empty")
    if _PAGE.match(text):
        raise UnreadableReply(f"the reply is a web page: {short(text)}")
    return text


_THOUGHTS = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)
_PAGE = re.compile(r"<!doctype|<html|<\?xml|<head|<body", re.IGNORECASE)
_NUMBER = r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)"
_OUT_OF = rf"\s*(?:/|out\s+of)\s*({_NUMBER})"
_AMOUNT = re.compile(rf"({_NUMBER})(?:{_OUT_OF})?\s*(%|percent|points?)?\.?", re.IGNORECASE)
_STATED = rf"(?P<number>{_NUMBER})(?:{_OUT_OF}|\s*%)?"
_SCALE_NOTE = r"(?:\s*\([^()\n]*\)|\s+(?:from|between)\s+\d+\s+(?:to|and)\s+\d+|\s+\d+\s*-\s*\d+(?=\s*:))?"
_IS = r"\s*(?::|=|\bis\b|\bof\b|[–—]|-(?=\s))\s*"
_SCORE = re.compile(rf"\b(?:score|rating|grade){_SCALE_NOTE}{_IS}{_STATED}", re.IGNORECASE)
_FRACTION = re.compile(rf"(?<![\w.])(?P<number>{_NUMBER}){_OUT_OF}(?![\w.]*\d)", re.IGNORECASE)
_GOES_ON = re.compile(r"\s*(?:-|–|to\b|or\b)\s*\d|,\d|\w", re.IGNORECASE)  # 80-90, 80 or 90, 8,5


def _key(name: str) -> str:
    return normalise(name).replace(" ", "_")


def _on_scale(name: str, number: float, out_of: float | None, prompt: Prompt) -> float:
    """A score as a share of its scale's top, 0..100."""
    assert prompt.scale is not None
    low, high = prompt.scale
    if out_of is not None and out_of != high:
        raise UnreadableReply(f"{name} is out of {out_of:g}, but the scale is {low:g} to {high:g}")
    if not low <= number <= high:
        raise UnreadableReply(f"{name} {number:g} is off the scale {low:g} to {high:g}")
    if high >= 10 and 0 < number < 1:
        raise UnreadableReply(
            f"{name} {number:g} looks like one on a scale of 0 to 1, but the scale is {low:g} to {high:g}"
        )
    return number * 100 / high


def _amount(name: str, value: object, prompt: Prompt) -> float:
    """A score that stands alone: a number, or a text that is nothing but one."""
    if isinstance(value, dict) and len(kept := [v for k, v in value.items() if _key(k) in ("score", "rating")]) == 1:
        return _amount(name, kept[0], prompt)
    if isinstance(value, str) and (match := _AMOUNT.fullmatch(value.strip().strip("*_`'\" ").strip())):
        number, out_of, unit = match.groups()
        if unit in ("%", "percent") and out_of is None:
            out_of = "100"
        return _on_scale(name, float(number), float(out_of) if out_of else None, prompt)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableReply(f"{name} is no number: {short(str(value))}")
    # By its text, since an int may be too large for a float; that is infinite then, and off the scale.
    return _on_scale(name, float(str(value)), None, prompt)


def _the_one(name: str, matches: Iterable[re.Match], text: str, prompt: Prompt) -> float | None:
    """What all matches state; None without any.

    Raises:
        UnreadableReply: If they state different numbers, a range of them, or one off the scale.
    """
    values = set()
    for match in matches:
        out_of = match[2]
        if out_of is None and _GOES_ON.match(text, match.end()):
            raise UnreadableReply(f"{name} is not one number: {short(text[match.start() :])}")
        if match.group().rstrip().endswith("%"):
            out_of = "100"
        values.add(_on_scale(name, float(match["number"]), float(out_of) if out_of else None, prompt))
    if len(values) > 1:
        raise UnreadableReply(
            f"{name} is {' and '.join(f'{value:g}' for value in sorted(values))} at once: {short(text)}"
        )
    return values.pop() if values else None


def _plain(text: str) -> str:
    return re.sub(r"[*`_\"“”]{1,3}(?=\W|$)|(?<!\w)[*`_\"“”]{1,3}", "", text)


def _read_score(text: str, prompt: Prompt, question: Question) -> float:
    data = json_in(text)
    if isinstance(data, dict):
        named = [value for key, value in data.items() if _key(key) in ("score", "rating", "grade")]
        if len(named) != 1:
            raise UnreadableReply(f"the reply's JSON has {'no' if not named else 'more than one'} score: {short(text)}")
        return _amount("the score", named[0], prompt)
    text = _plain(text)
    if _AMOUNT.fullmatch(text.strip()):
        return _amount("the score", text, prompt)
    stated, top = [*_SCORE.finditer(text)], prompt.scale[1] if prompt.scale else None
    # Beside a stated score, "3/4 of the clues" is no score; "90/100" would be a second one.
    stated += [found for found in _FRACTION.finditer(text) if not stated or float(found[2]) == top]
    value = _the_one("the score", stated, text, prompt)
    if value is None:
        raise UnreadableReply(f"the reply states no score: {short(text)}")
    return value


def _read_scores(text: str, prompt: Prompt, question: Question) -> dict[str, float]:
    data = json_in(text)
    if isinstance(data, dict):
        if len(data) == 1 and isinstance(inner := next(iter(data.values())), dict):
            data = inner
        given = {_key(key): value for key, value in data.items()}
        found = {name: _amount(name, given[name], prompt) for name in SCORES if name in given}
    else:
        text = _plain(text)
        found = {name: _the_one(name, pattern.finditer(text), text, prompt) for name, pattern in _NAMED.items()}
        found = {name: value for name, value in found.items() if value is not None}
    if absent := [name for name in SCORES if name not in found]:
        raise UnreadableReply(f"the reply lacks {', '.join(absent)}: {short(text)}")
    return found


def _named(name: str) -> re.Pattern:
    words = r"[\s_-]+".join(name.split("_"))
    return re.compile(rf"\b{words}(?:[\s_-]+score)?{_SCALE_NOTE}{_IS}{_STATED}", re.IGNORECASE)


_NAMED = {name: _named(name) for name in SCORES}

_SAYS = {"yes": True, "true": True, "correct": True, "no": False, "false": False, "incorrect": False}
_WORD = rf"({'|'.join(_SAYS)})\b"
_FIRST = re.compile(rf"\W*{_WORD}(?!\s+(?:doubt|question|problem|wonder|idea|way))", re.IGNORECASE)
_LINE = re.compile(rf"^\W*{_WORD}\W*$", re.IGNORECASE | re.MULTILINE)
_CONCLUDES = re.compile(rf"\b(?:answer|verdict|judge?ment|result|conclusion|response){_IS}{_WORD}", re.IGNORECASE)
_HEDGE = re.compile(rf"\b{_WORD}[\s,/]+(?:and|or)?\s*{_WORD}", re.IGNORECASE)


def _read_yes_no(text: str, prompt: Prompt, question: Question) -> bool:
    data = json_in(text)
    if isinstance(data, dict):
        named = [value for key, value in data.items() if _key(key) in _CONCLUSIONS]
        words = {str(value).strip(" .").lower() for value in named}
    else:
        text = _plain(text)
        if any(_SAYS[a.lower()] != _SAYS[b.lower()] for a, b in _HEDGE.findall(text)):
            raise UnreadableReply(f"the reply says both yes and no: {short(text)}")
        first = _FIRST.match(text)
        said = [*_LINE.findall(text), *_CONCLUDES.findall(text), *([first[1]] if first else [])]
        words = {word.lower() for word in said}
    if not words or not words <= {*_SAYS}:
        raise UnreadableReply(f"the reply says neither yes nor no: {short(text)}")
    values = {_SAYS[word] for word in words}
    if len(values) > 1:
        raise UnreadableReply(f"the reply says both yes and no: {short(text)}")
    return values.pop()


_CONCLUSIONS = {"answer", "verdict", "judgment", "judgement", "result", "correct", "is_correct", "right"}
_NO_LABEL = {"none", "no label", "no labels", "nothing", "n/a", "none of them", "none of the labels", "empty"}


def _read_labels(text: str, prompt: Prompt, question: Question) -> tuple[str, ...]:
    known = {normalise(label): label for label in question.listed_labels}
    data = json_in(text)
    if isinstance(data, dict):
        named = [value for key, value in data.items() if _key(key) in ("labels", "label", "answer")]
        if len(named) != 1:
            raise UnreadableReply(f"the reply's JSON has no labels: {short(text)}")
        data = named[0]
    elif data is None:
        data = text
    items = _listed(_plain(data), known) if isinstance(data, str) else data
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise UnreadableReply(f"the reply's labels are no list of texts: {short(text)}")
    if len(items) == 1 and normalise(items[0]) not in known and normalise(items[0]).strip(" .") in _NO_LABEL:
        return ()
    options = {letter: normalise(option) for letter, option in question_options(question.fields["question"]).items()}
    named = [_label(item, known, options) for item in items]
    return tuple(label for label in known.values() if label in named)


def _listed(text: str, known: Mapping[str, str]) -> list[str]:
    """The items of a plain text: a label, or several between commas, line breaks or "and"; a heading does not count."""
    heading = r"^[^:\n]*\b(?:labels?|answers?)\b[^:\n]*(?::|\b(?:is|are)\b)\s*"
    text = re.sub(heading, "", text.strip(), flags=re.IGNORECASE)
    items = []
    for piece in re.split(r"[,;\n]+", text.strip("[] ")):
        piece = re.sub(r"^\s*(?:[-•]\s+|\d+[.)]\s+|and\s+)*", "", piece)
        items += [piece] if normalise(piece) in known else re.split(r"\s+and\s+", piece)
    return [item for item in items if item.strip(" .")]


def _label(item: str, known: Mapping[str, str], options: Mapping[str, str]) -> str:
    """The listed label that an item is: by its text, by the letter of the question's option, or by both."""
    if normalise(item) in known:
        return known[normalise(item)]
    match = _LETTERED.fullmatch(item.strip(" .'\"[]"))
    assert match is not None
    letter, words = match[1], normalise(match[2])
    if letter and not words:
        words = options.get(letter, "")
    elif letter and options.get(letter, words) != words:
        raise UnreadableReply(f"the reply names {item.strip()!r}, but {letter} is {options[letter]!r} in the question")
    if words not in known:
        raise UnreadableReply(f"the reply names {item.strip()!r}, which is no listed label")
    return known[words]


_LETTERED = re.compile(r"(?:\(?([A-Z])(?:[.):]+\s*|$))?(.*)", re.DOTALL)


def _read_tree(text: str, prompt: Prompt, question: Question) -> AffectiveTree:
    data = json_in(text)
    if isinstance(data, dict) and "label" not in data and len(data) == 1:
        data = next(iter(data.values()))  # {"tree": {...}}
    try:
        if isinstance(data, dict):
            tree = AffectiveTree.from_json(_lower(data))
        elif data is None and text.lower().startswith("video"):
            tree = AffectiveTree.from_compact(text.lower())
        else:
            raise UnreadableReply(f"the reply is no tree: {short(text)}")
    except (InputError, RecursionError) as error:
        why = "it is nested without end" if isinstance(error, RecursionError) else error
        raise UnreadableReply(f"the reply is no affective tree: {why}") from None
    if tree.label != "video":
        raise UnreadableReply(f"the reply's tree has the root {tree.label!r} instead of 'video'")
    if odd := [child.label for child in tree.children if child.aspect not in ("person", "scene")]:
        raise UnreadableReply(f"the reply's tree has {odd[0]!r} beneath 'video', where persons and the scene stand")
    return tree


def _lower(node: Any) -> Any:
    """A node of a tree with labels in lower case and single spaces; what is no node stays, to be refused."""
    if isinstance(node, list):
        return [_lower(child) for child in node]
    if not isinstance(node, dict):
        return node
    lowered = {key: _lower(value) if key == "children" else value for key, value in node.items()}
    if isinstance(node.get("label"), str):
        lowered["label"] = " ".join(node["label"].lower().split())
    return lowered


_READERS: dict[str, Callable[[str, Prompt, Question], Value]] = {
    "labels": _read_labels,
    "yes_no": _read_yes_no,
    "score": _read_score,
    "scores": _read_scores,
    "tree": _read_tree,
}

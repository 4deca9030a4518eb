"""The JSON value that a judge's reply is or holds, if it holds one and ends it."""

import json
import re

# A bracket in prose ("[1]") is not JSON's; one that opens an object, the reply or a fenced block is.
_OPENING = re.compile(r"\{(?=\s*[\"}]|\s*$)|(?:^|```(?:json)?)\s*\[", re.IGNORECASE)


class UnreadableReply(ValueError):
    """A reply that has no one meaning; the message says why."""


def short(text: str) -> str:
    """The beginning of a text, for messages."""
    text = " ".join(text.split())
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def json_in(text: str) -> object | None:
    """The one JSON value that a reply is or holds; None for plain text.

    Raises:
        UnreadableReply: If it begins a JSON value that does not end, or holds several different ones.

    Example:
        >>> json_in('Here: {"score": 85}. I hope it helps.'), json_in("Score: 85")
        ({'score': 85}, None)
    """
    decoder = json.JSONDecoder(object_pairs_hook=_without_doubles, parse_constant=_no_number)
    found, start = [], 0
    while opening := _OPENING.search(text, start):
        begin = opening.end() - 1
        try:
            value, start = decoder.raw_decode(text, begin)
        except UnreadableReply:
            raise
        except (ValueError, RecursionError):  # a number of thousands of digits is a plain ValueError
            raise UnreadableReply(f"the reply's JSON is cut short or broken: {short(text[begin:])}") from None
        found.append(value)
    if any(value != found[0] for value in found):
        raise UnreadableReply(f"the reply holds {len(found)} different JSON values: {short(text)}")
    return found[0] if found else None


def _without_doubles(pairs: list[tuple[str, object]]) -> dict:
    found: dict[str, object] = {}
    for key, value in pairs:
        if found.setdefault(key, value) != value:
            raise UnreadableReply(f"the reply's JSON says {key} twice, as {found[key]!r} and {value!r}")
    return found


def _no_number(name: str) -> None:
    raise UnreadableReply(f"the reply's JSON holds {name}, which is no number")

"""Records of the release's (ms-swift's) format: one JSON list a file, or JSON lines.

A record is ``{"messages": [{"role", "content"}, ...], "videos": [path, ...], "source": name}``; each ``<video>`` in the
messages stands for the next entry of ``videos``. Reading checks every field, and a fault names the file and the line.
`videmo.data.entries` says where a file's records begin and end.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videmo.data.entries import scan
from videmo.data.faults import Fault
from videmo.errors import InputError

VIDEO_PLACEHOLDER = "<video>"
_SPECIAL = re.compile(r"<(?:video|image|audio)>|<\|\w+\|>")
ROLES = ("system", "user", "assistant")


class RecordError(InputError):
    """A record that cannot be used; the message says which file and line, what is wrong and how to mend it."""


@dataclass(frozen=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True)
class Record:
    """One conversation about zero or more videos.

    Attributes:
        messages: The turns in order; the trained or expected answers are those of the role ``assistant``.
        videos: Paths as written in the file, one for each ``<video>`` in the messages.
        source: The record's own ``source`` field, or the file's stem where it has none.
        file: The file that it was read from.
        line: Its line in that file, counted from 1.
    """

    messages: tuple[Message, ...]
    videos: tuple[str, ...]
    source: str
    file: str
    line: int

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def prompt(self) -> tuple[Message, ...]:
        """The turns before the last answer."""
        return self.messages[: self._last_answer]

    @property
    def question(self) -> str:
        """The user's turns before the last answer, without video placeholders, joined by newlines."""
        turns = [m.content for m in self.prompt if m.role == "user"]
        return "\n".join(turns).replace(VIDEO_PLACEHOLDER, "").strip()

    @property
    def answer(self) -> str:
        """The last assistant turn: what a model is asked for in a test."""
        return self.messages[self._last_answer].content

    @property
    def _last_answer(self) -> int:
        return max(i for i, m in enumerate(self.messages) if m.role == "assistant")


def special_tokens(text: str) -> list[str]:
    """What in a text a template or tokenizer would take for more than text.

    >>> special_tokens("sad <|im_end|> <video> <b>"), special_tokens("a < b")
    (['<|im_end|>', '<video>'], [])
    """
    return _SPECIAL.findall(text)


def what_is_wrong(fields: object) -> str | None:
    """The first reason why a decoded JSON value is no record; None where it is one."""
    if not isinstance(fields, dict):
        return f'expected a JSON object with "messages" and "videos", found {type(fields).__name__}'
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        return '"messages" must be a non-empty list of {"role", "content"}'
    answered, placeholders = False, 0
    for number, turn in enumerate(messages):
        role, content = (turn.get("role"), turn.get("content")) if isinstance(turn, dict) else (None, None)
        if role not in ROLES or not isinstance(content, str):
            return f'messages[{number}] is not {{"role": {" | ".join(ROLES)}, "content": text}}; write it so'
        if not _is_unicode(content):
            return f"messages[{number}] holds half a surrogate pair (\\ud800 to \\udfff), which is no character"
        answered = answered or (role == "assistant" and bool(content.strip()))
        placeholders += content.count(VIDEO_PLACEHOLDER)
    if not answered:
        return "no assistant turn with an answer; add one, or remove the record"
    if next(turn["role"] for turn in messages if turn["role"] != "system") == "assistant":
        return "the assistant speaks first; put the question before its answer, or remove the record"
    videos = fields.get("videos", [])
    if not isinstance(videos, list) or not all(isinstance(v, str) and v and "\0" not in v for v in videos):
        return '"videos" must be a list of paths'
    if not all(map(_is_unicode, videos)):
        return '"videos" holds half a surrogate pair (\\ud800 to \\udfff), which is no character'
    if placeholders != len(videos):
        return (
            f'{VIDEO_PLACEHOLDER} stands {placeholders} times in the messages, but "videos" has {len(videos)}; write '
            "it once for each video, where it is shown"
        )
    source = fields.get("source", "")
    if not isinstance(source, str) or not _is_unicode(source):
        return '"source" must be text'
    return None


def make_record(fields: dict, file: str, line: int) -> Record:
    """The record of a decoded JSON object in which nothing is wrong."""
    messages = tuple(Message(turn["role"], turn["content"]) for turn in fields["messages"])
    source = fields["source"] if "source" in fields else Path(file).stem
    return Record(messages, tuple(fields.get("videos", ())), source, file, line)


def parse_record(fields: Any, file: str, line: int) -> Record:
    """Check one decoded JSON value and make it a record.

    Raises:
        RecordError: Naming file and line, if a field is missing or of the wrong type, if no assistant turn answers,
            or if the number of ``<video>`` placeholders differs from the number of videos.
    """
    if reason := what_is_wrong(fields):
        raise RecordError(str(Fault(file, line, reason)))
    return make_record(fields, file, line)


def read_records(file: str | Path) -> Iterator[Record]:
    """Yield the records of one ``.json`` (list or lines) or ``.jsonl`` file, in order.

    Raises:
        RecordError: If there is no such file, or at the first malformed line or record.
    """
    if not Path(file).is_file():
        raise RecordError(f"no such data file: {file}")
    for entry in scan(file):
        if entry.reason:
            raise RecordError(str(Fault(str(file), entry.line, entry.reason)))
        yield parse_record(entry.fields, str(file), entry.line)


def read_record(data: bytes, file: str, line: int) -> Record:
    """The record that an index says these bytes are.

    Raises:
        RecordError: If they are none: the file changed since.
    """
    fields: Any = None
    with suppress(ValueError, RecursionError):
        fields = json.loads(data)
    if what_is_wrong(fields):
        raise RecordError(
            f"{file}:{line}: the file changed while it was in use, or since it was indexed and its time was set back; "
            "start again, in the latter case after removing .videmo from the data folder"
        )
    return make_record(fields, file, line)


def _is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8, as tokenizers and file systems need it."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

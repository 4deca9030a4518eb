"""Records of the release's (ms-swift's) format: one JSON list a file, or JSON lines.

A record is ``{"messages": [{"role", "content"}, ...], "videos": [path, ...], "source": name}``; each ``<video>`` in the
messages stands for the next entry of ``videos``. Reading checks every field, and an error names the file and the line.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from videmo.errors import InputError

VIDEO_PLACEHOLDER = "<video>"
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
    def question(self) -> str:
        """The user's turns before the last answer, without video placeholders, joined by newlines."""
        turns = [m.content for m in self.messages[: self._last_answer] if m.role == "user"]
        return "\n".join(turns).replace(VIDEO_PLACEHOLDER, "").strip()

    @property
    def answer(self) -> str:
        """The last assistant turn: what a model is asked for in a test."""
        return self.messages[self._last_answer].content

    @property
    def _last_answer(self) -> int:
        return max(i for i, m in enumerate(self.messages) if m.role == "assistant")


def parse_record(fields: object, file: str, line: int) -> Record:
    """Check one decoded JSON value and make it a record.

    Raises:
        RecordError: Naming file and line, if a field is missing or of the wrong type, if no assistant turn answers,
            or if the number of ``<video>`` placeholders differs from the number of videos.
    """

    def fail(what: str) -> RecordError:
        return RecordError(f"{file}:{line}: {what}")

    if not isinstance(fields, dict):
        raise fail(f'expected a JSON object with "messages" and "videos", found {type(fields).__name__}')
    raw_messages = fields.get("messages")
    if not isinstance(raw_messages, list) or not raw_messages:
        raise fail('"messages" must be a non-empty list of {"role", "content"}')
    messages = []
    for number, turn in enumerate(raw_messages):
        if not isinstance(turn, dict) or turn.get("role") not in ROLES or not isinstance(turn.get("content"), str):
            raise fail(f'messages[{number}] must be {{"role": {" | ".join(ROLES)}, "content": text}}')
        messages.append(Message(turn["role"], turn["content"]))
    if not any(m.role == "assistant" and m.content.strip() for m in messages):
        raise fail("no assistant turn with an answer; add one, or remove the record")
    videos = fields.get("videos", [])
    if not isinstance(videos, list) or not all(isinstance(v, str) and v for v in videos):
        raise fail('"videos" must be a list of paths')
    placeholders = sum(m.content.count(VIDEO_PLACEHOLDER) for m in messages)
    if placeholders != len(videos):
        raise fail(f"{placeholders} {VIDEO_PLACEHOLDER} placeholder(s) in the messages but {len(videos)} video(s)")
    source = fields.get("source", Path(file).stem)
    if not isinstance(source, str):
        raise fail('"source" must be text')
    return Record(tuple(messages), tuple(videos), source, file, line)


def read_records(file: str | Path) -> Iterator[Record]:
    """Yield the records of one ``.json`` (list or lines) or ``.jsonl`` file, in order.

    Raises:
        RecordError: If there is no such file, or at the first malformed line or record.
    """
    file = Path(file)
    if not file.is_file():
        raise RecordError(f"no such data file: {file}")
    try:
        with file.open(encoding="utf-8") as stream:
            first = stream.read(1)
            while first.isspace():
                first = stream.read(1)
            stream.seek(0)
            entries = _list_entries(stream.read(), str(file)) if first == "[" else _line_entries(stream, str(file))
            for line, fields in entries:
                yield parse_record(fields, str(file), line)
    except UnicodeDecodeError as error:
        raise RecordError(
            f"{file}: not UTF-8 text ({error.reason} at byte {error.start}); is it a data file?"
        ) from None


def _line_entries(stream, file: str) -> Iterator[tuple[int, object]]:
    for line, text in enumerate(stream, start=1):
        if not text.strip():
            continue
        try:
            yield line, json.loads(text)
        except json.JSONDecodeError as error:
            raise RecordError(f"{file}:{line}: not valid JSON ({error.msg} at column {error.colno})") from None


def _list_entries(text: str, file: str) -> Iterator[tuple[int, object]]:
    """The entries of a JSON list with the line where each starts: decoded one by one, so that an error has its line."""
    decoder = json.JSONDecoder()
    position = _skip_space(text, text.index("[") + 1)
    line, counted = 1, 0
    while True:
        if text[position : position + 1] == "]":
            return
        line += text.count("\n", counted, position)
        counted = position
        try:
            fields, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise RecordError(f"{file}:{error.lineno}: not valid JSON ({error.msg} at column {error.colno})") from None
        yield line, fields
        position = _skip_space(text, end)
        if text[position : position + 1] == ",":
            position = _skip_space(text, position + 1)
        elif text[position : position + 1] != "]":
            at = text.count("\n", 0, position) + 1
            raise RecordError(f"{file}:{at}: not valid JSON (expected ',' or ']' after a record)")


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position

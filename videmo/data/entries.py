"""Where the records of a data file begin and end: a list or lines, in bytes, whatever is broken between them.

A file is read in windows, never as a whole. An entry that is no JSON costs itself only: in lines the next line is
read, in a list the next object that looks like a record. A list cut short keeps what is whole. What is no data file at
all (a picture, a table, an archive) is one fault, told from the file's head.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

HEAD = 2**16  # bytes that tell what a file is
WINDOW = 2**20  # bytes of a list that are decoded at a time
LONGEST = 2**26  # bytes that an entry may have

_BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(r"[ \t\r\n]*")
_RECORD = re.compile(r"""\{\s*["'](?:messages|videos|source)["']\s*:""")  # the braces of a message hold role, content
_BESIDE = re.compile(rb"\}\s*,\s*(?=\{\s*\"(?:messages|videos|source)\"\s*:)")
_LINE_END = re.compile(rb"\n")
_DECODE = json.JSONDecoder().raw_decode
_BAD_BYTE = re.compile("[\udc80-\udcff]")  # as "surrogateescape" decodes it
_CUT = "not valid JSON (the list ends without ']'); the file is cut short here, what stands before is used"
_TOO_LONG = f"not valid JSON (no end within {LONGEST >> 20} MB); a record is an object of a list, or a line"


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a data file, or what is wrong there.

    Attributes:
        offset: Its first byte.
        length: Its bytes.
        line: Its line, from 1; 0 where the whole file is at fault.
        fields: The decoded value.
        reason: Why it could not be decoded.
    """

    offset: int
    length: int
    line: int
    fields: Any = None
    reason: str | None = None


@dataclass(frozen=True)
class Part:
    """A range of a file's bytes that begins and ends between entries.

    Attributes:
        start: Its first byte.
        stop: The byte after its last.
        is_list: Whether the file is a list; it is one of lines otherwise.
        last: Whether the file ends with it.
        line: What its first line is counted as; that of a later part is known when those before it are counted.
    """

    start: int
    stop: int
    is_list: bool
    last: bool = True
    line: int = 1


def scan(file: str | Path) -> Iterator[Entry]:
    """All entries of a file, in order; an empty file has none."""
    with open(file, "rb") as stream:
        whole = _whole_file(stream)
        if isinstance(whole, Entry):
            yield whole
        else:
            yield from scan_part(stream, whole)


def scan_part(stream: BinaryIO, part: Part) -> Iterator[Entry]:
    """The entries of a part of an open file."""
    return _ListReader(stream, part).entries() if part.is_list else _line_entries(stream, part)


def parts(file: str | Path, size: int) -> Entry | list[Part]:
    """Cut a file into parts of about `size` bytes for several processes, or tell why it is no data file.

    Lines are cut after a line's end. A list is cut where an object begins behind another; what looks like this inside
    a record's own fields does too, so that a part whose last entry is a fault may be cut at a wrong place.
    """
    if reason := unreadable(file):
        return Entry(0, 0, 0, reason=reason)
    with open(file, "rb") as stream:
        whole = _whole_file(stream)
        if isinstance(whole, Entry):
            return whole
        cuts = [whole.start]
        for target in range(whole.start + size, whole.stop, size):
            cut = _cut_after(stream, target, whole) if target >= cuts[-1] else None
            if cut is not None:
                cuts.append(cut)
    ends = [*cuts[1:], whole.stop]
    found = [Part(start, stop, whole.is_list, stop == whole.stop) for start, stop in zip(cuts, ends, strict=True)]
    return [replace(found[0], line=whole.line), *found[1:]]


def unreadable(file: str | Path) -> str | None:
    """Why there is nothing to read under a file's name; None where there is."""
    if os.path.isdir(file):
        return "it is a folder; rename it, or leave it out of the pattern"
    if os.path.islink(file) and not os.path.exists(file):
        return f"it is a link to {os.readlink(file)}, which is not there; get that, or remove the link"
    if not os.path.exists(file):
        return "there is no such file; correct its name"
    if not os.path.isfile(file):
        return "it is no file but a pipe or a device; leave it out of the pattern"
    if not os.access(file, os.R_OK):
        return "it may not be read by this user; change its permissions with `chmod`"
    return None


def _cut_after(stream: BinaryIO, target: int, whole: Part) -> int | None:
    data = os.pread(stream.fileno(), HEAD, target)
    match = (_BESIDE if whole.is_list else _LINE_END).search(data)
    return target + match.end() if match and target + match.end() < whole.stop else None


def _whole_file(stream: BinaryIO) -> Part | Entry:
    """The file as one part, or the one fault of what is no data file."""
    size = os.fstat(stream.fileno()).st_size
    head = os.pread(stream.fileno(), HEAD, 0)
    text = head.removeprefix(_BOM).lstrip(b" \t\r\n")
    start = len(head) - len(text)
    if text and (reason := _no_data(text, whole=size <= HEAD)):
        return Entry(0, size, 0, reason=reason)
    is_list = text[:1] == b"[" and not _is_line(text)
    return Part(start + is_list, size, is_list, line=head[:start].count(b"\n") + 1)


def _no_data(text: bytes, whole: bool) -> str | None:
    """Why a file that begins like this is no data file; in one that is, single entries may still be broken."""
    if text.split(b"\n", 1)[0].strip() == b"{":
        return "not valid JSON lines: an object over many lines; put the records into a list, or each on one line"
    if b'"messages"' in text:
        return None
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "not UTF-8 text but UTF-16; save it as UTF-8"
    if b"\0" in text or not _is_utf8(text, whole):
        return "not UTF-8 text, so no data file; leave it out of the pattern"
    if text[:1] not in (b"[", b"{"):
        return "not valid JSON: neither a list of records nor a record a line; leave it out of the pattern"
    return None


def _is_utf8(head: bytes, whole: bool) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return not whole and error.start >= len(head) - 3  # a character cut by the end of the head
    return True


def _is_line(text: bytes) -> bool:
    """Whether a ``[`` opens a first line that is a list of its own, with objects on the lines after it."""
    first, _, rest = text.partition(b"\n")
    return first.rstrip().endswith(b"]") and rest.lstrip()[:1] == b"{"


def _line_entries(stream: BinaryIO, part: Part) -> Iterator[Entry]:
    stream.seek(part.start)
    offset, line = part.start, part.line
    while offset < part.stop and (data := stream.readline(LONGEST)):
        text = data.strip()
        reason = fields = None
        try:
            fields = json.loads(text.decode()) if text else None
        except UnicodeDecodeError as error:
            reason = f"not UTF-8 text (at byte {error.start + 1} of the line); save it as UTF-8"
        except json.JSONDecodeError as error:
            reason = f"not valid JSON ({error.msg.removesuffix(' at')} at column {error.colno})"
        except (ValueError, RecursionError) as error:
            reason = f"not valid JSON ({error})"
        size = len(data)
        if size == LONGEST and not data.endswith(b"\n"):
            reason = _TOO_LONG
            while data and not data.endswith(b"\n"):
                data = stream.readline(LONGEST)
                size += len(data)
        if text:
            yield Entry(offset + data.index(text[:1]) if not reason else offset, len(text), line, fields, reason)
        offset += size
        line += 1


class _ListReader:
    """Walks through a part of a list: a window of it as text, and where in it the next entry is awaited."""

    def __init__(self, stream: BinaryIO, part: Part) -> None:
        self._file, self._part = stream.fileno(), part
        self._offset, self._line = part.start, part.line  # of `_place`
        self._read(WINDOW)

    def entries(self) -> Iterator[Entry]:
        awaited, ended = True, False  # whether an entry may stand here, and whether the list was closed
        while self._skip_space():
            sign = self._text[self._place]
            if ended:  # two lists one after the other, or text behind one
                yield self._fault(self._place, "not valid JSON (text after the list's end); write one list a file")
                awaited, ended = True, False
                self._forward(self._place + (sign == "["))
            elif sign == "]":
                ended = True
                self._forward(self._place + 1)
            elif sign == "," and not awaited:
                awaited = True
                self._forward(self._place + 1)
            else:
                reason, fields, end = self._decode()
                if reason and not self._at_end and self._grow():
                    continue
                if reason:
                    end = self._next_record()
                    yield self._fault(end, reason)
                elif not awaited:
                    yield self._fault(end, "not valid JSON (expected ',' or ']' before this record)")
                elif self._has_bad_bytes and _BAD_BYTE.search(self._text, self._place, end):
                    yield self._fault(end, "not UTF-8 text; save the record as UTF-8")
                else:
                    yield Entry(self._offset, self._bytes(self._place, end), self._line, fields)
                self._forward(end)
                if reason and not self._skip_space():
                    return  # a broken tail is one fault
                awaited = bool(reason)
        if self._part.last and not ended:
            yield self._fault(self._place, _CUT)

    def _decode(self) -> tuple[str | None, object, int]:
        """Why the entry at the place cannot be decoded, else None with its value and end."""
        try:
            fields, end = _DECODE(self._text, self._place)
        except json.JSONDecodeError as error:
            line = self._line + self._text.count("\n", self._place, error.pos)
            where = f": the record that begins here breaks at line {line}" if line > self._line else ""
            return f"not valid JSON{where} ({error.msg})", None, self._place
        except (ValueError, RecursionError) as error:
            return f"not valid JSON ({error})", None, self._place
        after = next(_SPACE.finditer(self._text, end)).end()
        if after == len(self._text) and not self._at_end:
            return _TOO_LONG, None, self._place  # what follows, be it the rest of a number, is in the next window
        if after < len(self._text) and self._text[after] not in ",]{":
            return f"not valid JSON (a record is followed by {self._text[after]!r})", None, self._place
        return None, fields, end

    def _next_record(self) -> int:
        """Where after the place a record begins: an object with the names of one, whole or not; else the end."""
        place = self._place + 1
        while (place := self._text.find("{", place)) >= 0:
            if _RECORD.match(self._text, place):
                return place
            try:
                fields, _ = _DECODE(self._text, place)
                if "messages" in fields:
                    return place
            except (ValueError, RecursionError):
                pass
            place += 1
        return len(self._text)

    def _grow(self) -> bool:
        """Show more of what follows the place, if a broken entry may only be a cut one."""
        if self._place:
            self._read(WINDOW)
            return True
        if self._size < LONGEST and self._next_record() == len(self._text):
            self._read(4 * self._size)
            return True
        return False

    def _skip_space(self) -> bool:
        """Go on to what is no space; False at the end of the part."""
        while True:
            self._forward(next(_SPACE.finditer(self._text, self._place)).end())
            if self._place < len(self._text):
                return True
            if self._at_end:
                return False
            self._read(WINDOW)

    def _read(self, size: int) -> None:
        """Make a window that begins at the place."""
        data = os.pread(self._file, min(size, self._part.stop - self._offset), self._offset)
        self._at_end = len(data) < size or self._offset + len(data) == self._part.stop
        if not self._at_end:  # a character that the window cuts is left for the next one
            data = data[: len(data) - next((n for n in (1, 2, 3) if data[-n] >= 0xC0), 0)]
        self._text = data.decode("utf-8", "surrogateescape")
        self._is_ascii = self._text.isascii()
        self._has_bad_bytes = not self._is_ascii and bool(_BAD_BYTE.search(self._text))
        self._size, self._place = size, 0

    def _bytes(self, start: int, stop: int) -> int:
        return stop - start if self._is_ascii else len(self._text[start:stop].encode("utf-8", "surrogateescape"))

    def _forward(self, place: int) -> None:
        self._offset += self._bytes(self._place, place)
        self._line += self._text.count("\n", self._place, place)
        self._place = place

    def _fault(self, end: int, reason: str) -> Entry:
        return Entry(self._offset, self._bytes(self._place, end), self._line, reason=reason)

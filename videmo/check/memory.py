"""Which videos were found good before: what lets a check go on where it was interrupted, and makes the next one quick.

One file for each way of reading (frames, sizes, decoders), beside the index: lines of size, time of modification and
path. A video is known while its size and time of modification are what they were. The file is a convenience: if it is
lost or cut short, videos are decoded again.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from videmo.data.quarantine import Identity

_KEPT = 16  # lines held back before they are written


class GoodVideos:
    """Videos found good in one way of reading; a context manager that writes what it holds back.

    Args:
        folder: Where it is kept.
        reading: What a video was found good for: settings, backends.
    """

    def __init__(self, folder: Path, reading: str) -> None:
        self._known: dict[str, Identity] = {}
        self._lines: list[str] = []
        self._file = folder / f"good-videos-{hashlib.sha256(reading.encode()).hexdigest()[:12]}.txt"
        self._read()

    def __enter__(self) -> "GoodVideos":
        return self

    def __exit__(self, *error) -> None:
        self._write()

    def knows(self, video: str, identity: Identity) -> bool:
        return self._known.get(video) == identity

    def add(self, video: str, identity: Identity) -> None:
        self._known[video] = identity
        self._lines.append(f"{identity[0]} {identity[1]} {json.dumps(video)}\n")
        if len(self._lines) >= _KEPT:
            self._write()

    def _read(self) -> None:
        try:
            text = self._file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return
        for line in text.split("\n")[:-1]:
            try:
                size, changed, video = line.split(" ", 2)
                self._known[json.loads(video)] = int(size), int(changed)
            except ValueError:  # a line that a kill cut short, and the next one behind it
                continue

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            # on a full or read-only disk the check itself goes on
            with suppress(OSError), self._file.open("a", encoding="utf-8") as stream:
                stream.writelines(lines)

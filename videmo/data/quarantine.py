"""The quarantine: a manifest of what cannot be used, that stops to count once a file is mended.

JSON lines, a fault a line, with the identity (size and time of modification) of the file at fault: the video, or the
data file where the record itself is at fault. A video downloaded again, or a data file edited, has another identity,
and is considered anew. Paths are relative to the data folder, so that it can be moved. A video that ends in ``/`` is a
folder that is missing as a whole.

    {"file": "jsons/train/qa/full/QA_Hair.json", "line": 12, "reason": "...", "video": "A/1.mp4", "identity": [0, 17]}
"""

import errno
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from videmo.aside import file_aside
from videmo.data.faults import Fault
from videmo.errors import InputError

QUARANTINE_FILE = "quarantine.jsonl"
"""Stands in the data folder, where ``videmo check`` writes it and training looks for it."""

Identity = tuple[int, int]
"""Size in bytes and time of modification in nanoseconds: another file at the same path has another, unless its time was
set back. The inode's time of change cannot be, but a copy of a data folder has others: it would lose its quarantine.
"""


def identity(path: str | Path) -> Identity | None:
    """The identity of a file or folder; None where there is none, or where it may not be looked at."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
    return found.st_size, found.st_mtime_ns


@dataclass(frozen=True)
class Quarantine:
    """The faults of a manifest that still hold.

    Attributes:
        faults: Those whose file is what it was when the fault was found; their data files are paths on this machine.
        mended: How many were left out because their file changed, came, or went.
    """

    faults: tuple[Fault, ...] = ()
    mended: int = 0

    @cached_property
    def _videos(self) -> dict[str, Fault]:
        """The first fault of each video or folder."""
        return {fault.video: fault for fault in reversed(self.faults) if fault.video is not None}

    @cached_property
    def _records(self) -> dict[tuple[str, int], Fault]:
        """The first fault of each line."""
        of_records = (fault for fault in reversed(self.faults) if fault.video is None)
        return {(os.path.abspath(fault.file), fault.line): fault for fault in of_records}

    def video_fault(self, video: str) -> Fault | None:
        """Why a video, by its path as records write it, is not to be used; None where it is.

        >>> gone = Quarantine((Fault("a.json", 1, "missing", "MAFW/"),))
        >>> gone.video_fault("MAFW/1.mp4").reason, gone.video_fault("DFEW/1.mp4")
        ('missing', None)
        """
        if fault := self._videos.get(video):
            return fault
        end = 0
        while end := video.find("/", end) + 1:
            if fault := self._videos.get(video[:end]):
                return fault
        return None

    def record_fault(self, file: str | Path, line: int) -> Fault | None:
        """Why the record at a line of a data file is itself not to be used; its videos have `video_fault`."""
        return self._records.get((os.path.abspath(file), line))

    def covers(self, index) -> np.ndarray:
        """Which records of a `RecordIndex` are not to be used, themselves or for one of their videos: bool ``[N]``.

        A list may stand on one line, so a fault that names this line says not which record it is of. Those that the
        index found are of none of its records, and of others on a shared line training will say so itself.
        """
        if not self.faults:
            return np.zeros(len(index), bool)
        bad_video = np.array([self.video_fault(video) is not None for video in index.videos])
        covered = any_video(index, bad_video.astype(bool))
        numbers = {os.path.abspath(file): number for number, file in enumerate(index.files)}
        told = {(os.path.abspath(fault.file), fault.line, fault.reason) for fault in index.faults}
        bad = [
            numbers[file] << 32 | line
            for (file, line), fault in self._records.items()
            if file in numbers and (file, line, fault.reason) not in told
        ]
        place = index.file.astype(np.int64) << 32 | index.line
        named = np.isin(place, bad)
        lines, records = np.unique(place[named], return_counts=True)
        return covered | named & ~np.isin(place, lines[records > 1])

    @classmethod
    def read(cls, path: str | Path, root: str | Path, video_root: str | Path) -> "Quarantine":
        """The faults of a manifest that still hold; none where there is no such file.

        A last line without its end is what a killed `append` leaves; it is passed over.

        Args:
            path: The manifest.
            root: The data folder that it was written for, wherever it stands now.
            video_root: What the records' video paths are relative to.

        Raises:
            InputError: If this is no manifest; the message names the line.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except FileNotFoundError:
            return cls()
        except UnicodeDecodeError:
            raise _foreign(path, 1, "it is not UTF-8 text") from None
        faults, mended, stood = [], 0, {}
        for number, line in enumerate(text.split("\n")[:-1], start=1):
            fault, found = _parse(path, number, line, root)
            at_fault = _file_at_fault(fault, video_root)
            if at_fault not in stood:
                stood[at_fault] = identity(at_fault)
            if stood[at_fault] == found:
                faults.append(fault)
            else:
                mended += 1
        return cls(tuple(faults), mended)

    @staticmethod
    def write(path: str | Path, faults: Iterable[Fault], root: str | Path, video_root: str | Path) -> None:
        """Write a manifest anew, whole or not at all.

        Raises:
            InputError: If its folder cannot be written.
        """
        try:
            with file_aside(Path(path)) as stream:
                stream.writelines(_lines(faults, root, video_root))
        except OSError as error:
            raise _unwritable(path, error) from None

    @staticmethod
    def append(path: str | Path, faults: Iterable[Fault], root: str | Path, video_root: str | Path) -> None:
        """Add faults to a manifest, each line in one write, so that several processes may add at once.

        Raises:
            InputError: If it cannot be written.
        """
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with open(path, "ab", buffering=0) as stream:
                for line in _lines(faults, root, video_root):
                    stream.write(line)
        except OSError as error:
            raise _unwritable(path, error) from None

    @staticmethod
    def check_writable(path: str | Path) -> None:
        """Find out before hours of work whether a manifest can be written there; changes nothing.

        Raises:
            InputError: If not.
        """
        path = Path(path)
        try:
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
                pass
        except OSError as error:
            raise _unwritable(path, error) from None


def any_video(index, chosen: np.ndarray) -> np.ndarray:
    """Which records of a `RecordIndex` have one of the chosen videos: bool ``[V]`` -> bool ``[N]``."""
    passed = np.concatenate([[0], np.cumsum(chosen[index.video_ids])])  # chosen ones before each entry of video_ids
    return passed[index.video_start[1:]] > passed[index.video_start[:-1]]


def _file_at_fault(fault: Fault, video_root: str | Path) -> str:
    return fault.file if fault.video is None else os.path.join(video_root, fault.video)


def _lines(faults: Iterable[Fault], root: str | Path, video_root: str | Path) -> Iterable[bytes]:
    for fault in faults:
        fields = fault.to_json()
        file = os.path.abspath(fault.file)
        inside = os.path.commonpath([file, os.path.abspath(root)]) == os.path.abspath(root)
        fields["file"] = Path(os.path.relpath(file, root)).as_posix() if inside else file
        fields["identity"] = identity(_file_at_fault(fault, video_root))
        yield json.dumps(fields, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _parse(path: str | Path, number: int, line: str, root: str | Path) -> tuple[Fault, Identity | None]:
    try:
        fields = json.loads(line)
        fault = Fault.from_json(fields)
        found = fields["identity"]
        if not (found is None or (isinstance(found, list) and [type(n) for n in found] == [int, int])):
            raise ValueError('"identity" must be [size, time of modification] or null')
    except KeyError:
        raise _foreign(path, number, 'it has no "identity"') from None
    except json.JSONDecodeError as error:
        raise _foreign(path, number, f"{error.msg.removesuffix(' at')} at column {error.colno}") from None
    except ValueError as error:
        raise _foreign(path, number, str(error)) from None
    here = Fault(os.path.join(root, fault.file), fault.line, fault.reason, fault.video)
    return here, None if found is None else (found[0], found[1])


def _foreign(path: str | Path, number: int, what: str) -> InputError:
    return InputError(
        f"{path}:{number}: this line is not one that `videmo check` wrote ({what}); `videmo check` writes the file "
        "anew, or remove the line"
    )


def _unwritable(path: str | Path, error: OSError) -> InputError:
    return InputError(
        f"the quarantine manifest {path} cannot be written ({error.strerror}); name a place that can be, with "
        "--quarantine=FILE"
    )

"""All records of a set of data files without parsing them: a memory-mapped index, built once, beside the data.

An index is a folder under ``<root>/.videmo``. Its name holds a hash of the files' names and one of their sizes, times
and tasks, so that it either fits the files as they are or is not found. It is built aside and then renamed: a killed
build leaves nothing that could be mistaken for one. Of several processes one builds, under a lock; the others wait.
"""

import errno
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from io import FileIO
from pathlib import Path

import numpy as np
from filelock import AcquireReturnProxy, FileLock

from videmo.aside import file_aside
from videmo.data.entries import unreadable
from videmo.data.faults import Fault
from videmo.data.index_build import COLUMNS, build
from videmo.data.quarantine import identity
from videmo.data.records import Record, RecordError, read_record
from videmo.data.text_lengths import count_text, jobs_of, tokenizer_hash
from videmo.errors import InputError
from videmo.tasks import Task, training_tasks

INDEX_FOLDER = ".videmo"  # in a data folder
EDITION = 2  # of the index's format; raise it when the same files give other columns


class VideoTable(Sequence[str]):
    """The distinct video paths as records write them; one is made into text when asked for.

    Args:
        text: All paths in UTF-8, one after the other.
        ends: Where each begins and ends in it.  # [V + 1]
    """

    def __init__(self, text: np.ndarray, ends: np.ndarray) -> None:
        self._text, self._ends = text, ends

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:  # pyrefly: ignore[bad-override]  (no slices)
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self._text[self._ends[number] : self._ends[number + 1]].tobytes().decode()


class RecordIndex(Sequence[Record]):
    """The usable records of data files, in the files' order. Make one with `open`.

    It may be pickled and forked: processes share its pages, and none holds a record that it was not asked for.

    Attributes:
        files: The data files, as they were given.
        tasks: What `task` counts.
        sources: What `source` counts.
        offset: First byte of each record in its file, and ``length`` its bytes.  # [N]
        file: Position of its file.  # [N]
        line: Its line, from 1.  # [N]
        task: Position of its task.  # [N]
        source: Position of its source.  # [N]
        family: Equal where the videos are the same, in the same order; a record without videos has its own.  # [N]
        videos: All distinct video paths.
        video_start: Where in `video_ids` a record's videos begin.  # [N + 1]
        video_ids: Positions in `videos`.  # [M]
        text_tokens: Tokens of root and branch with one ``<|video_pad|>`` a video, as `encode_record` gives them with
            answers; -1 where it would refuse the record, which is then among the `faults`.  # [N, 2]
    """

    offset: np.ndarray
    length: np.ndarray
    file: np.ndarray
    line: np.ndarray
    task: np.ndarray
    source: np.ndarray
    family: np.ndarray
    video_start: np.ndarray
    video_ids: np.ndarray

    def __init__(self, files: Sequence[str], folder: Path, tokenizer: str | None = None) -> None:
        self.files = tuple(files)
        self.folder = folder
        self.tasks: tuple[Task, ...] = training_tasks()
        self.sources: tuple[str, ...] = tuple(json.loads((folder / "sources.json").read_text(encoding="utf-8")))
        self.text_tokens = np.load(folder / f"text-{tokenizer}.npy", mmap_mode="r") if tokenizer else None
        self._tokenizer = tokenizer  # its hash
        columns = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in COLUMNS}
        self.videos = VideoTable(columns.pop("video_text"), columns.pop("video_end"))
        vars(self).update(columns)

    @classmethod
    def open(
        cls,
        files: Sequence[str | Path],
        *,
        folder: str | Path,
        tokenizer=None,
        workers: int | None = None,
        progress: bool = True,
    ) -> "RecordIndex":
        """Map the index of these files, or build it where there is none that fits them.

        Args:
            files: JSON lists or JSON lines.
            folder: Where indexes live. If it cannot be written, a folder of the user's cache is used.
            tokenizer: Adds `text_tokens`; they are counted once for a tokenizer and its chat template.
            workers: Processes that build; by default one a core.
            progress: Whether to show a bar on the standard error while building.

        Raises:
            InputError: If a file cannot be read, or changes while it is indexed.
        """
        paths = [Path(file) for file in files]
        try:
            return cls._open(paths, Path(folder), tokenizer, workers, progress)
        except _Unwritable as error:
            spare = user_cache() / hashlib.sha256(os.path.abspath(folder).encode()).hexdigest()[:16]
            if progress:
                print(f"{folder} cannot be written ({error}); the index of its records is in {spare}", file=sys.stderr)
            try:
                return cls._open(paths, spare, tokenizer, workers, progress)
            except _Unwritable as again:
                raise InputError(
                    f"the index can be written neither to {folder} ({error}) nor to {spare} ({again}); make room in one"
                ) from None

    @classmethod
    def _open(cls, files: list[Path], folder: Path, tokenizer, workers: int | None, progress: bool) -> "RecordIndex":
        names, state = _names_and_state(files, folder)
        place = folder / f"{names}-{state}"
        known = tokenizer and tokenizer_hash(tokenizer)
        if not place.is_dir() or (known and not (place / f"text-{known}.npy").is_file()):
            with _locked(folder / f"{names}.lock"), _room():
                if not place.is_dir():
                    for stale in folder.glob(f"{names}-*"):  # of other files, or of a build that was killed
                        shutil.rmtree(stale)
                    aside = folder / f"{place.name}.part"
                    build(files, aside, workers, progress)
                    os.replace(aside, place)
                if known and not (place / f"text-{known}.npy").is_file():
                    cls(list(map(str, files)), place)._count_text(known, tokenizer, workers, progress)
        return cls(list(map(str, files)), place, known)

    def _count_text(self, known: str, tokenizer, workers: int | None, progress: bool) -> None:
        jobs = jobs_of(self.files, self.file, self.offset, self.length, self.line)
        tokens, faults = [np.empty((0, 2), dtype=np.int32)], []
        for job, (counted, refused) in zip(jobs, count_text(jobs, tokenizer, workers, progress), strict=True):
            tokens.append(counted)
            faults += [(self.files.index(job.file), line, reason) for line, reason in refused]
        (self.folder / f"text-{known}.json").write_text(json.dumps(faults, ensure_ascii=False), encoding="utf-8")
        with file_aside(self.folder / f"text-{known}.npy") as stream:  # last: where it is, all is
            np.save(stream, np.concatenate(tokens))

    def __reduce__(self):
        return type(self), (self.files, self.folder, self._tokenizer)

    def __len__(self) -> int:
        return len(self.offset)

    def __getitem__(self, number: int) -> Record:  # pyrefly: ignore[bad-override]  (no slices)
        """Read and parse one record.

        Raises:
            RecordError: If its file has changed since.
        """
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        place, line = int(self.file[number]), int(self.line[number])
        try:
            if place not in self._handles:
                self._handles[place] = open(self.files[place], "rb", buffering=0)  # noqa: SIM115 (stays open)
            data = os.pread(self._handles[place].fileno(), self.length[number], self.offset[number])
        except OSError as error:
            raise RecordError(f"{self.files[place]}:{line}: cannot be read ({error.strerror})") from None
        return read_record(data, self.files[place], line)

    @cached_property
    def _handles(self) -> dict[int, FileIO]:
        """The data files that were read from, by position; reading at an offset may be shared by forked processes."""
        return {}

    def videos_of(self, number: int) -> np.ndarray:
        """Positions in `videos` of a record's videos."""
        return self.video_ids[self.video_start[number] : self.video_start[number + 1]]

    @cached_property
    def faults(self) -> tuple[Fault, ...]:
        """What could not be used, each once, in the files' order."""
        names = ["faults.json", *([f"text-{self._tokenizer}.json"] if self._tokenizer else [])]
        found = [fault for name in names for fault in json.loads((self.folder / name).read_text(encoding="utf-8"))]
        return tuple(Fault(self.files[file], line, reason) for file, line, reason in sorted(found))


class _Unwritable(Exception):
    pass


def _locked(file: Path) -> AcquireReturnProxy:
    """A context in which no other process has the lock."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(file).acquire()
    except OSError as error:
        raise _Unwritable(error.strerror or error) from None


@contextmanager
def _room() -> Iterator[None]:
    """A full disk is no place for an index; what was begun there is removed as stale by the next build."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _Unwritable(error.strerror) from None


def _names_and_state(files: Sequence[Path], folder: Path) -> tuple[str, str]:
    """Hashes of which files these are, and of what they hold and mean."""
    tasks = [(task.name, task.result_file, task.sources) for task in training_tasks()]
    names = [os.path.relpath(file, folder) for file in files]
    state = [EDITION, tasks, *(identity(file) or unreadable(file) for file in files)]
    which, held = (hashlib.sha256(json.dumps(part).encode()).hexdigest()[:16] for part in (names, state))
    return which, held


def user_cache() -> Path:
    """Where an index stands whose data cannot be written beside."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "videmo" / "index"

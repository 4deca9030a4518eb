"""The results of a command on disk, one JSON object a line, so that a second run goes on where the first ended."""

import fcntl
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from videmo.aside import write_atomically
from videmo.data.records import Record
from videmo.errors import InputError
from videmo.reason.questions import rank_and_size
from videmo.reasoning import Reasoning

_BEGINS = b'{"videos":'


class ResultFile:
    """Where reasonings go; those of one search, which every line names.

    What has no answer, or was chosen without what was to choose it, is tried again by a later run.

    Args:
        path: The file; of several processes each writes its own, with its rank in the name.
        search: How the answers are searched for, JSON-ready.

    Attributes:
        path: The one that this process writes.
        done: What is answered -> the result's line.

    Raises:
        InputError: If the file holds something else, or results of another search, or another run writes it.
    """

    def __init__(self, path: Path, search: Mapping[str, Any]) -> None:
        rank, world_size = rank_and_size()
        self.path = path if world_size == 1 else path.with_name(f"{path.stem}.rank{rank}{path.suffix}")
        self._search = json.loads(json.dumps(search))
        self.done: dict[tuple, dict] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._claim = self.path.with_name(f".{self.path.name}.lock").open("a")
        try:
            fcntl.lockf(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"another run is writing {self.path}; wait for it, or give another --out") from None
        kept: list[str] = []
        others = (file for file in path.parent.iterdir() if file.name.startswith(f"{path.stem}.rank"))
        for file in sorted({path, self.path, *(file for file in others if file.suffix == path.suffix)}):
            if file.exists():
                lines = self._read(file)
                kept = lines if file == self.path else kept
        if self.path.exists():
            write_atomically(self.path, "".join(f"{line}\n" for line in kept))

    def _read(self, file: Path) -> list[str]:
        """The lines of a file that are answers; the rest of a line that a killed run did not finish is left out."""
        if not file.is_file():
            raise InputError(f"--out {file} is no file; give another")
        *whole, rest = file.read_bytes().split(b"\n")
        if rest and not (_BEGINS.startswith(rest[: len(_BEGINS)]) or rest.startswith(_BEGINS)):
            raise InputError(_foreign(file, len(whole) + 1))
        kept = []
        for number, line in enumerate(whole, start=1):
            try:
                said = json.loads(line)
                search, key = said["search"], (tuple(said["videos"]), said["question"], said["file"], said["line"])
                unsettled = "error" in said or any("missing" in step for step in said["steps"])
            except (ValueError, KeyError, TypeError):
                raise InputError(_foreign(file, number)) from None
            if search != self._search:
                differing = [name for name in self._search if search.get(name) != self._search[name]]
                shown = ", ".join(f"{name} {search.get(name)}, now {self._search[name]}" for name in differing)
                raise InputError(
                    f"{file} holds results of another search ({shown}); give another --out, or remove the file"
                )
            if not unsettled:
                self.done[key] = said
                kept.append(line.decode())
        return kept

    def add(self, record: Record, reasoning: Reasoning) -> None:
        """Write a result."""
        self._write(record, reasoning.to_json())

    def add_error(self, record: Record, why: str) -> None:
        """Write that there is none."""
        self._write(record, {"videos": [*record.videos], "question": record.question, "error": why})

    def _write(self, record: Record, said: Mapping[str, Any]) -> None:
        line = {**said, "source": record.source, "file": record.file, "line": record.line, "search": self._search}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def key_of(record: Record) -> tuple:
    """By which a result is known to be that of a question."""
    return record.videos, record.question, record.file, record.line


def _foreign(file: Path, line: int) -> str:
    return f"{file}:{line}: no result of `videmo reason`; give another --out, or remove the file"

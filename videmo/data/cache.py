"""Named tensors kept under a string key, in memory and on disk, up to a bound of bytes.

What is in is never dropped for something new. In the shuffled epochs of training every entry is asked for once an
epoch, so no order of eviction finds more than the share that fits, and the least recently used first out finds the
square of it. And as nothing leaves, what was found in memory once may be promised to others (``VisionCache``).

Entries on disk are safetensors files with a checksum, in two levels of folders, written aside and then renamed: several
processes and runs may use one folder at once.
"""

import hashlib
import math
import os
import time
import uuid
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from videmo.errors import InputError

Tensors = Mapping[str, Tensor]
SUFFIX, ASIDE = ".safetensors", ".aside"
ABANDONED_AFTER = 3600.0  # seconds until a file that was never renamed counts as a killed process's


@dataclass(frozen=True)
class CacheRoom:
    """Room for a cache; none by default."""

    memory_mb: float = 0.0
    """Megabytes of memory."""
    disk_mb: float = 0.0
    """Megabytes on disk, those of earlier runs in the same folder included."""
    folder: str | None = None
    """Where the files lie; may be shared by runs, a file is found again by what it was made of."""

    def check(self, name: str) -> None:
        """
        Raises:
            InputError: If this is no room, naming the option; a parser of types would bury it.
        """
        for size in ("memory_mb", "disk_mb"):
            if not 0 <= getattr(self, size) < math.inf:
                raise InputError(f"{name}.{size} must be a number of megabytes, 0 or more, got {getattr(self, size)}")
        if self.folder == "":
            raise InputError(f"{name}.folder is empty, which would be the current folder; name one, or leave it out")
        if (self.disk_mb > 0) != (self.folder is not None):
            raise InputError(
                f"{name} has {'disk_mb, but no folder' if self.disk_mb else 'a folder, but no disk_mb'}; "
                "on disk it needs both"
            )

    def make_folder(self, name: str, data: Sequence[Path]) -> None:
        """
        Args:
            name: Of the option.
            data: Folders that hold data.

        Raises:
            InputError: If nothing can be written there, or it is one of data.
        """
        if self.folder is None:
            return
        if os.path.realpath(self.folder) in map(os.path.realpath, data):
            raise InputError(f"{name}.folder {self.folder} holds the data; name a folder of its own")
        try:
            Path(self.folder).mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self.folder, suffix=ASIDE):
                pass
        except OSError as error:
            raise InputError(
                f"{name}.folder {self.folder} cannot be written ({error.strerror}); name a folder that can be"
            ) from None

    def __bool__(self) -> bool:
        return self.memory_mb > 0 or self.disk_mb > 0

    def open(self, writers: int = 1) -> "TensorStore":
        """A store of this size; see ``TensorStore`` for the writers."""
        return TensorStore(int(self.memory_mb * 2**20), self.folder, int(self.disk_mb * 2**20), writers)


class TensorStore:
    """Tensors by key: looked for in memory, then on disk; put into both, each while it has room.

    Each process has a memory of its own; a pickled copy starts with an empty one.

    Args:
        memory_bytes: Bytes of tensors to keep in memory.
        folder: Where files are kept, or None.
        disk_bytes: Bytes of files that the folder may hold, those that are there already included.
        writers: Processes that write to the folder at the same time; each may fill its part of what is free.

    Attributes:
        hits, misses: Calls of ``get`` that found something, and that did not.
        unreadable: Files that could not be read, or held something else than was written; they count as misses too.
        memory_used: Bytes of tensors in memory.
        disk_used: Bytes of files, those found at the start and those written since by this process.
        full: Whether something was turned away, having no room in memory or on disk.
    """

    def __init__(
        self, memory_bytes: int, folder: str | Path | None = None, disk_bytes: int = 0, writers: int = 1
    ) -> None:
        self.memory_bytes = memory_bytes
        self.folder = Path(folder) if folder is not None and disk_bytes > 0 else None
        self.hits = self.misses = self.unreadable = self.memory_used = self.disk_used = self.disk_bytes = 0
        self.full = False
        self._memory: dict[str, Tensors] = {}
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.disk_used = _bytes_in(self.folder)
            self.disk_bytes = self.disk_used + max(0, disk_bytes - self.disk_used) // writers

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_memory": {}, "memory_used": 0}

    def __contains__(self, key: str) -> bool:
        """Whether a key is in memory, where it then stays."""
        return key in self._memory

    def get(self, key: str) -> Tensors | None:
        """The tensors of a key, not to be changed in place; None if there are none."""
        found = self._memory.get(key)
        if found is None and (found := self.read(key)) is not None and self._fits(found):
            self._remember(key, found)
        self.hits += found is not None
        self.misses += found is None
        return found

    def read(self, key: str) -> Tensors | None:
        """What the disk has under a key, for a process that hands it on and keeps nothing."""
        if self.folder is None:
            return None
        file = self._file(key)
        try:
            with safe_open(file, "pt") as opened:
                tensors = {name: opened.get_tensor(name).clone() for name in opened.keys()}  # noqa: SIM118 (no dict)
                written = (opened.metadata() or {}).get("checksum")
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError):
            tensors, written = {}, None
        if written == _checksum(tensors):
            return tensors
        self.unreadable += 1
        file.unlink(missing_ok=True)  # so that the next `put` replaces it
        return None

    def put(self, key: str, tensors: Tensors) -> None:
        """Keep a copy of the tensors where there is room; what is there already under the key stays."""
        to_memory = key not in self._memory and self._fits(tensors)
        to_disk = self.folder is not None and not self._on_disk(key)
        to_disk = to_disk and self.disk_used + _size(tensors) <= self.disk_bytes
        if to_memory or to_disk:
            with torch.inference_mode(False):  # a tensor made in inference mode could not be trained on later
                tensors = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
        if to_memory:
            self._remember(key, tensors)
        if to_disk:
            self._write(key, tensors)
        self.full |= key not in self._memory and not self._on_disk(key)

    def _on_disk(self, key: str) -> bool:
        return self.folder is not None and self._file(key).exists()

    def _fits(self, tensors: Tensors) -> bool:
        return self.memory_used + _size(tensors) <= self.memory_bytes

    def _remember(self, key: str, tensors: Tensors) -> None:
        self._memory[key] = tensors
        self.memory_used += _size(tensors)

    def _file(self, key: str) -> Path:
        assert self.folder is not None
        name = hashlib.blake2b(key.encode(), digest_size=20).hexdigest()
        return self.folder / name[:2] / name[2:4] / (name + SUFFIX)

    def _write(self, key: str, tensors: Tensors) -> None:
        content = save(dict(tensors), metadata={"checksum": _checksum(tensors)})
        if self.disk_used + len(content) > self.disk_bytes:
            return
        file = self._file(key)
        aside = file.with_name(f"{uuid.uuid4().hex}{ASIDE}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(content)
            os.replace(aside, file)
        except OSError:  # the disk is full before the bound is, or gone: training goes on without it
            aside.unlink(missing_ok=True)
            self.disk_bytes = 0
        else:
            self.disk_used += len(content)


def _size(tensors: Tensors) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())


def _bytes_in(folder: Path) -> int:
    """Bytes of the files in a cache's folder; what killed processes left half-written goes."""
    total = 0
    for file in folder.glob("*/*/*"):
        with suppress(FileNotFoundError):  # renamed by another process meanwhile
            status = file.lstat()  # a link is what it is, even one to itself
            if file.suffix == ASIDE and time.time() - status.st_mtime > ABANDONED_AFTER:
                file.unlink()
            else:
                total += status.st_size
    return total


def _checksum(tensors: Tensors) -> str:
    """Of names, types, shapes and bytes: a header that survived says nothing of the data behind it."""
    value = 0
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        value = zlib.crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), value)
        value = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data, value)
    return f"{value:08x}"

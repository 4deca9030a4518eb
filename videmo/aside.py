"""Files and folders that are written whole or not at all: beside their place, which they take when they are complete.

What a killed process has left of a folder, the next removes.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import BinaryIO

from videmo.errors import InputError


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file beside its place, then move it there: a killed run leaves no half file.

    Raises:
        InputError: If it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with file_aside(path) as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be written ({error.strerror}); make room there, or name another place")


@contextmanager
def file_aside(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path`, which takes its place when the block ends, and is removed if it fails."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as stream:
            yield stream
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def written_aside(out: Path, by: str, check: Callable[[Path], None]) -> Iterator[Path]:
    """A new folder beside `out`, which takes its place when the block ends, and is removed if it fails.

    Args:
        out: The place.
        by: What writes there, as a word in the name of the folder beside.
        check: Raises if something may not be replaced; asked before the block and after it.

    Raises:
        InputError: If no folder can be made there.
    """
    check(out)
    prefix = f".{out.name}.videmo-{by}-"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear_up(out, prefix)
        beside = tempfile.TemporaryDirectory(prefix=prefix, dir=out.parent)
    except OSError as error:
        raise _unwritable(out, error) from None
    with beside as work, _claimed(Path(work)):
        new, old = Path(work) / "new", Path(work) / "old"
        new.mkdir()
        yield new
        check(out)  # again: writing may take minutes
        os.umask(umask := os.umask(0))
        for file in new.rglob("*.safetensors"):  # which safetensors lets nobody but their owner read
            file.chmod(0o666 & ~umask)
        if out.exists():
            os.replace(out, old)
        os.replace(new, out)


@contextmanager
def temporary(prefix: str) -> Iterator[Path]:
    """A folder for temporary files, removed at the end of the block; by the next process if this one is killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{escape(prefix)}*"):
        with suppress(OSError), _claimed(left) as is_left:
            if is_left:
                shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder, _claimed(Path(folder)):
        yield Path(folder)


def _clear_up(out: Path, prefix: str) -> None:
    """Remove what killed processes left beside `out`, and end the one that was killed in its last two steps."""
    for work in out.parent.glob(f"{escape(prefix)}*"):
        with suppress(OSError), _claimed(work) as is_left:
            if is_left and (work / "old").is_dir() and not out.exists():
                os.replace(work / "new", out)
            if is_left:
                shutil.rmtree(work)


@contextmanager
def _claimed(work: Path) -> Iterator[bool]:
    """Lock a folder until the block or the process ends; whether that could be done."""
    descriptor = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another process has it, or the file system knows no locks
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)

"""The clips of a folder, and which of them a path in a table means."""

import os
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from videmo.data.presence import VIDEO_SUFFIXES
from videmo.errors import InputError

_HINTS = 20


class NoClip(InputError):
    """A path that means no clip of the folder; the message says why."""


class Clips:
    """All video files of a folder and its subfolders, by their paths in it, sorted.

    Args:
        root: The folder; links in it are followed, names that begin with a dot are left out.
        besides: A folder in it that is left out, too.

    Attributes:
        paths: With forward slashes, as they are written on disk.

    Raises:
        InputError: If there is no such folder, or no video in it.
    """

    def __init__(self, root: Path, besides: Path | None = None) -> None:
        if not root.is_dir():
            raise InputError(f"no folder of videos {root}" + ("; it is a file" if root.exists() else ""))
        self.root = root
        self.paths = sorted(_videos(root, besides))
        if not self.paths:
            raise InputError(f"no videos in {root} or its subfolders; they end in {', '.join(VIDEO_SUFFIXES)}")
        self._known = {_plain(path): path for path in self.paths}
        self._hints = _HINTS
        self._by_name: dict[str, list[str]] = {}
        for path in self.paths:
            self._by_name.setdefault(PurePosixPath(path).name, []).append(path)

    def find(self, given: str) -> str:
        """The clip that a path means, relative to the folder or absolute, with slashes of either kind.

        Raises:
            NoClip: If it is none.
        """
        path = given.replace("\\", "/") if not (self.root / given).exists() else given
        whole = Path(os.path.normpath(self.root.absolute() / path))
        if not whole.is_relative_to(os.path.normpath(self.root.absolute())):
            raise NoClip(f"{given} is outside of {self.root}; move it there, or name the folder above both")
        path = whole.relative_to(os.path.normpath(self.root.absolute())).as_posix()
        if found := self._known.get(_plain(path)):
            return found
        if (self.root / path).is_dir():
            raise NoClip(f"{given} is a folder; name the clips in it, a line each")
        if (self.root / path).is_file() and not _is_video(path):
            raise NoClip(f"{given} is no video by its name; those end in {', '.join(VIDEO_SUFFIXES)}")
        raise NoClip(f"{given} is not in {self.root}{self._hint(path)}")

    def _hint(self, path: str) -> str:
        """What was perhaps meant; of the first few alone, as it takes long among many clips."""
        if not self._hints:
            return ""
        self._hints -= 1
        name = PurePosixPath(path).name
        near = self._by_name.get(name, []) or [at for at in self.paths if PurePosixPath(at).stem == name]
        near = near[:2] or get_close_matches(path, self.paths, n=2, cutoff=0.75)
        return f"; did you mean {' or '.join(near)}?" if near else ""


def _videos(root: Path, besides: Path | None) -> Iterator[str]:
    left_out = os.path.realpath(besides) if besides else None
    seen: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen or real == left_out:  # a link back to where it is
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if _is_video(name) and not name.startswith(".") and Path(folder, name).is_file():
                yield Path(folder, name).relative_to(root).as_posix()


def _is_video(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in VIDEO_SUFFIXES


def _plain(path: str) -> str:
    """One spelling of a name whose accents may be characters of their own, as macOS writes them."""
    return unicodedata.normalize("NFC", path)

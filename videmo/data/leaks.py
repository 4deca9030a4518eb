"""What two splits share though they should not: a video, the same content under another name, or who is seen in it.

A benchmark's score on clips or persons that the training saw says less than it seems to. Subjects are told from paths
by `subjects.yaml`: a new dataset is an entry there.
"""

import hashlib
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import combinations
from pathlib import Path

import yaml

from videmo.data.presence import source_of
from videmo.errors import InputError

EXAMPLES = 3
_BLOCK = 2**14
_SEPARATORS = re.compile(r"[-_\s]")

Subject = tuple[str, str, str]
"""Dataset, what a subject is there (actor, film, dialogue), and which one."""


@dataclass(frozen=True)
class Leak:
    """Things of one kind and source that two splits share.

    Attributes:
        kind: ``video`` (the same path), ``content`` (the same bytes under two names), or what a subject is: ``actor``,
            ``film``, ``dialogue``.
        source: The dataset or folder.
        splits: The two splits.
        count: How many things they share.
        total: How many of them the second split has.
        examples: A few, each as a path, two paths, or a subject.
    """

    kind: str
    source: str
    splits: tuple[str, str]
    count: int
    total: int
    examples: tuple[str, ...]


def subject_reader(own: str | None = None) -> Callable[[str], Subject | None]:
    """A function that tells the subject of a video from its path, or None.

    Args:
        own: A user's own pattern, asked before the table: its first group, or the whole of what it matches.

    Raises:
        InputError: If the pattern is no regular expression.

    Example:
        >>> subject_reader()("MEAD/M003/front/001.mp4")
        ('MEAD', 'actor', 'M003')
    """
    try:
        pattern = re.compile(own) if own else None
    except re.error as error:
        raise InputError(f"--subject {own!r} is not a regular expression: {error}") from None

    def read(video: str) -> Subject | None:
        if pattern and (found := pattern.search(video)):
            return source_of(video), "subject", found[1] if pattern.groups and found[1] else found[0]
        return _subject(video)

    return read


def find_leaks(
    videos: Mapping[str, Sequence[str]],
    sizes: Mapping[str, int],
    video_root: str | Path,
    subject: Callable[[str], Subject | None],
) -> list[Leak]:
    """All that each two of the splits share, by kind and source.

    Args:
        videos: Split -> the distinct videos its records name.
        sizes: Video -> bytes, of those that are there; only files of equal size are opened and compared.
        video_root: What the paths are relative to.
        subject: `subject_reader`'s.
    """
    names = {split: {posixpath.normpath(video): video for video in paths} for split, paths in videos.items()}
    contents = _by_content(videos, sizes, Path(video_root))
    subjects = {
        split: {found: video for video in paths if (found := subject(video))} for split, paths in videos.items()
    }
    leaks = []
    for splits in combinations(videos, 2):
        first, second = splits
        of_source = Counter(map(source_of, names[second]))
        of_subjects = Counter(found[:2] for found in subjects[second])

        same = _group(names[first].keys() & names[second].keys(), source_of)
        leaks += [Leak("video", source, splits, len(keys), of_source[source], keys[:EXAMPLES]) for source, keys in same]

        pairs = {(contents[first][key], contents[second][key]) for key in contents[first].keys() & contents[second]}
        renamed = _group(
            {pair for pair in pairs if pair[0] != pair[1]}, lambda pair: source_of(posixpath.normpath(pair[1]))
        )
        for source, found in renamed:
            examples = tuple(" = ".join(pair) for pair in found[:EXAMPLES])
            leaks.append(Leak("content", source, splits, len(found), of_source[source], examples))

        for (source, what), found in _group(subjects[first].keys() & subjects[second].keys(), lambda key: key[:2]):
            examples = tuple(key[2] for key in found[:EXAMPLES])
            leaks.append(Leak(what, source, splits, len(found), of_subjects[source, what], examples))
    return leaks


def _group(things: Iterable, key: Callable) -> list[tuple]:
    """Keys in order, each with its things in order."""
    groups = defaultdict(list)
    for thing in sorted(things):
        groups[key(thing)].append(thing)
    return [(name, tuple(groups[name])) for name in sorted(groups)]


def _by_content(
    videos: Mapping[str, Sequence[str]], sizes: Mapping[str, int], root: Path
) -> dict[str, dict[bytes, str]]:
    """Split -> hash -> video, of those whose size a file of another split has, too."""
    splits_of = defaultdict(set)
    for split, paths in videos.items():
        for path in paths:
            splits_of[sizes.get(path, 0)].add(split)
    found: dict[str, dict[bytes, str]] = {split: {} for split in videos}
    for split, paths in videos.items():
        for path in paths:
            if (size := sizes.get(path, 0)) and len(splits_of[size]) > 1 and (key := content_of(root / path, size)):
                found[split][key] = path
    return found


def content_of(path: Path, size: int) -> bytes | None:
    """A hash of a file's size and of its first, middle and last block: what tells videos of one size apart."""
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    try:
        with path.open("rb", buffering=0) as stream:
            for start in (0, size // 2, size - _BLOCK):
                stream.seek(max(0, start))
                digest.update(stream.read(_BLOCK))
    except OSError:  # gone since, or not for this user; decoding says so
        return None
    return digest.digest()


def _subject(video: str) -> Subject | None:
    parts = video.split("/")
    for number, folder in enumerate(parts[:-1], start=1):
        if dataset := _datasets().get(_plain(folder)):
            name, pattern, means = dataset
            found = pattern.search("/".join(parts[number:]))
            return (name, means, found[1]) if found else None
    return None


@cache
def _datasets() -> dict[str, tuple[str, re.Pattern, str]]:
    entries = yaml.safe_load((files("videmo.data") / "subjects.yaml").read_text(encoding="utf-8"))
    return {
        _plain(folder): (name, re.compile(entry["subject"]), entry["means"])
        for name, entry in entries.items()
        for folder in entry["folders"]
    }


@lru_cache(maxsize=2**12)
def _plain(folder: str) -> str:
    return _SEPARATORS.sub("", folder.lower())

"""Which data it is: a hash of the files that say what is asked, and what the answers are."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

WORLD_FILE = "world.json"
"""Stands in the folder of a drawn world, and has its name under ``preset`` where it is a frozen one."""


def text_hash(texts: Iterable[tuple[str, str]]) -> str:
    """The first 16 hexadecimal digits of a SHA-256 over (path, text) pairs, in the order of the paths.

    Example:
        >>> text_hash([("b.json", "2"), ("a.json", "1")]) == text_hash([("a.json", "1"), ("b.json", "2")])
        True
    """
    digest = hashlib.sha256()
    for path, text in sorted(texts):
        data = text.encode()
        digest.update(f"{path}\n{len(data)}\n".encode() + data)
    return digest.hexdigest()[:16]


def content_hash(root: Path, files: Iterable[Path]) -> str:
    """`text_hash` of files, by their paths relative to `root`; what is no UTF-8 in them counts as U+FFFD."""
    texts = ((file, file.read_text(encoding="utf-8", errors="replace")) for file in files)
    return text_hash((Path(os.path.relpath(file, root)).as_posix(), text) for file, text in texts)


def data_fingerprint(root: Path, files: Iterable[Path]) -> dict[str, str]:
    """Which questions a result answers: the data's ``name``, and ``content``, a hash of its test files.

    A drawn world says so under ``drawn``.
    """
    found = {"name": root.resolve().name, "content": content_hash(root, files)}
    if (world := root / WORLD_FILE).is_file():
        preset = json.loads(world.read_text(encoding="utf-8")).get("preset")
        found |= {"name": preset or found["name"], "drawn": "yes"}
    return found

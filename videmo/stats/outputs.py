"""The folder that the page, its pictures and their numbers stand in; what an earlier run left there is replaced."""

import json
import os
import tempfile
from pathlib import Path

from videmo.aside import write_atomically
from videmo.check.folder import DataFolder
from videmo.errors import InputError
from videmo.stats.section import LeftOut, Section

PAGE, NUMBERS = "stats.html", "stats.json"
PICTURES = (
    *("taxonomy", "splits", "published", "questions", "durations", "faces", "views", "lengths", "words", "balance"),
    "perplexity",
)
"""Stems of all that may be drawn."""


def check_writable(out: Path, folder: DataFolder) -> None:
    """Find out before minutes of work whether a folder can be written; nothing is left in it, nor it itself.

    Raises:
        InputError: If it cannot, holds files of others by the names of ours, is the data folder, or a split would take
            its stats.json for a data file.
    """
    if out.resolve() == folder.root.resolve():
        raise InputError(f"--out={out} is the data folder itself; name a folder in it, or another")
    try:
        new = [part for part in (out, *out.parents) if not part.exists()]
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
        for part in new:
            part.rmdir()
    except OSError as error:
        raise InputError(f"--out={out} cannot be written ({error.strerror}); name a folder that can be") from None
    ours = _earlier(out)
    allowed = {PAGE, NUMBERS, *(f"{name}.png" for name in ours)} if ours else set()
    wanted = (PAGE, NUMBERS, *(f"{name}.png" for name in PICTURES))
    if others := [name for name in wanted if name not in allowed and os.path.lexists(out / name)]:
        raise InputError(
            f"--out={out} holds {', '.join(others)}, which no earlier `videmo stats` says it wrote and this one would "
            "overwrite; move them, or name another folder"
        )
    if split := folder.split_of(Path(out, NUMBERS).resolve()):
        raise InputError(f"--out={out} is refused: --{split} would take its {NUMBERS} for a data file; name another")


def write(out: Path, page: str, pictures: dict[str, bytes], numbers: dict) -> Path:
    """Write all of it, each file whole or not at all; pictures of an earlier run that this one lacks are removed.

    Args:
        out: The folder.
        page: The page's text.
        pictures: Stem -> PNG file.
        numbers: What stats.json holds.
    """
    for name in _earlier(out) - pictures.keys():
        (out / f"{name}.png").unlink(missing_ok=True)
    # first, as it says which files are ours: a run that is killed from here on may be run again
    write_atomically(out / NUMBERS, json.dumps(numbers, indent=1, ensure_ascii=False) + "\n")
    for name, data in pictures.items():
        write_atomically(out / f"{name}.png", data)
    write_atomically(out / PAGE, page)
    return out / PAGE


def numbers_of(sections: list[Section | LeftOut]) -> dict[str, dict]:
    """The numbers of each picture, and why others are missing."""
    return {
        "figures": {section.name: section.numbers for section in sections if isinstance(section, Section)},
        "left_out": {section.name: section.why for section in sections if isinstance(section, LeftOut)},
    }


def _earlier(out: Path) -> set[str]:
    """The pictures that an earlier run says it drew here."""
    try:
        numbers = json.loads((out / NUMBERS).read_text(encoding="utf-8"))
        return set(numbers["figures"]).intersection(PICTURES) if "videmo" in numbers else set()
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return set()

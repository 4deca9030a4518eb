"""The pages of the documentation as tests read them."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


def blocks(page: str, kind: str) -> list[str]:
    """The fenced blocks of a kind, in order."""
    return [text for found, text in _BLOCK.findall((DOCS / page).read_text(encoding="utf-8")) if found == kind]


def write_files(page: str, folder: Path) -> None:
    """Write each block that stands below the name of a file."""
    for name, text in _FILE.findall((DOCS / page).read_text(encoding="utf-8")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")

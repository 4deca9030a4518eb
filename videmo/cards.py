"""The head of a card, the README.md of a model or a data set: what hubs read of it, YAML between lines of dashes."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

FILE = "README.md"
LICENCE = ("license", "license_name", "license_link")
"""What a head says of the licence; the last two where the first is ``other``."""
PAPER = (
    "Zhang et al., *VidEmo: Affective-Tree Reasoning for Emotion-Centric Video Foundation Models*, NeurIPS 2025 "
    "(arXiv 2511.02712)"
)


def head(facts: Mapping[str, Any]) -> str:
    """The first lines of a card.

    >>> print(head({"license": "mit", "tags": ["emotion"]}))
    ---
    license: mit
    tags:
    - emotion
    ---
    <BLANKLINE>
    """
    return f"---\n{yaml.safe_dump(dict(facts), sort_keys=False, allow_unicode=True)}---\n"


def read_head(folder: Path | None) -> dict[str, Any]:
    """What the head of a folder's card says; nothing where it has none."""
    if folder is None or not (folder / FILE).is_file():
        return {}
    from huggingface_hub import metadata_load  # half a second

    with suppress(ValueError, yaml.YAMLError):
        return metadata_load(folder / FILE) or {}
    return {}

"""The dataset card of a data folder: what it is made of, in Markdown, and a part that the user writes."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import fill

from videmo.curate.splits import SPLITS
from videmo.curate.wording import version

FILE = "README.md"
_BEGIN = "<!-- Yours from here: what you write is kept when the folder is made anew. -->"
_END = "<!-- Yours to here. -->"
_WIDTH = 120
_YOURS = """
## Licence and consent

To be filled in by whoever shares this folder: where the clips are from and under which licence, whether the people in
them agreed to be recorded and to this use, who labelled them and how, and whom to ask for a clip to be taken out.
"""


def card(
    out: Path, made_from: str, split_by: str, counts: Mapping[str, Mapping[str, int]], yours: str | None = None
) -> str:
    """The card's text.

    Args:
        out: The folder, whose name is the title.
        made_from: What it was made from.
        split_by: What clips were split by.
        counts: Split -> task -> records.
        yours: The user's part of an earlier card.
    """
    tasks = list(dict.fromkeys(task for split in SPLITS for task in counts[split]))
    rows = [[task, *(counts[split].get(task, 0) for split in SPLITS)] for task in tasks]
    rows.append(["all", *(sum(counts[split].values()) for split in SPLITS)])
    table = ["| task | train | val | test |", "|---|---:|---:|---:|"]
    table += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join(
        [
            f"# {out.resolve().name}",
            "",
            fill(
                f"Instruction data in the format of Emo-CFG, made by `videmo curate` from {made_from}. The questions "
                f"come from its templates, version {version()}; `provenance` in each record says where its answer is "
                "from.",
                _WIDTH,
            ),
            "",
            fill(f"Split by {split_by}.", _WIDTH),
            "",
            *table,
            "",
            "`videmo check` tries every record and video; `curation.json` has the settings.",
            "",
            f"{_BEGIN}{_YOURS if yours is None else yours}{_END}",
            "",
        ]
    )


def users_part(file: Path) -> str | None:
    """What a user wrote into a card; None where there is none."""
    if not file.is_file():
        return None
    text = file.read_text(encoding="utf-8", errors="replace")
    start, end = text.find(_BEGIN), text.find(_END)
    return text[start + len(_BEGIN) : end] if 0 <= start < end else None

"""The dataset card of a data folder: what it is made of, in Markdown, and a part that the user writes.

Its head is what hubs read; what the user puts there of the licence, the languages and the name is kept, too.
"""

from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from videmo.cards import LICENCE, PAPER, head, read_head
from videmo.curate.splits import SPLITS
from videmo.curate.wording import version

_BEGIN = "<!-- Yours from here: what you write is kept when the folder is made anew. -->"
_END = "<!-- Yours to here. -->"
_WIDTH = 120
_YOURS = """
## Licence and consent

To be filled in by whoever shares this folder: where the clips are from and under which licence, whether the people in
them agreed to be recorded and to this use, who labelled them and how, and whom to ask for a clip to be taken out. The
licence's short name belongs in the first lines of this file, too.
"""
_LIMITS = """\
- Labels are opinions, of those who labelled or of the models that did: what a person feels cannot be read off a face.
- How many people of which age, gender, skin and culture are seen was not looked at. What a model learns here holds for
  people like these.
- Not for decisions about people, nor for finding out who somebody is. In the EU, systems that infer emotions at work
  and in schools are prohibited, but for medical and safety reasons (AI Act, Article 5(1)(f)).
"""
_SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M", 10_000_000: "1M<n<10M"}
"""Below how many records a hub calls a data set what."""


def card(
    out: Path,
    made_from: str,
    split_by: str,
    counts: Mapping[str, Mapping[str, int]],
    yours: str | None = None,
    own_head: Mapping[str, Any] | None = None,
) -> str:
    """The card's text.

    Args:
        out: The folder, whose name is the title.
        made_from: What it was made from.
        split_by: What clips were split by.
        counts: Split -> task -> records.
        yours: The user's part of an earlier card.
        own_head: What of an earlier card's head may be the user's.
    """
    name = out.resolve().name
    tasks = list(dict.fromkeys(task for split in SPLITS for task in counts[split]))
    rows = [[task, *(counts[split].get(task, 0) for split in SPLITS)] for task in tasks]
    rows.append(["all", *(sum(counts[split].values()) for split in SPLITS)])
    table = ["| task | train | val | test |", "|---|---:|---:|---:|"]
    table += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return head(_facts(name, counts) | dict(own_head or {})) + "\n".join(
        [
            "",
            f"# {name}",
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
            "`videmo check` tries every record and video; `curation.json` has the settings. `videmo fit --config "
            "configs/sft.yaml --config configs/lora.yaml --config configs/own.yaml --data.root=FOLDER` trains on it.",
            "",
            f"The format is that of {PAPER}.",
            "",
            "## Limits, and what it is not for",
            "",
            _LIMITS,
            f"{_BEGIN}{_YOURS if yours is None else yours}{_END}",
            "",
        ]
    )


def _facts(name: str, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """What hubs read; the data of each split where they look for it."""
    total = sum(sum(of.values()) for of in counts.values())
    names = {"train": "train", "val": "validation", "test": "test"}
    files = [{"split": names[split], "path": f"jsons/{split}/*/full/*.json"} for split in SPLITS if counts[split]]
    return {
        "pretty_name": name,
        "license": "unknown",
        "language": ["en"],
        "task_categories": ["video-text-to-text", "visual-question-answering", "video-classification"],
        "tags": ["videmo", "emotion", "affective-computing", "emo-cfg"],
        "size_categories": [next((size for most, size in _SIZES.items() if total < most), "10M<n<100M")],
        "configs": [{"config_name": "default", "data_files": files}],
    }


def users_head(folder: Path) -> dict[str, Any]:
    """What of a card's head may be the user's."""
    return {key: value for key, value in read_head(folder).items() if key in (*LICENCE, "language", "pretty_name")}


def users_part(file: Path) -> str | None:
    """What a user wrote into a card; None where there is none."""
    if not file.is_file():
        return None
    text = file.read_text(encoding="utf-8", errors="replace")
    start, end = text.find(_BEGIN), text.find(_END)
    return text[start + len(_BEGIN) : end] if 0 <= start < end else None

"""From a table of labels to records: each label a question, each clip in one split; nothing is guessed.

All faults of a table are found before anything is written, and said together.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from videmo.curate.clips import Clips
from videmo.curate.columns import RATIONALE, Column, described, label_columns, unused_columns
from videmo.curate.folder import Curated
from videmo.curate.grouping import named, split_clips
from videmo.curate.labelled import LabelledClip, read_clips
from videmo.curate.records import FELT, explains, records_of
from videmo.curate.splits import SPLITS
from videmo.curate.table import Fault, read_table
from videmo.errors import InputError
from videmo.tasks import own_tasks

_MOST_FAULTS = 10
_FEW_WORDS = 3


def curate_labels(
    videos: Path, labels: Path, out: Path, *, shares: Mapping[str, float], seed: int
) -> tuple[Curated, list[str]]:
    """Records of a folder of clips with a table of labels, and what a user should know of them, a sentence each.

    Args:
        videos: The folder.
        labels: The table.
        out: Where the records will stand; clips in there are none.
        shares: Of the clips in each split.
        seed: Of wordings, letters and splits.

    Raises:
        InputError: With all that is wrong with the table, if anything is.
    """
    clips, table = Clips(videos, besides=out), read_table(labels)
    columns = label_columns(table)
    faults = list(table.faults)
    found, repeated = read_clips(table.rows, clips, columns, faults)
    _refuse(faults, columns, labels)
    if not columns:
        has = ", ".join(table.columns) or "paths"
        raise InputError(
            f"{labels} has no column of labels, only {has}; name one emotion, sentiment, action_units, hair, caption "
            "... (`videmo curate --help`), or as a task of --tasks"
        )
    told = described(list(columns.values()))
    unused = unused_columns(table)
    if unused:
        told.append(f"not used: {', '.join(unused)}")
    if repeated:
        told.append(f"lines that say what another says of the same clip: {repeated}")
    labelled = {path: clip for path, clip in found.items() if clip.said}
    left_out = {
        f"clips without a line in {labels}": [path for path in clips.paths if path not in found],
        "clips whose line has no label": [path for path in found if path not in labelled],
        f"rationales of clips without {', '.join(FELT)} to explain": [
            path for path, clip in labelled.items() if RATIONALE in clip.said and not explains(clip)
        ],
    }
    told += [f"left out, {what}: {len(paths)}, {named(paths)}" for what, paths in left_out.items() if paths]
    if not labelled:
        raise InputError(f"{labels} has no label of any clip: all cells of {', '.join(columns)} are empty")
    dealt = split_clips(
        videos,
        {path: clip.about for path, clip in labelled.items()},
        {path: _balanced(clip) for path, clip in labelled.items()},
        shares,
        seed,
        out,
    )
    told += [*_for_a_judge(labelled.values(), columns), *dealt.told]
    records: dict[str, dict[str, list[dict]]] = {name: defaultdict(list) for name in SPLITS}
    for path in sorted(labelled):
        split = dealt.splits[path]
        for task, record in records_of(path, labelled[path], columns, labels.name, split, seed):
            records[split][task].append(record)
    facts = {
        "from": "labels",
        "labels": {"file": labels.name, "sha256": sha256(labels.read_bytes()).hexdigest()},
        "columns": {name: column.task.name for name, column in columns.items()},
        "unused_columns": unused,
        "settings": {"seed": seed, "shares": dict(shares)},
        "clips": {name: list(dealt.splits.values()).count(name) for name in SPLITS},
    }
    made_from = f"{len(labelled)} clips and `{labels.name}` ({'; '.join(described(list(columns.values())))})"
    return Curated(records, sorted(labelled), facts, made_from, dealt.by), told


def _refuse(faults: Sequence[Fault], columns: Mapping[str, Column], labels: Path) -> None:
    """
    Raises:
        InputError: With the first faults and their number, if there are any.
    """
    if not faults:
        return
    lines = [f"{labels}:{line}: {reason}" for line, reason in sorted(faults)[:_MOST_FAULTS]]
    if len(faults) > _MOST_FAULTS:
        lines.append(f"... and {len(faults) - _MOST_FAULTS} more")
    for name, column in columns.items():
        if any(f"is no label of {column.task.name};" in reason for _, reason in faults):
            entry = f'`{name}: {{kind: {column.task.kind}, labels: [...], question: "..."}}`'
            own = f"The labels of {name} are those of its entry in the file that --tasks names"
            other = f"A label set of your own is an entry of a YAML file that --tasks names: {entry}"
            lines.append(own if column.task in own_tasks() else other)
            break
    lines.append(f"{len(faults)} faults in {labels}; nothing was written" if len(faults) > 1 else "nothing was written")
    raise InputError("\n".join(lines))


def _balanced(clip: LabelledClip) -> list[str]:
    """What a clip's split is balanced by: labels, and answers of few words."""
    found = []
    for name, answer in clip.said.items():
        several = sorted(answer) if isinstance(answer, frozenset) else [answer]
        found += [f"{name}: {label}" for label in several if len(label.split()) <= _FEW_WORDS]
    return found


def _for_a_judge(clips: Collection[LabelledClip], columns: Mapping[str, Column]) -> list[str]:
    """Open answers that rules cannot read, as they hold no word of the vocabulary."""
    told = []
    for name, column in columns.items():
        is_open = column.task.kind == "choice_open"
        said = [answer for clip in clips if is_open and isinstance(answer := clip.said.get(name), str)]
        if unread := [answer for answer in said if not column.task.parse(answer)]:
            told.append(
                f"{name}: {len(unread)} of {len(said)} have no word that {column.task.name} knows, such as "
                f"{unread[0]!r}; they are asked openly, and only a judge can score the answers"
            )
    return told

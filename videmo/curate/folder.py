"""The data folder that `videmo curate` writes, in the release's layout: all of it or nothing.

    DATA/jsons/{train,val,test}/{attribute,caption,emotion,qa,rationale}/full/*.json   a record a line
    DATA/videos         a link to the clips, or copies of them
    DATA/tasks.yaml     the user's own tasks, where there are some
    DATA/left_out.jsonl what a committee did not keep, a line each with the reason
    DATA/README.md      the dataset card, with a part that is the user's
    DATA/curation.json  what it was made from, its counts, and a hash of each file

The same inputs give the same bytes. A second run replaces what the first one wrote, keeps the user's part of the card,
and refuses to touch what is not its own, or was edited since.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import videmo
from videmo.aside import written_aside
from videmo.cards import FILE as CARD
from videmo.curate.card import card, users_head, users_part
from videmo.curate.splits import SPLITS
from videmo.curate.wording import version
from videmo.data.index import INDEX_FOLDER
from videmo.data.quarantine import QUARANTINE_FILE
from videmo.errors import InputError
from videmo.fingerprint import text_hash
from videmo.synth.files import FILES, File
from videmo.tasks import OWN_FILE, Task, all_tasks, own_tasks

CURATION_FILE = "curation.json"
_VIDEOS = "videos"
_OTHERS = (f"{INDEX_FOLDER}/*", QUARANTINE_FILE, "stats/stats.*", "stats/*.png")
"""What other commands write into a data folder, to be made anew for other data."""


@dataclass(frozen=True)
class Curated:
    """What a data folder is made of.

    Attributes:
        records: Split -> task -> records.
        clips: The clips that they are about, by their paths in the folder of videos.
        facts: What curation.json says besides counts and files.
        made_from: Of the card: what it was made from, without a full stop.
        split_by: Of the card: what clips were split by.
        others: Further files, by their paths in the folder.
    """

    records: Mapping[str, Mapping[str, Sequence[dict]]]
    clips: Sequence[str]
    facts: Mapping[str, Any]
    made_from: str
    split_by: str
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Split -> task -> records, in the tasks' order."""
        order = [task.name for task in all_tasks()]
        return {
            split: {name: len(self.records[split][name]) for name in order if self.records.get(split, {}).get(name)}
            for split in SPLITS
        }


def place_of(task: Task) -> File:
    """Where a task's records stand."""
    if task.name in FILES:
        return FILES[task.name]
    folder = "caption" if task.kind == "caption" else "attribute" if task.scenario == "attribute" else "emotion"
    return File(folder, task.result_file)


def write_folder(out: Path, videos: Path, curated: Curated, *, tasks: Path | None = None, copy: bool = False) -> None:
    """Write a data folder.

    Args:
        out: The folder: new, empty, or written by an earlier run.
        videos: The folder of the clips.
        curated: The records.
        tasks: The file of own tasks.
        copy: Copies the clips; otherwise a link leads to them.

    Raises:
        InputError: If something else is there, or it cannot be written.
    """
    texts = {**_texts(curated), **curated.others}
    if tasks is not None and own_tasks():
        texts[OWN_FILE] = tasks.read_text(encoding="utf-8-sig")
    try:
        with written_aside(out, "curate", check_destination) as new:
            yours = users_part(out / CARD), users_head(out)
            texts[CARD] = card(out, curated.made_from, curated.split_by, curated.counts, *yours)
            files = {path: text_hash([("", text)]) for path, text in sorted(texts.items()) if path != CARD}
            facts = {"videmo": videmo.__version__, "templates": version(), **curated.facts, "records": curated.counts}
            facts["videos"] = "copied" if copy else "linked"
            texts[CURATION_FILE] = json.dumps({**facts, "files": files}, indent=1, ensure_ascii=False) + "\n"
            for path, text in texts.items():
                (new / path).parent.mkdir(parents=True, exist_ok=True)
                (new / path).write_text(text, encoding="utf-8", newline="\n")
            if not copy:
                (new / _VIDEOS).symlink_to(videos.resolve(), target_is_directory=True)
            for clip in curated.clips if copy else ():
                (new / _VIDEOS / clip).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(videos / clip, new / _VIDEOS / clip)
    except OSError as error:
        raise InputError(
            f"{out} cannot be written ({error.strerror}); make room there, or name another place"
        ) from None


def _texts(curated: Curated) -> dict[str, str]:
    """Path in the folder -> text, of the records."""
    tasks = {task.name: task for task in all_tasks()}
    found = {}
    for split, counts in curated.counts.items():
        for name in counts:
            lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in curated.records[split][name])
            found[f"jsons/{place_of(tasks[name]).path(split)}"] = "".join(lines)
    return found


def check_destination(out: Path) -> None:
    """Refuse a path that holds anything but what an earlier run wrote there, as it wrote it.

    Raises:
        InputError: Naming the path and what is there.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError(f"{out} is no folder; name one that is new, or an earlier one of `videmo curate`")
    if out.is_dir() and any(out.iterdir()):
        if not (out / CURATION_FILE).is_file():
            raise InputError(f"{out} holds something that `videmo curate` did not write; name a new folder by --out")
        facts = earlier_facts(out)
        if not facts:
            raise InputError(f"{out / CURATION_FILE} is not as `videmo curate` wrote it; name a new folder by --out")
        _refuse_changes(out, facts)
    parent = next(folder for folder in out.absolute().parents if folder.exists())
    if not os.access(parent, os.W_OK):
        raise InputError(f"{out} cannot be written: {parent} is not yours to write to; name another folder")


def earlier_facts(out: Path) -> dict:
    """What curation.json says of an earlier run; nothing where there was none, or it is not as that wrote it."""
    try:
        facts = json.loads((out / CURATION_FILE).read_text(encoding="utf-8"))
        return facts if isinstance(facts["files"], dict) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _refuse_changes(out: Path, facts: dict) -> None:
    """
    Raises:
        InputError: If a file came or was edited since.
    """
    files = facts["files"]
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        clip = name.partition("/")[0] == _VIDEOS and name not in files
        if path.is_dir() or clip or any(fnmatch(name, ours) for ours in (*_OTHERS, CARD, CURATION_FILE)):
            if name == _VIDEOS and facts.get("videos") == "linked" and not path.is_symlink():
                raise InputError(f"{path} is a folder where a link was; move it away, or name a new folder by --out")
            continue
        if name not in files:
            raise InputError(f"{path} was not written by `videmo curate`; move it away, or name a new folder by --out")
        text = path.read_text(encoding="utf-8", errors="replace")
        if text_hash([("", text)]) != files[name]:
            raise InputError(
                f"{path} was edited since `videmo curate` wrote it, which would be lost; move it away, or name a new "
                "folder by --out"
            )

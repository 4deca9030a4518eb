"""Which tasks there are: the benchmark's, read from ``data/tasks.yaml``, and a user's own (`videmo.tasks.own`).

Own tasks come after the benchmark's. Which files they stand in is said by `use_tasks`, to this process and to those
that it starts, by a variable of the environment: an index is built, and batches are loaded, by processes that must
mean the same by a record's ``source``.
"""

import json
import os
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

import yaml

from videmo.errors import InputError
from videmo.tasks.own import OWN_FILE, as_entry, read_own_tasks
from videmo.tasks.spec import Task, task_from_entry

_VARIABLE = "VIDEMO_TASKS"
"""Holds the paths of the files of own tasks, as a JSON list."""

WITHOUT_TASK = "no task for"
"""How the reason begins why a record has no task."""
TEXT_TASK = Task("text", column="text", scenario="text", result_file="text", kind="caption")
"""Conversations about no video that are mixed in to keep what the model could before; no part of the benchmark."""


@cache
def benchmark_tasks() -> tuple[Task, ...]:
    """The tasks of the shipped tasks.yaml, in its order."""
    text = (files("videmo.tasks.data") / "tasks.yaml").read_text(encoding="utf-8")
    return tuple(task_from_entry(name, entry) for name, entry in yaml.safe_load(text).items())


@cache
def own_tasks() -> tuple[Task, ...]:
    """The tasks that `use_tasks` said, in the order of the files."""
    return _merged(json.loads(os.environ.get(_VARIABLE, "[]")))


@cache
def all_tasks() -> tuple[Task, ...]:
    """The benchmark's tasks, and then a user's own."""
    return (*benchmark_tasks(), *own_tasks())


@cache
def training_tasks() -> tuple[Task, ...]:
    """All that a training record may belong to: the tasks, and text."""
    return (*all_tasks(), TEXT_TASK)


def use_tasks(*paths: str | Path) -> None:
    """Make the tasks of these files a user's own, here and in processes that start from now on; none without a file.

    Raises:
        InputError: If one is no file of tasks, or two say different things of a task.
    """
    _merged(map(str, paths))
    if not (paths or _VARIABLE in os.environ):
        return
    if paths:
        os.environ[_VARIABLE] = json.dumps([str(Path(path).resolve()) for path in paths])
    else:
        del os.environ[_VARIABLE]
    for cached in (own_tasks, all_tasks, training_tasks, _tasks_by_source, _no_task):
        cached.cache_clear()


def use_tasks_of(*folders: str | Path) -> None:
    """`use_tasks` of the ``tasks.yaml`` in each data folder, or folder of answers, that has one.

    Raises:
        InputError: As `use_tasks`.
    """
    use_tasks(*(file for folder in folders if (file := Path(folder) / OWN_FILE).is_file()))


def own_tasks_text() -> str:
    """The own tasks as a YAML file; empty where there are none."""
    entries = {task.name: as_entry(task) for task in own_tasks()}
    return yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=120) if entries else ""


def _merged(paths: Iterable[str]) -> tuple[Task, ...]:
    """The tasks of several files, which may name the same ones.

    Raises:
        InputError: If they differ in what they say of one.
    """
    found: dict[str, tuple[Task, str]] = {}
    for path in dict.fromkeys(paths):
        for task in read_own_tasks(Path(path), [*benchmark_tasks(), TEXT_TASK]):
            known, first = found.setdefault(task.name, (task, path))
            if known != task:
                raise InputError(
                    f"{first} and {path} differ in what the task {task.name!r} is; answers to one are none to the "
                    "other: give it another name in one of them, or copy the right file over the other"
                )
    return tuple(task for task, _ in found.values())


def unknown_selector(names: Iterable[str]) -> str | None:
    """The first name by which a config cannot mean a task, with what was perhaps meant; None where there is none.

    Example:
        >>> unknown_selector(["caption", "all"]), unknown_selector(["caption", "zebra"])
        (None, "'zebra', which is none; use a task, a column, a scenario or all")
    """
    known = {name for task in training_tasks() for name in task.selectors}
    for name in names:
        if name not in known:
            near = get_close_matches(name, sorted(known), n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "use a task, a column, a scenario or all"
            return f"{name!r}, which is none; {hint}"
    return None


@cache
def _tasks_by_source() -> dict[str, Task]:
    return {source: task for task in all_tasks() for source in (task.result_file, *task.sources)}


def find_task(source: str, file: str | None = None, *, has_videos: bool = True) -> Task:
    """The task of a record: by its ``source``, else by the stem of its file, else `TEXT_TASK` if it has no videos.

    Raises:
        InputError: If neither names a task; the message has the nearest known names.

    Example:
        >>> find_task("QA_Hair").column, find_task("magpie", has_videos=False).name
        ('hair', 'text')
    """
    by_source = _tasks_by_source()
    stem = Path(file).stem if file else None
    for name in (source, stem):
        if name in by_source:
            return by_source[name]
    if not has_videos:
        return TEXT_TASK
    raise InputError(_no_task(source, file))


def is_task(source: str) -> bool:
    """Whether a record's ``source``, or a file's stem, names a task."""
    return source in _tasks_by_source()


@lru_cache(maxsize=2**10)  # the nearest names take milliseconds, and a file names its source a hundred thousand times
def _no_task(source: str, file: str | None) -> str:
    by_source = _tasks_by_source()
    stem = Path(file).stem if file else None
    given = f"source {source!r}" + (f" in {file}" if file else "")
    near = list(dict.fromkeys(hit for name in (source, stem) if name for hit in get_close_matches(name, by_source)))
    known = f"known: {', '.join([*by_source][:6])} and {len(by_source) - 6} more."
    hint = f"did you mean {' or '.join(near)}?" if near else known
    mend = 'Correct the record\'s "source" or the file name, or add an entry to tasks.yaml.'
    return f"{WITHOUT_TASK} {given}: {hint} {mend}"

"""Tasks of a user's own: a YAML file of entries like those of ``data/tasks.yaml``, most of whose keys may be left out.

    tension: {kind: single_choice, labels: [calm, uneasy, tense], question: "How tense is the person?"}

``labels`` are a list or the name of a shipped set. Where they are not given, ``column`` and ``result_file`` are the
entry's name, and ``scenario`` is expression. ``question``, or several as ``questions``, are how `videmo curate` asks.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import yaml

from videmo.errors import InputError, printable
from videmo.tasks.labels import label_set_names
from videmo.tasks.mentions import normalise
from videmo.tasks.options import list_options
from videmo.tasks.spec import ALL, KINDS, SCENARIOS, Task, task_from_entry

OWN_FILE = "tasks.yaml"
"""In a data folder, or beside answers, the file of own tasks."""
MOST_OPTIONS = 26
"""Labels of a choice, as each has a letter."""

_KEYS = {
    **dict.fromkeys(("kind", "column", "result_file", "scenario", "level", "question"), str),
    **dict.fromkeys(("sources", "questions"), list),
    **dict.fromkeys(("groups", "aliases"), dict),
    "labels": object,
}
_NEEDS = {"single_choice": "labels", "multi_label": "labels", "choice_open": "groups"}
"""What a kind must be given, and no other may be."""
_NAME = re.compile(r"[^\W_][\w-]*")
_TAKEN = {
    *(ALL, *SCENARIOS, "average"),  # what else stands where columns do
    *("benchmark", "scores", "quarantine", "curation"),  # what else is a file where answers or data are
    # columns of the paper that no task has: the six of a judge
    *("label_overlap", "clue_overlap", "instruction_adherence", "response_accuracy", "video_text_relevance", "fluency"),
}


def read_own_tasks(file: Path, others: Iterable[Task]) -> list[Task]:
    """The tasks of a file, in its order.

    Args:
        file: YAML, an entry a task.
        others: Whose names, columns, files and sources no own task may have.

    Raises:
        InputError: If the file cannot be read, or an entry describes no task that can be told from all others and
            whose labels can be told from each other; naming file, line and entry.
    """
    lines, entries = _read(file)
    taken = {name: other for other in others for name in _names(other)} | dict.fromkeys(_TAKEN)
    tasks = []
    for name, entry in entries.items():
        where = f"{file}:{lines.get(name, 1)}: task {name!r}"
        try:
            task = _task(name, entry)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        for used in dict.fromkeys(_names(task)):
            if used in taken:
                other = taken[used]
                raise InputError(
                    f"{where}: {used!r} is a name in use, {f'that of {other.name!r}' if other else 'of videmo itself'};"
                    " take another"
                )
        taken |= dict.fromkeys((task.name, task.result_file, *task.sources), task)  # several may share a column
        tasks.append(task)
    return tasks


def as_entry(task: Task) -> dict:
    """The entry that describes a task, as plain values."""
    fields = asdict(task)  # copies, so that YAML writes what two tasks share twice, and no anchor
    keys = ["kind", "labels", "groups", "aliases", "questions", "column", "scenario", "level", "result_file", "sources"]
    return {key: fields[key] for key in keys if fields[key]}


def _names(task: Task) -> Iterator[str]:
    yield from (task.name, task.column, task.result_file, *task.sources)


def _read(file: Path) -> tuple[dict[str, int], dict[str, object]]:
    """The line of each entry, and what it says."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        node, entries = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except FileNotFoundError:
        raise InputError(f"no file of tasks {file}") from None
    except IsADirectoryError:
        raise InputError(f"{file} is a folder; name the YAML file of tasks in it") from None
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8 text; save it as UTF-8") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{file} is not valid YAML: {printable(str(error))}") from None
    if not isinstance(entries, dict) or not entries:
        raise InputError(
            f"{file} holds no tasks; write an entry each, such as `tension: {{kind: single_choice, labels: [calm, "
            'tense], question: "How tense is the person?"}`'
        )
    lines: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if key.value in lines:
            raise InputError(f"{file}:{line}: task {key.value!r} stands there twice; remove one, or rename it")
        lines[key.value] = line
    for name in entries:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InputError(
                f"{file}: the name of a task is letters, digits, - and _, as it names files and columns; got {name!r}"
            )
    return lines, entries


def _task(name: str, entry: object) -> Task:
    """
    Raises:
        InputError: What is wrong with the entry.
    """
    if not isinstance(entry, dict):
        raise InputError("expected keys and values, such as {kind: single_choice, labels: [calm, tense]}")
    for key, value in entry.items():
        if key not in _KEYS:
            raise InputError(f"unknown key {key!r}; there are {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]):
            kinds: dict[type, str] = {str: "a text", list: "a list", dict: "a mapping"}
            raise InputError(f"{key} must be {kinds[_KEYS[key]]}, got {value!r}")
    kind = entry.get("kind")
    if kind not in KINDS:
        raise InputError(
            f"kind {kind!r} is none of {', '.join(KINDS)}" if kind else f"give its kind: {', '.join(KINDS)}"
        )
    for key in ("labels", "groups"):
        if key == _NEEDS.get(kind) and not entry.get(key):
            raise InputError(f"a {kind} needs {key}")
        if key in entry and key != _NEEDS.get(kind):
            raise InputError(f"a {kind} has no {key}; leave them out, or take another kind")
    for key in ("column", "result_file"):
        if key in entry and not _NAME.fullmatch(entry[key]):
            raise InputError(f"{key} is letters, digits, - and _, got {entry[key]!r}")
    task = task_from_entry(
        name,
        {
            "column": name,
            "result_file": name,
            "scenario": "expression",
            **{key: value for key, value in entry.items() if key != "question"},
            "questions": _questions(entry),
            **({"labels": _labels(entry["labels"])} if "labels" in entry else {}),
            "groups": {str(group): _texts(words, "groups") for group, words in entry.get("groups", {}).items()},
            "aliases": {str(label): _texts(words, "aliases") for label, words in entry.get("aliases", {}).items()},
            "sources": _texts(entry.get("sources", []), "sources"),
        },
    )
    if kind == "single_choice" and not 2 <= len(task.labels) <= MOST_OPTIONS:
        raise InputError(f"a single_choice has 2 to {MOST_OPTIONS} labels, got {len(task.labels)}")
    _check_aliases(task)
    _check_labels(task)
    return task


def _questions(entry: Mapping) -> list[str]:
    asked = [*([entry["question"]] if "question" in entry else []), *_texts(entry.get("questions", []), "questions")]
    for question in asked:
        if not question.strip() or "<video>" in question or "{" in question:
            raise InputError(f"a question is plain words, without <video> and braces, got {question!r}")
    return [" ".join(question.split()) for question in asked]


def _labels(given: object) -> str | list[str]:
    """The name of a set, or labels."""
    if isinstance(given, str):
        if given not in label_set_names():
            raise InputError(
                f"labels {given!r} is no shipped set ({', '.join(label_set_names())}); name one, or list labels"
            )
        return given
    labels = _texts(given, "labels")
    plain = [normalise(label) for label in labels]
    if len(labels) < 2 or len(set(plain)) < len(plain):
        raise InputError(f"labels are two or more that differ in more than case, _ and -; got {labels}")
    return labels


def _texts(given: object, key: str) -> list[str]:
    """A list of words in one line each; numbers are taken as they are written."""
    if not isinstance(given, list | tuple):
        raise InputError(f"{key} must be a list, got {given!r}")
    for text in given:
        if isinstance(text, bool) or not isinstance(text, str | int) or not str(text).strip() or "\n" in str(text):
            hint = "; put yes, no, on and off in quotes, or they are true and false" if isinstance(text, bool) else ""
            raise InputError(f"{key} are texts of one line, got {text!r}{hint}")
    return [" ".join(str(text).split()) for text in given]


def _check_aliases(task: Task) -> None:
    words = [word for group in task.groups.values() for word in group]
    parts = [part for label in task.labels for part in normalise(label).split()]
    known = {normalise(word) for word in (*task.labels, *words, *parts)}
    for label in task.aliases:
        if normalise(label) not in known:
            raise InputError(f"aliases are other words for a label, but {label!r} is none")


def _check_labels(task: Task) -> None:
    """Each label must be read as itself, alone, behind its letter, and where a question lists all of them."""
    listed = list(reversed(task.labels))[:MOST_OPTIONS]
    question = list_options("?", listed)
    for label in task.labels:
        answer = frozenset([label]) if task.kind == "multi_label" else label
        for asked in ("", question if label in listed else ""):
            for text in (label, task.phrase(answer, asked)):
                if (found := task.parse(text, asked)) != answer:
                    said = "nothing" if not found else ", ".join(sorted({found} if isinstance(found, str) else found))
                    raise InputError(
                        f"the label {label!r} would be read as {said} where a model answers {text!r}; reword it, so "
                        "that no label is a negation, a letter or a word that answers are full of"
                    )
    for several in (frozenset(task.labels), frozenset()) if task.kind == "multi_label" else ():
        if task.parse(task.phrase(several)) != several:
            raise InputError(f"the labels cannot be told from each other or from none in {task.phrase(several)!r}")

"""A task: where its records come from, what its answers mean and how one is scored.

The tasks are data, `data/tasks.yaml`: a new one is an entry there. Reward and benchmark call the same `Task.score`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from pathlib import Path

import yaml

from videmo.errors import InputError
from videmo.tasks.action_units import spell_action_units
from videmo.tasks.answer_text import clean
from videmo.tasks.labels import label_meanings, label_set
from videmo.tasks.levels import LEVELS
from videmo.tasks.mentions import normalise, phrase_table
from videmo.tasks.options import choice_table, question_options
from videmo.tasks.parsing import parse_label_set, parse_listed_labels, parse_single_choice
from videmo.tasks.scoring import Grade, sample_f1, vocabulary_match
from videmo.tasks.yes_no import parse_yes_no

Answer = str | frozenset[str]
"""One label (choices, yes/no), a set of labels or vocabulary words, or a caption's text."""

SCENARIOS = ("attribute", "expression", "understanding")
ALL = "all"
"""Names every task."""


@dataclass(frozen=True)
class Task:
    """One result file of the benchmark.

    Attributes:
        name: Its key in tasks.yaml.
        column: The column of the paper's tables that it goes into, alone or averaged with others.
        scenario: attribute, expression or understanding.
        result_file: Stem of its test and prediction files.
        kind: A key of `KINDS`.
        sources: Other values of a record's ``source`` that mean it.
        labels: Its labels in option order.
        groups: Vocabulary of its open answers: group -> words.
        aliases: Label or word, or a word of labels ("Weak", "30 degrees") -> other words for it.
        level: attribute, expression or emotion: which level of the affective tree it asks about.
    """

    name: str
    column: str
    scenario: str
    result_file: str
    kind: str
    sources: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    level: str = "emotion"

    @property
    def selectors(self) -> tuple[str, ...]:
        """What a config may name it by, alone or with others, the narrowest first."""
        return (self.name, self.column, self.scenario, ALL)

    def parse(self, text: str, question: str = "") -> Answer | None:
        """The labels that an answer names; None if it cannot be read as an answer (counted, scored wrong)."""
        return _parse(self, text, question)

    def grade(self, response: str, reference: str, question: str = "") -> Grade:
        """Both scores of a response, and whether it could be read.

        Scores are None where no rule can tell: a caption, or a reference in which the rules find no answer.
        """
        preds, target = self.parse(response, question), self.parse(reference, question)
        if target is None or KINDS[self.kind].score is None:
            return Grade(None, None, preds is not None)
        if preds is None:
            return Grade(0.0, 0.0, False)
        scores = (float(KINDS[self.kind].score(self, preds, target, empty)) for empty in (1.0, 0.0))
        return Grade(*scores, True)

    def score(self, response: str, reference: str, question: str = "") -> float | None:
        """The native score, 0..1; empty for empty is right. None where no rule can tell."""
        return self.grade(response, reference, question).native

    def release_score(self, response: str, reference: str, question: str = "") -> float | None:
        """The authors' score, for the published columns: F1 of empty against empty is 0."""
        return self.grade(response, reference, question).release

    def phrase(self, answer: Answer, question: str = "") -> str:
        """The text of an answer as references write it: ``B. Sad``, ``black_hair, bangs``, ``none``, ``Yes``."""
        if isinstance(answer, frozenset):
            known = [label for label in self.labels if label in answer]
            return ", ".join(known or sorted(answer)) or "none"
        for letter, label in self.options(question).items():
            if label == answer:
                return f"{letter}. {label}"
        return answer

    def options(self, question: str) -> dict[str, str]:
        """Letter -> label: the options that the question lists, else the task's labels in order.

        An option that the task knows (in any case or spelling) is given as the task writes it.
        """
        if self.kind not in ("single_choice", "choice_open"):
            return {}
        listed = question_options(question)
        if not listed:
            return {chr(ord("A") + i): label for i, label in enumerate(self.labels)}
        known = {letter: self.known(text) for letter, text in listed.items()}
        return known if len(set(known.values())) == len(known) else listed  # "light brown" and "dark brown" stay two

    def known(self, text: str) -> str:
        """The label or word that a text is, as the task writes it; else the text itself."""
        return self._phrases.get(normalise(text), text)

    @cached_property
    def _phrases(self) -> dict[str, str]:
        words = [word for group in self.groups.values() for word in group]
        return phrase_table([*self.labels, *words], self.aliases)


@dataclass(frozen=True)
class Kind:
    """How one kind of task reads an answer, and scores what it read (None: not by rule)."""

    parse: Callable[[Task, str, str], Answer | None]
    score: Callable[[Task, Answer, Answer, float], float] | None


@lru_cache(maxsize=2**16)  # rules and rewards read the same few answers again and again
def _parse(task: Task, text: str, question: str) -> Answer | None:
    return KINDS[task.kind].parse(task, text, question)


def _parse_choice(task: Task, text: str, question: str) -> Answer | None:
    options = task.options(question)
    return parse_single_choice(text, options, _choice_table(task, tuple(options.values())))


@lru_cache(maxsize=2**12)
def _choice_table(task: Task, options: tuple[str, ...]) -> dict[str, frozenset[str]]:
    return choice_table(options, task.aliases)


def _parse_choice_or_open(task: Task, text: str, question: str) -> Answer | None:
    if question_options(question):
        return _parse_choice(task, text, question)
    return parse_label_set(text, task._phrases) or None


def _score_choice_or_open(task: Task, preds: Answer, target: Answer, empty_score: float) -> float:
    if isinstance(target, str):
        return preds == target
    return vocabulary_match(preds, target, task.groups.values())


def _parse_labels(task: Task, text: str, question: str) -> Answer | None:
    if any(label.startswith("AU") for label in task.labels):
        text = spell_action_units(text)
    if listed := question_options(question):
        return parse_listed_labels(text, {letter: task.known(label) for letter, label in listed.items()}, task._phrases)
    return parse_label_set(text, task._phrases)


KINDS: dict[str, Kind] = {
    "single_choice": Kind(_parse_choice, lambda task, preds, target, empty_score: preds == target),
    "yes_no": Kind(
        lambda task, text, question: parse_yes_no(text, question),
        lambda task, preds, target, empty_score: preds == target,
    ),
    "multi_label": Kind(_parse_labels, lambda task, preds, target, empty_score: sample_f1(preds, target, empty_score)),
    "choice_open": Kind(_parse_choice_or_open, _score_choice_or_open),
    "caption": Kind(lambda task, text, question: clean(text) or None, None),
}


def task_from_entry(name: str, entry: Mapping) -> Task:
    """The task that an entry of tasks.yaml describes.

    Raises:
        InputError: If its kind, scenario or label set is unknown.
    """
    for key, known in (("kind", tuple(KINDS)), ("scenario", SCENARIOS)):
        if entry[key] not in known:
            raise InputError(f"task {name!r}: {key} {entry[key]!r} is none of {', '.join(known)}")
    level = entry.get("level", "attribute" if entry["scenario"] == "attribute" else "emotion")
    if level not in LEVELS:
        raise InputError(f"task {name!r}: level {level!r} is none of {', '.join(LEVELS)}")
    aliases = dict(entry.get("aliases", {}))
    if "labels" in entry:
        for label, meaning in label_meanings(entry["labels"]).items():
            aliases[label] = [meaning, *aliases.get(label, ())]
    return Task(
        name=name,
        column=entry["column"],
        scenario=entry["scenario"],
        result_file=entry["result_file"],
        kind=entry["kind"],
        sources=tuple(entry.get("sources", ())),
        labels=label_set(entry["labels"]) if "labels" in entry else (),
        groups={group: tuple(words) for group, words in entry.get("groups", {}).items()},
        aliases={label: tuple(words) for label, words in aliases.items()},
        level=level,
    )


@cache
def all_tasks() -> tuple[Task, ...]:
    """The tasks of tasks.yaml, in its order."""
    text = (files("videmo.tasks.data") / "tasks.yaml").read_text(encoding="utf-8")
    return tuple(task_from_entry(name, entry) for name, entry in yaml.safe_load(text).items())


TEXT_TASK = Task("text", column="text", scenario="text", result_file="text", kind="caption")
"""Conversations about no video that are mixed in to keep what the model could before; no part of the benchmark."""


@cache
def training_tasks() -> tuple[Task, ...]:
    """All that a training record may belong to: the benchmark's tasks, and text."""
    return (*all_tasks(), TEXT_TASK)


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
    return (
        f'no task for {given}: {hint} Correct the record\'s "source" or the file name, or add an entry to tasks.yaml.'
    )

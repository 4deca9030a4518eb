"""A task: where its records come from, what its answers mean and how one is scored.

The tasks are data, `data/tasks.yaml`: a new one is an entry there, or in a user's own file (`videmo.tasks.registry`).
Reward and benchmark call the same `Task.score`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

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
        questions: Ways to ask it, where it is a user's own and says so.
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
    questions: tuple[str, ...] = field(default=(), compare=False)

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
        score = KINDS[self.kind].score
        if target is None or score is None:
            return Grade(None, None, preds is not None)
        if preds is None:
            return Grade(0.0, 0.0, False)
        native, release = (float(score(self, preds, target, empty)) for empty in (1.0, 0.0))
        return Grade(native, release, True)

    def score(self, response: str, reference: str, question: str = "") -> float | None:
        """The native score, 0..1; empty for empty is right. None where no rule can tell."""
        return self.grade(response, reference, question).native

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


def task_labels(task: Task) -> tuple[str, ...]:
    """The labels that a task's figures are over, in their order; none for captions and open answers.

    Example:
        >>> from videmo.tasks import find_task
        >>> task_labels(find_task("MEAD_ID")), task_labels(find_task("QA_Hair"))
        (('Yes', 'No'), ())
    """
    return ("Yes", "No") if task.kind == "yes_no" else task.labels


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
        InputError: If its kind, scenario, level or label set is unknown.
    """
    entry = {"level": "attribute" if entry["scenario"] == "attribute" else "emotion", **entry}
    for key, known in (("kind", tuple(KINDS)), ("scenario", SCENARIOS), ("level", LEVELS)):
        if entry[key] not in known:
            raise InputError(f"{key} {entry[key]!r} is none of {', '.join(known)}")
    labels, aliases = entry.get("labels", ()), dict(entry.get("aliases", {}))
    if isinstance(labels, str):
        for label, meaning in label_meanings(labels).items():
            aliases[label] = [meaning, *aliases.get(label, ())]
    labels = label_set(labels) if isinstance(labels, str) else tuple(labels)
    return Task(
        name=name,
        column=entry["column"],
        scenario=entry["scenario"],
        result_file=entry["result_file"],
        kind=entry["kind"],
        sources=tuple(entry.get("sources", ())),
        labels=labels,
        groups={group: tuple(words) for group, words in entry.get("groups", {}).items()},
        aliases={label: tuple(words) for label, words in aliases.items()},
        level=entry["level"],
        questions=tuple(entry.get("questions", ())),
    )

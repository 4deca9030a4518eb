"""What a judge is asked, and what it answers.

A question names a use, for which there is a prompt, and brings the texts that the prompt needs. A verdict is a value,
or missing with the reason in words: a judge that failed says nothing about the answer it was to judge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from videmo.affect import AffectiveTree
from videmo.errors import InputError


class Use(NamedTuple):
    """What a model is asked for, and how it answers.

    Attributes:
        fields: The texts that a question of this use has.
        needed: Those without which a prompt does not ask what its use is for.
        reply: How a reply is read; its value is what callers expect, so a prompt cannot choose another.
    """

    fields: tuple[str, ...]
    needed: frozenset[str]
    reply: str


USES = {
    "labels": Use(("task_labels", "question", "response"), frozenset({"task_labels", "response"}), "labels"),
    "yes_no": Use(("question", "reference", "response"), frozenset({"reference", "response"}), "yes_no"),
    "caption": Use(("question", "reference", "response"), frozenset({"reference", "response"}), "score"),
    "understanding": Use(("question", "reference", "response"), frozenset({"reference", "response"}), "scores"),
    "tree": Use(("caption",), frozenset({"caption"}), "tree"),
    "candidate": Use(("dialogue", "question", "response"), frozenset({"question", "response"}), "score"),
}
"""What a judge is asked for.

``labels``: which of the listed labels (one a line) a free answer names. ``yes_no``: whether an answer is right.
``caption``: how good a caption is. ``understanding``: the six scores of a fine-grained caption. ``tree``: a caption's
affective tree. ``candidate``: how well an answer fits the dialogue before it, without a reference.
"""

SCORES = (
    "label_overlap",
    "clue_overlap",
    "instruction_adherence",
    "response_accuracy",
    "video_text_relevance",
    "fluency",
)
"""The six scores of a fine-grained caption."""

Value = bool | float | tuple[str, ...] | dict[str, float] | AffectiveTree
"""``yes_no``: whether it is right; ``caption``, ``candidate``: 0 to 100; ``labels``: those named, in listed order,
maybe none; ``understanding``: `SCORES` to 1 to 100; ``tree``: the tree."""


@dataclass(frozen=True)
class Question:
    """One thing to ask; a value that can be hashed, as its fields are not to be changed.

    Attributes:
        use: A key of `USES`.
        fields: The texts that the use has, all of them; an empty one is a text.

    Raises:
        InputError: If there is no such use, or its fields are others.

    Example:
        >>> fields = {"question": "How does she feel?", "reference": "sad", "response": "She weeps."}
        >>> question = Question("yes_no", fields)
        >>> {question: 1}[Question("yes_no", dict(fields))]
        1
    """

    use: str
    fields: Mapping[str, str]

    def __post_init__(self) -> None:
        if self.use not in USES:
            raise InputError(f"a judge has no use {self.use!r}; there are {', '.join(USES)}")
        names = USES[self.use].fields
        if {*self.fields} != {*names} or not all(isinstance(text, str) for text in self.fields.values()):
            given = ", ".join(f"{name} ({type(value).__name__})" for name, value in self.fields.items())
            raise InputError(f"a question of use {self.use!r} has the texts {', '.join(names)}, not {given or 'none'}")
        object.__setattr__(self, "fields", dict(self.fields))
        if self.use == "labels" and not self.listed_labels:
            raise InputError("a question of use 'labels' lists no label: write them into task_labels, one a line")

    def __hash__(self) -> int:
        return hash((self.use, *(self.fields[name] for name in USES[self.use].fields)))

    @property
    def listed_labels(self) -> tuple[str, ...]:
        """The labels of ``task_labels``: one a line, or on a single line between commas; none for other uses.

        Example:
            >>> Question("labels", {"task_labels": "Happy, Sad", "question": "", "response": "joyful"}).listed_labels
            ('Happy', 'Sad')
        """
        text = self.fields.get("task_labels", "").strip()
        labels = (label.strip() for label in (text.splitlines() if "\n" in text else text.split(",")))
        return tuple(dict.fromkeys(label for label in labels if label))


@dataclass(frozen=True)
class Verdict:
    """What a model made of a question.

    Attributes:
        value: The verdict, a `Value` of a judge's; None where it is missing.
        missing: Why it is, in words; None where there is a value.
        reply: What the judge wrote; None where nothing came back.
        cached: Whether the reply was on disk, so that nothing was sent.
        prompt_tokens, completion_tokens: That it took, as the server counted them.
    """

    value: Any
    missing: str | None
    reply: str | None
    cached: bool
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __post_init__(self) -> None:
        assert (self.value is None) != (self.missing is None)


class SupportsAsk(Protocol):
    """What can be asked is a judge: the client of a server, or whatever else answers questions."""

    @property
    def identity(self) -> Mapping:
        """Who judged by which prompts, JSON-ready: what a result must say to be repeated."""

    def ask(self, questions: Sequence[Question]) -> list[Verdict]:
        """A verdict for each question, in their order."""

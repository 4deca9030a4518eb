"""Labels put into words: instruction pairs in the release's format, from the templates of ``wording.yaml``.

A label is asked for as a choice, with its options one a line under shuffled letters, or openly. Which words and letters
are drawn depends on the seed, the videos, the task and the form alone, so that a clip that comes or goes changes no
other's questions. The answer is what `videmo.tasks` reads as the label: the option with its letter (``B. Sad``), labels
in their order (``AU1, AU4``), or the words that were given.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeVar

import numpy as np
import yaml

from videmo.data.records import VIDEO_PLACEHOLDER
from videmo.errors import InputError
from videmo.synth.files import FILES
from videmo.tasks import Answer, Task, find_task, list_options

T = TypeVar("T")
Form = Literal["choice", "open"]
MOST_LISTED = 12
"""Labels of a set that a question lists: those that are right, filled up with others."""
MOST_WORDS = 6
"""Words of a group of open answers that a question lists."""
_LETTERS, _WRONG = 26, 3  # options that can be listed, and how many of them are wrong at least, where there are such


@cache
def templates() -> Mapping[str, Any]:
    """What stands in ``wording.yaml``."""
    return yaml.safe_load((files("videmo.curate") / "wording.yaml").read_text(encoding="utf-8"))


def version() -> str:
    """Of the templates; every record that they made names it."""
    return str(templates()["version"])


def questions(task: Task) -> list[str]:
    """The ways to ask for a task's answer; those of a user's own task from its own questions.

    Raises:
        InputError: If it has none.
    """
    if task.name in templates()["questions"]:
        return templates()["questions"][task.name]
    if not task.questions:
        raise InputError(
            f"the task {task.name!r} cannot be asked: give its entry a question, such as "
            'question: "How tense is the person?"'
        )
    return [frame.format(question=question) for frame in templates()["frames"] for question in task.questions]


def forms(task: Task, answer: Answer) -> tuple[Form, ...]:
    """In which forms an answer can be asked for: a caption openly alone, what would list too many options, too."""
    return ("choice", "open") if _offers(task, answer) else ("open",)


def instruct(
    task: Task,
    answer: Answer,
    videos: Sequence[str],
    *,
    seed: int,
    form: Form = "open",
    provenance: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One question and its answer as a record.

    Args:
        task: What is asked.
        answer: A label, a set of labels, or words: what an open answer or a caption says.
        videos: As the record names them.
        seed: Of the words and letters.
        form: One of `forms`.
        provenance: Where the answer is from; the templates' version is added.

    Raises:
        InputError: If a user's own task has no question.

    Example:
        >>> from videmo.tasks import find_task
        >>> task = find_task("MOSI_Single-Label-Sentiment-Recognition")
        >>> record = instruct(task, "Neutral", ["a.mp4"], seed=0, form="choice")
        >>> task.score(record["messages"][1]["content"], "Neutral", record["messages"][0]["content"])
        1.0
    """
    rng = draws(seed, task.name, form, *videos)
    # A sentence to end goes with no options: "The emotion is: Which of these fits?"
    wordings = [one for one in questions(task) if form == "open" or not one.endswith(":")]
    question = pick(wordings or questions(task), rng)
    if form == "choice":
        offers = _offers(task, answer)
        options, answer = offers[int(rng.integers(len(offers)))]
        question = f"{question} {pick(templates()['choose'][task.kind], rng)}"
        question = list_options(question, _some(options, answer, rng))
        text = task.phrase(answer, question)
    else:
        text = answer if isinstance(answer, str) else task.phrase(answer)
    turns = [turn("user", VIDEO_PLACEHOLDER * len(videos) + question), turn("assistant", text)]
    return as_record(task, turns, videos, provenance)


def forms_in(split: str, task: Task, answer: Answer, videos: Sequence[str], seed: int) -> Sequence[Form]:
    """In which forms a split asks: training in all that there are, the others once, or an answer would count twice."""
    possible = forms(task, answer)
    return possible if split == "train" else [pick(possible, draws(seed, task.name, "form", *videos))]


def explanation(
    felt: str, rationale: str, videos: Sequence[str], *, seed: int, provenance: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Four turns as a record: what is felt, and why."""
    task, rng = find_task(FILES["rationale"].source), draws(seed, "rationale", *videos)
    turns = [
        turn("user", VIDEO_PLACEHOLDER * len(videos) + pick(questions(task), rng)),
        turn("assistant", felt),
        turn("user", pick(templates()["why"], rng)),
        turn("assistant", rationale),
    ]
    return as_record(task, turns, videos, provenance)


def as_record(
    task: Task, turns: Sequence[Mapping[str, str]], videos: Sequence[str], provenance: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Turns as a record of a task; what is there besides the release's fields says where it is from."""
    source = FILES[task.name].source if task.name in FILES else task.result_file
    about = {**(provenance or {}), "templates": version()}
    return {"messages": list(turns), "videos": list(videos), "source": source, "provenance": about}


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def draws(*key: object) -> np.random.Generator:
    """Random numbers that depend on the key alone, on every machine."""
    digest = hashlib.blake2b(repr(key).encode("utf-8", "surrogateescape"), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def pick(wordings: Sequence[T], rng: np.random.Generator) -> T:
    return wordings[int(rng.integers(len(wordings)))]


Offer = tuple[tuple[tuple[str, ...], int], Answer]
"""Options of which so many are listed, and the answer among them."""


def _offers(task: Task, answer: Answer) -> list[Offer]:
    """The choices that an answer can be asked for as; several for words of several groups."""
    if task.kind == "single_choice":
        return [((task.labels, _LETTERS), answer)]
    if task.kind == "yes_no":
        return [((("Yes", "No"), 2), answer)]
    if task.kind == "multi_label":
        return [((task.labels, MOST_LISTED), answer)] if len(answer) <= _LETTERS - _WRONG else []
    if task.kind == "choice_open":
        said = task.parse(answer) if isinstance(answer, str) else answer
        named = [(words, [word for word in words if word in (said or ())]) for words in task.groups.values()]
        return [((words, MOST_WORDS), found[0]) for words, found in named if len(found) == 1 < len(words)]
    return []


def _some(options: tuple[tuple[str, ...], int], answer: Answer, rng: np.random.Generator) -> list[str]:
    """The right options, filled up with others, in any order."""
    known, most = options
    right = [option for option in known if option == answer or (not isinstance(answer, str) and option in answer)]
    others = [option for option in known if option not in right]
    taken = {others[place] for place in rng.permutation(len(others))[: max(_WRONG, most - len(right))]}.union(right)
    chosen = [option for option in known if option in taken]  # where all are listed, in an order that tells nothing
    return [chosen[place] for place in rng.permutation(len(chosen))]

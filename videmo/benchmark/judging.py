"""What a judge is asked about an answer, and what its verdict scores (paper, evaluation).

As with the authors' judge, a free answer is turned into labels before these are compared, an open answer is right or
wrong by the reference, a short caption gets 0 to 100 and a fine-grained one six scores from 1 to 100. No judge is asked
about an empty answer, which is wrong, about one that is the reference word for word, or nothing but labels, letters of
options, yes or no.
"""

import re
from dataclasses import replace

from videmo.benchmark.graded import Graded
from videmo.judge import SCORES, Question, Verdict
from videmo.tasks import Answer, Task, question_options, task_labels
from videmo.tasks.spec import KINDS

_BETWEEN_LABELS = re.compile(r"[,;\n]|\band\b")


def judged_columns(task: Task) -> tuple[str, ...]:
    """The columns of the paper that a verdict about one of the task's answers fills."""
    if task.column == "caption":
        return SCORES
    return () if task.column == "rationale" else (task.column,)


def question_about(graded: Graded) -> Question | None:
    """What to ask a judge about an answer; None where it would have nothing to add."""
    task = graded.task
    if not graded.answered or not judged_columns(task):
        return None
    said = {"question": graded.question, "response": graded.response}
    if task.kind == "caption":
        use = "understanding" if task.column == "caption" else "caption"
        return Question(use, {**said, "reference": graded.reference})
    if _is_open(graded):
        return None if _is_verbatim(graded) else Question("yes_no", {**said, "reference": graded.reference})
    if is_plain(task, graded.response, graded.question):
        return None
    return Question("labels", {**said, "task_labels": "\n".join(labels_of(task, graded.question))})


def settled(graded: Graded) -> Graded:
    """The answer with the scores that need neither judge nor rules: of an empty one, and of a reference word for word.

    An empty answer is wrong in every column that a judge would fill.
    """
    if not graded.answered:
        wrong = dict.fromkeys(judged_columns(graded.task), 0.0)
        native = {} if graded.task.kind == "caption" else wrong
        return replace(graded, scores=graded.scores | wrong, native=native, missing={})
    if _is_open(graded) and _is_verbatim(graded):
        right = {graded.task.column: 1.0}
        return replace(graded, answer=graded.response, scores=right, native=right, missing={})
    return graded


def with_verdict(graded: Graded, verdict: Verdict) -> Graded:
    """The answer as the judge read it; where the judge failed, its columns are missing."""
    task = graded.task
    columns = judged_columns(task)
    if verdict.value is None:
        left = {name: score for name, score in graded.scores.items() if name not in columns}
        missing = dict.fromkeys(columns, verdict.missing or "")
        answer = graded.answer if task.kind == "caption" else None
        return replace(graded, by="judge", answer=answer, scores=left, native={}, missing=missing)
    if task.kind == "caption":
        scores = verdict.value if isinstance(verdict.value, dict) else {columns[0]: verdict.value}
        return replace(graded, by="judge", scores=graded.scores | {c: scores[c] / 100 for c in columns})
    if isinstance(verdict.value, bool):
        answer = graded.answer if graded.answer is not None else graded.response  # the judge could read it
        right = {task.column: float(verdict.value)}
        return replace(graded, by="judge", answer=answer, scores=right, native=right, missing={})
    answer, target, score = _answer(task, verdict.value), graded.target, KINDS[task.kind].score
    assert target is not None and score is not None, "an open answer has another question"
    release, native = (
        {task.column: 0.0 if answer is None else float(score(task, answer, target, empty))} for empty in (0.0, 1.0)
    )
    return replace(graded, by="judge", answer=answer, scores=release, native=native)


def _answer(task: Task, labels: tuple[str, ...]) -> Answer | None:
    """What a judge's labels mean: a set of them, or the one that an answer must be."""
    if task.kind == "multi_label":
        return frozenset(labels)
    return labels[0] if len(labels) == 1 else None


def labels_of(task: Task, question: str) -> tuple[str, ...]:
    """The labels that an answer may name; empty for an open question."""
    return tuple(task.options(question).values()) or task_labels(task)


def _is_open(graded: Graded) -> bool:
    """Whether an answer is to be held against the reference itself: no labels are listed, or it names none of them."""
    if graded.task.kind == "caption":
        return False
    return not labels_of(graded.task, graded.question) or graded.target is None


def _is_verbatim(graded: Graded) -> bool:
    return _bare(graded.response) == _bare(graded.reference)


def is_plain(task: Task, response: str, question: str) -> bool:
    """Whether an answer is nothing but labels, or letters of options, or both: ``B. Sad``, ``bangs, young``, ``Yes.``

    Example:
        >>> from videmo.tasks import find_task
        >>> task = find_task("DFEW_Single-Label-Emotion-Recognition")
        >>> [is_plain(task, text, "") for text in ("**B. Sad**", "b", "sad", "She looks sad.")]
        [True, True, True, False]
    """
    labels = labels_of(task, question)
    options = task.options(question) or question_options(question)
    plain = {_bare(text) for text in (*labels, *options, *(f"{letter} {label}" for letter, label in options.items()))}
    if task.kind != "multi_label":
        return _bare(response) in plain
    return all(_bare(part) in plain | {"none"} for part in _BETWEEN_LABELS.split(response))


def _bare(text: str) -> str:
    """Its words in lower case, without any mark."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))

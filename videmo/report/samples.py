"""The samples that tell most: of every task the surest right answers and the surest wrong ones, with their frames.

Answers with a score between 0 and 1 (label sets, captions) are ordered by it: the best and the worst are shown.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from videmo.affect import parse_caption
from videmo.benchmark.predictions import Prediction
from videmo.metrics import caption_tree_f1, rouge_l
from videmo.report.frames import FrameReader
from videmo.report.trees import MATCHED, Node, pair_trees, read_tree
from videmo.tasks import Task, question_options
from videmo.tasks.options import without_options

PER_TASK = 3  # best, and as many worst
RIGHT, PARTLY, WRONG = "right", "partly", "wrong"


@dataclass(frozen=True)
class Clip:
    """A video of a sample: its frames as data URIs, or why there are none."""

    name: str
    frames: list[str] = field(repr=False)
    problem: str = ""


@dataclass(frozen=True)
class Sample:
    """A card of the page.

    Attributes:
        pick: ``best`` or ``worst``.
        verdict: `RIGHT`, `PARTLY` or `WRONG`.
        scores: (Name, value as text) of what it was given.
        read_as: What the rules read in the answer; None if they could read nothing.
        options: The choices that the question lists, taken out of its text, so that short ones share a line.
        trees: The affective trees of truth and answer, where both are known.
    """

    id: str
    task: str
    pick: str
    verdict: str
    question: str
    options: list[str]
    truth: str
    answer: str
    scores: list[tuple[str, str]]
    read_as: str | None
    clips: list[Clip]
    trees: tuple[Node, Node] | None = None


@dataclass(frozen=True)
class Graded:
    """A prediction with its native score, 0..1; captions have ROUGE-L."""

    prediction: Prediction
    score: float

    @property
    def verdict(self) -> str:
        return RIGHT if self.score == 1 else WRONG if self.score == 0 else PARTLY

    @property
    def surety(self) -> float:
        logprob = self.prediction.logprob
        return -math.inf if logprob is None or not math.isfinite(logprob) else logprob


def choose_samples(
    predictions: dict[Task, list[Prediction]], reader: FrameReader, truth: dict[str, dict] | None = None
) -> list[Sample]:
    """Best and worst samples of every task.

    Frames are read rank by rank, so that where pictures run out, every task has had some.

    Args:
        predictions: The answers of one method.
        reader: Gives the frames.
        truth: Latent states of drawn clips by path; their ``tree`` is a caption's true affective tree.
    """
    picked = [
        (rank, order, pick, task, graded)
        for order, (task, answers) in enumerate(predictions.items())
        for pick, chosen in _best_and_worst(task, answers).items()
        for rank, graded in enumerate(chosen)
    ]
    cards = {}
    for rank, order, pick, task, graded in sorted(picked, key=lambda p: p[:3]):
        clips = [Clip(video, *reader.frames(video)) for video in graded.prediction.record.videos]
        cards[order, pick, rank] = _sample(f"{task.name}-{pick}-{rank + 1}", pick, task, graded, clips, truth or {})
    return [cards[key] for key in sorted(cards)]


def _best_and_worst(task: Task, answers: Sequence[Prediction]) -> dict[str, list[Graded]]:
    """The best: right (or highest score), surest first; the worst: wrong (or lowest score), surest first."""
    graded = [Graded(answer, score) for answer in answers if (score := _score(task, answer)) is not None]
    best = sorted(graded, key=lambda g: (-g.score, -g.surety))
    worst = sorted(graded, key=lambda g: (g.score, -g.surety))
    best = [g for g in best if g.score > 0][: min(PER_TASK, (len(graded) + 1) // 2)]
    worst = [g for g in worst if g.score < 1 and g not in best][:PER_TASK]
    return {"best": best, "worst": worst}


def _score(task: Task, answer: Prediction) -> float | None:
    if task.kind == "caption":
        return rouge_l(answer.response, answer.record.answer)
    return task.score(answer.response, answer.record.answer, answer.record.question)


def _sample(id: str, pick: str, task: Task, graded: Graded, clips: list[Clip], truth: dict[str, dict]) -> Sample:
    record, response = graded.prediction.record, graded.prediction.response
    read = task.parse(response, record.question)
    is_caption = task.kind == "caption"
    scores = []
    if is_caption:
        scores.append(("ROUGE-L", f"{100 * graded.score:.0f}"))
        scores.append(("tree F1", f"{100 * caption_tree_f1(response, record.answer):.0f}"))
    elif task.kind == "multi_label":
        scores.append(("F1", f"{100 * graded.score:.0f}"))
    whole = task.scenario == "understanding"  # other captions tell only of a part of the clip
    drawn = truth.get(record.videos[0], {}).get("tree") if whole and len(record.videos) == 1 else None
    trees = affective_trees(response, record.answer, drawn) if is_caption else None
    if trees is not None:
        scores.append(("nodes in both trees", f"{trees[0].count(MATCHED)} of {trees[0].count()}"))
    if graded.surety > -math.inf:
        scores.append(("confidence", f"{100 * math.exp(min(0.0, graded.surety)):.0f}%"))
    return Sample(
        id=id,
        task=task.name,
        pick=pick,
        verdict=graded.verdict,
        question=without_options(record.question),
        options=[f"{letter}. {text}" for letter, text in question_options(record.question).items()],
        truth=record.answer,
        answer=response,
        scores=scores,
        read_as=response if is_caption else read if read is None or isinstance(read, str) else task.phrase(read),
        clips=clips,
        trees=trees,
    )


def affective_trees(response: str, reference: str, drawn: object = None) -> tuple[Node, Node] | None:
    """The trees of truth and answer with their nodes marked; None where neither text says what rules can read.

    Args:
        response: The answer, read by rules.
        reference: The true caption, read by rules where there is no tree of it.
        drawn: The true tree as JSON, as a drawn world states it.
    """
    true = read_tree(drawn) or read_tree(parse_caption(reference).tree.to_json())
    said = read_tree(parse_caption(response).tree.to_json())
    if true is None or said is None or not true.count() + said.count():
        return None
    pair_trees(true, said)
    return true, said

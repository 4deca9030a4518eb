"""What each answer scored, read by rules, and by a judge where one is given."""

from collections.abc import Iterable
from dataclasses import replace

from videmo.benchmark.graded import Graded
from videmo.benchmark.judging import question_about, settled, with_verdict
from videmo.benchmark.predictions import Prediction
from videmo.judge import SupportsAsk
from videmo.metrics import caption_tree_f1, rouge_l
from videmo.tasks import find_task

CAPTION_METRICS = {"rouge_l": rouge_l, "tree_f1": caption_tree_f1}
NO_RULE = "no rule can read the reference"


def grade(predictions: Iterable[Prediction], judge: SupportsAsk | None = None) -> list[Graded]:
    """Score answers of any tasks, in their order.

    A judge reads what rules cannot be trusted with (`videmo.benchmark.judging`); what it fails to judge is missing,
    and never 0.

    Raises:
        InputError: If a record belongs to no task.
    """
    graded = [by_rules(prediction) for prediction in predictions]
    if judge is None:
        return graded
    graded = [settled(one) for one in graded]
    questions = {i: question for i, one in enumerate(graded) if (question := question_about(one)) is not None}
    for i, verdict in zip(questions, judge.ask(list(questions.values())), strict=True):
        graded[i] = with_verdict(graded[i], verdict)
    return graded


def by_rules(prediction: Prediction) -> Graded:
    """What rules make of an answer; what they give to captions is no column of the paper."""
    record = prediction.record
    task = find_task(record.source, record.file)
    graded = Graded(
        file=task.result_file,
        line=record.line,
        videos=record.videos,
        question=record.question,
        reference=record.answer,
        response=prediction.response,
        answer=task.parse(prediction.response, record.question),
    )
    if task.kind == "caption":
        names = {f"{task.column}_{name}": metric for name, metric in CAPTION_METRICS.items()}
        return replace(graded, scores={n: metric(graded.response, graded.reference) for n, metric in names.items()})
    grade = task.grade(prediction.response, record.answer, record.question)
    if grade.release is None or grade.native is None:
        return replace(graded, missing={task.column: NO_RULE})
    return replace(graded, scores={task.column: grade.release}, native={task.column: grade.native})

"""A labelled clip's records: each label as a question, several as a caption, a rationale as a dialogue."""

from collections.abc import Mapping
from typing import Any

from videmo.curate.captions import compose
from videmo.curate.columns import RATIONALE, Column
from videmo.curate.labelled import LabelledClip
from videmo.curate.wording import explanation, forms_in, instruct
from videmo.synth.files import FILES
from videmo.tasks import Answer, find_task

FELT = ("emotion_caption", "emotion", "emotions")
"""Columns that a rationale may be the reason of, the first that a clip has."""


def records_of(
    path: str, clip: LabelledClip, columns: Mapping[str, Column], file: str, split: str, seed: int
) -> list[tuple[str, dict[str, Any]]]:
    """Records, each with its task.

    Training sees a label as a choice and as an open question; a test asks once, or the label would count twice.

    Args:
        path: Of the clip.
        clip: What is said of it.
        columns: What its columns mean.
        file: Name of the table.
        split: Where the clip belongs.
        seed: Of all that is drawn.
    """
    made: list[tuple[str, dict]] = []
    answers: dict[str, Answer] = {}
    for name, answer in clip.said.items():
        task = columns[name].task
        if name != RATIONALE:
            answers[task.name] = answer
            chosen = forms_in(split, task, answer, [path], seed)
            about = {"file": file, "line": clip.lines[name], "column": name}
            made += [
                (task.name, instruct(task, answer, [path], seed=seed, form=form, provenance=about)) for form in chosen
            ]
    for task_name, (text, used) in compose(answers, path, seed).items():
        if task_name not in answers:
            answers[task_name] = text
            names = [name for name in clip.said if columns[name].task.name in used]
            about = {"file": file, "line": clip.lines[names[0]], "column": " + ".join(names)}
            made.append(
                (task_name, instruct(find_task(FILES[task_name].source), text, [path], seed=seed, provenance=about))
            )
    if RATIONALE in clip.said and explains(clip):
        felt = answers.get("emotion_cap") or next(clip.said[name] for name in FELT if clip.said.get(name))
        text = felt if isinstance(felt, str) else ", ".join(sorted(felt))
        about = {"file": file, "line": clip.lines[RATIONALE], "column": RATIONALE}
        made.append((RATIONALE, explanation(text, str(clip.said[RATIONALE]), [path], seed=seed, provenance=about)))
    return made


def explains(clip: LabelledClip) -> bool:
    """Whether a clip has an emotion that its rationale is the reason of."""
    return any(clip.said.get(name) for name in FELT)

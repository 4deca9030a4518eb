"""An answer with all that it scored, and ``scores.jsonl``, where they stand one JSON object a line.

The file lies beside benchmark.json: it is what a comparison of two methods, and a look at single samples, need.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from videmo.aside import write_atomically
from videmo.errors import InputError
from videmo.tasks import Answer, Task, find_task

SCORES_FILE = "scores.jsonl"


@dataclass(frozen=True)
class Graded:
    """An answered question with all that it scored.

    Attributes:
        file: Stem of its result file.
        line: Its line there, or in the test file.
        videos: As its record names them.
        question: Without video placeholders.
        reference: What was expected.
        response: What the model said.
        answer: The label, the labels or the words read from the response; None where it could not be read.
        scores: Column, or name of what is no column -> the authors' variant of the score, 0 to 1.
        native: Ours, for a column that rules can score.
        missing: Column -> why it has no score.
        by: Who read the response: ``rules`` or ``judge``.
    """

    file: str
    line: int
    videos: tuple[str, ...]
    question: str
    reference: str
    response: str
    answer: Answer | None
    scores: dict[str, float] = field(default_factory=dict)
    native: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    by: str = "rules"

    @property
    def task(self) -> Task:
        return find_task(self.file)

    @property
    def target(self) -> Answer | None:
        """The label, the labels or the words of the reference."""
        return self.task.parse(self.reference, self.question)

    @property
    def answered(self) -> bool:
        return bool(self.response.strip())


def write_scores(graded: Sequence[Graded], path: Path) -> None:
    """Write graded answers; the file appears whole or not at all."""
    write_atomically(path, "".join(json.dumps(as_fields(one), ensure_ascii=False) + "\n" for one in graded))


def read_scores(path: Path) -> list[Graded]:
    """The graded answers that `write_scores` wrote.

    Raises:
        InputError: Naming file and line, if it is another file.
    """
    graded = []
    with path.open(encoding="utf-8") as stream:
        for line, text in enumerate(stream, start=1):
            try:
                fields = json.loads(text)
                answer = fields["answer"]
                fields["answer"] = frozenset(answer) if isinstance(answer, list) else answer
                fields["videos"] = tuple(fields["videos"])
                graded.append(Graded(**fields))
            except (ValueError, KeyError, TypeError):
                raise InputError(f"{path}:{line}: no graded answer; `videmo score` writes the file anew") from None
    return graded


def as_fields(graded: Graded) -> dict:
    """A graded answer as JSON holds it."""
    fields = asdict(graded)
    return {**fields, "answer": sorted(graded.answer)} if isinstance(graded.answer, frozenset) else fields

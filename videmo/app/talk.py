"""What was asked about a clip and answered, from the first search to the last follow-up question; also as JSON."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from videmo.app.sentences import in_a_sentence
from videmo.app.strip import Strip, read_strip
from videmo.data.presence import VIDEO_SUFFIXES
from videmo.errors import InputError
from videmo.reasoning import Reasoner, Reasoning

LONGEST = 2000
"""Characters of a question."""


@dataclass(frozen=True)
class Talk:
    """A clip, a question, what came of it so far, and what was asked after.

    Attributes:
        clip: The file, as the root of the model's videos has it.
        question: Asked first.
        n: Candidates of each step.
        reasoning: Of the question; None before its first step.
        more: Questions asked after, each with what came of it.
    """

    clip: Path
    question: str
    n: int
    reasoning: Reasoning | None = None
    more: tuple[tuple[str, Reasoning], ...] = field(default=())

    @property
    def last(self) -> Reasoning:
        """What the next question goes on from."""
        return self.more[-1][1] if self.more else self.reasoning

    def to_json(self) -> dict:
        """JSON-ready data; the clip by its name."""
        after = [{**one.to_json(), "question": question} for question, one in self.more]
        found = [one | {"videos": [self.clip.name]} for one in (self.reasoning.to_json(), *after)]
        return {**found[0], "follow_ups": found[1:]}


class Talks:
    """Begins talks with a model, and goes on with them.

    Args:
        reasoner: The model; the root of its videos is the folder.
        folder: Where clips are, and JSON files are written.
        about: What a JSON file says of the model.
    """

    def __init__(self, reasoner: Reasoner, folder: Path, about: Mapping[str, Any]) -> None:
        self._reasoner, self._folder, self._about = reasoner, folder, about

    def begin(self, clip: str | None, question: str, n: int) -> Talk:
        """A talk in which nothing was said yet.

        Raises:
            InputError: If there is no clip, its name is not that of a video, or the question is empty or too long.
        """
        if not clip:
            raise InputError("No clip yet: drop one above, or click there to choose one.")
        path = Path(clip)
        if path.suffix.lower() not in VIDEO_SUFFIXES:
            raise InputError(f"{path.name} is not named as a video; those end in {', '.join(VIDEO_SUFFIXES)}.")
        question = _checked(question)
        return Talk(path.relative_to(self._folder), question, int(n))

    def strip(self, talk: Talk) -> Strip:
        """The frames that the model sees.

        Raises:
            InputError: If the clip cannot be read.
        """
        with self._in_a_sentence(talk):
            return read_strip(self._folder / talk.clip, self._reasoner.video)

    def grow(self, talk: Talk) -> Iterator[Talk]:
        """The talk after each step of its search.

        Raises:
            InputError: If the clip cannot be read, or the machine cannot hold the search.
        """
        with self._in_a_sentence(talk):
            for reasoning in self._reasoner.with_candidates(talk.n).grow(talk.clip, talk.question):
                yield replace(talk, reasoning=reasoning)

    def go_on(self, talk: Talk, question: str) -> Talk:
        """The talk after one more question.

        Raises:
            InputError: As before.
        """
        with self._in_a_sentence(talk):
            found = self._reasoner.with_candidates(talk.n).follow_up(talk.last, _checked(question))
        return replace(talk, more=(*talk.more, (question.strip(), found)))

    def _in_a_sentence(self, talk: Talk):
        return in_a_sentence(self._folder / talk.clip)

    def write(self, talk: Talk) -> Path:
        """Write a talk as a JSON file named after its clip, in a folder of its own."""
        search = replace(self._reasoner.settings, n=talk.n).to_json()
        path = Path(mkdtemp(dir=self._folder)) / f"{talk.clip.stem}.json"
        path.write_text(json.dumps({**talk.to_json(), "search": search, **self._about}, ensure_ascii=False, indent=2))
        return path


def _checked(question: str) -> str:
    question = question.strip()
    if not question:
        raise InputError("The question is empty: write one.")
    if len(question) > LONGEST:
        raise InputError(f"The question has {len(question)} characters: ask in {LONGEST} or fewer.")
    return question

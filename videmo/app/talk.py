"""What was asked about a clip and answered, from the first search to the last follow-up question; also as JSON."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from videmo.app.choice import why_chosen
from videmo.app.sentences import in_a_sentence
from videmo.app.strip import Strip, read_strip
from videmo.data.presence import VIDEO_SUFFIXES
from videmo.errors import InputError
from videmo.reasoning import Reasoner, Reasoning
from videmo.reasoning.dialogue import asked

LONGEST = 2000
"""Characters of a question."""


@dataclass(frozen=True)
class Talk:
    """A clip, a question, what came of it so far, and what was asked after.

    Attributes:
        clip: The file, as the root of the model's videos has it.
        question: Asked first.
        n: Candidates of each step.
        levels: Of the steps that the question takes.
        strip: The frames that the model sees; None before they are read.
        reasoning: Of the question; None before its first step.
        more: Questions asked after, each with what came of it.
    """

    clip: Path
    question: str
    n: int
    levels: tuple[str, ...]
    strip: Strip | None = None
    reasoning: Reasoning | None = None
    more: tuple[tuple[str, Reasoning], ...] = field(default=())

    @property
    def is_whole(self) -> bool:
        """Whether its search has come to its end."""
        return self.reasoning is not None and len(self.reasoning.steps) == len(self.levels)

    @property
    def last(self) -> Reasoning:
        """What the next question goes on from."""
        found = self.more[-1][1] if self.more else self.reasoning
        assert found is not None
        return found

    def to_json(self) -> dict:
        """JSON-ready data: all that the page shows, but for pictures; the clip by its name."""
        assert self.strip is not None and self.reasoning is not None
        first, *after = (
            {
                **one.to_json(),
                "videos": [self.clip.name],
                "question": question,
                "why_chosen": [*map(why_chosen, one.steps)],
            }
            for question, one in ((self.question, self.reasoning), *self.more)
        )
        return {**first, "frames": {"seconds": self.strip.seconds, "notes": self.strip.notes}, "follow_ups": after}


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
        question, name = _checked(question), path.relative_to(self._folder)
        levels = self._reasoner.search.levels_of(asked(question, [str(name)]))
        return Talk(name, question, int(n), tuple(levels))

    def grow(self, talk: Talk) -> Iterator[Talk]:
        """The talk once its frames are read, and after each step of its search.

        Raises:
            InputError: If the clip cannot be read, or the machine cannot hold the search.
        """
        with in_a_sentence(self._folder / talk.clip):
            talk = replace(talk, strip=read_strip(self._folder / talk.clip, self._reasoner.video))
            yield talk
            for reasoning in self._reasoner.with_candidates(talk.n).grow(talk.clip, talk.question):
                yield replace(talk, reasoning=reasoning)

    def go_on(self, talk: Talk | None, question: str) -> Iterator[Talk]:
        """The talk after one more question.

        Raises:
            InputError: As before, or if there is nothing to go on from.
        """
        if talk is None:
            raise InputError("There is no answer yet that more could be asked about.")
        question = _checked(question)
        with in_a_sentence(self._folder / talk.clip):
            found = self._reasoner.with_candidates(talk.n).follow_up(talk.last, question)
        yield replace(talk, more=(*talk.more, (question, found)))

    def write(self, talk: Talk) -> Path:
        """Write a talk as a JSON file named after its clip, in a folder of its own."""
        search = replace(self._reasoner.settings, n=talk.n).to_json()
        path = Path(mkdtemp(dir=self._folder)) / f"{talk.clip.stem}.json"
        said = {**talk.to_json(), "search": search, **self._about}
        path.write_text(json.dumps(said, ensure_ascii=False, indent=2), encoding="utf-8")
        return path


def _checked(question: str) -> str:
    question = question.strip()
    if not question:
        raise InputError("The question is empty: write one.")
    if len(question) > LONGEST:
        raise InputError(f"The question has {len(question)} characters: ask in {LONGEST} or fewer.")
    return question

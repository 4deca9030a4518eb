"""What an author says of a clip, bottom-up: attributes, expressions given these, an emotion given both (section 4).

After a committee has settled what is right, the author writes a caption and a rationale from that alone, so that no
error that was found lives on in prose.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from videmo.committee import asking
from videmo.committee.asking import ACTIONS, ATTRIBUTES, LOOKS, UNITS
from videmo.committee.frames import ClipFrames
from videmo.committee.member import Ask, Member
from videmo.committee.sample import Draft
from videmo.data.decode import VideoError
from videmo.judge.question import Verdict
from videmo.tasks import Task, find_task

CAPTION = find_task("caption_test_sampling_v2_all_example")
RATIONALE = find_task("rationale")
SENTIMENT = find_task("MOSEI_Single-Label-Sentiment-Recognition")
_NO_NOTES = "(nothing)"


@dataclass
class Clip:
    """A clip on its way.

    Attributes:
        path: Relative to the folder of clips.
        frames: What models see of it.
        drafts: Its samples so far.
        notes: What was said of it, by level: lines of a prompt.
        missing: What the author was asked and did not say -> why; ``frames`` where the file cannot be read.
    """

    path: str
    frames: ClipFrames
    drafts: list[Draft] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def is_there(self) -> bool:
        """Whether the file can be read; noted as missing where not."""
        try:
            return bool(self.frames.key)
        except VideoError as error:
            self.missing["frames"] = str(error)
            return False

    def settled(self, task: Task) -> str | None:
        """The answer that was kept for a task."""
        return next((draft.answer for draft in self.drafts if draft.task == task and draft.status == "kept"), None)


class Author:
    """Writes drafts.

    Args:
        member: Who is asked.
        emotions: The task whose labels an emotion is one of.
    """

    def __init__(self, member: Member, emotions: Task) -> None:
        self.member, self.emotions = member, emotions

    def observe(self, clips: Sequence[Clip]) -> None:
        """Adds attributes, expressions and an emotion to each clip, as drafts and as notes.

        A level that the author did not answer leaves out those above it, as these would rest on nothing.
        """
        for clip, said, found in self._say("attributes", clips):
            clip.notes["attributes"] = [f"{name}: {words}" for name, words in found.items()]
            for name, words in found.items():
                clip.drafts.append(self.draft(ATTRIBUTES[name], words, "attributes", said))
        for clip, said, found in self._say("expressions", _complete(clips)):
            lines = [f"{name}: {words}" for name, words in found.actions.items()]
            for name, words in found.actions.items():
                clip.drafts.append(self.draft(ATTRIBUTES[name], words, "expressions", said))
            if found.units:
                clip.drafts.append(self.draft(UNITS, ", ".join(found.units), "expressions", said))
                lines.append(f"action units: {', '.join(found.units)}")
            clip.notes["expressions"] = [*lines, *([found.text] if found.text else [])]
        for clip, said, found in self._say("emotion", _complete(clips)):
            for task, label in ((self.emotions, found.emotion), (SENTIMENT, found.sentiment)):
                if label is not None:
                    clip.drafts.append(self.draft(task, label, "emotion", said))

    def write(self, clips: Sequence[Clip]) -> list[tuple[Clip, list[Draft]]]:
        """A caption and a rationale from what was kept; those without anything kept, or an emotion, go without."""
        written: dict[int, list[Draft]] = {}
        having = [clip for clip in clips if any(draft.status == "kept" for draft in clip.drafts)]
        for clip, said, text in self._say("describe", having):
            written.setdefault(id(clip), []).append(self.draft(CAPTION, text, "describe", said))
        feeling = [clip for clip in having if clip.settled(self.emotions)]
        for clip, said, text in self._say("rationale", feeling):
            draft = self.draft(RATIONALE, text, "rationale", said)
            draft.question = f"The person's emotion is {clip.settled(self.emotions)}. How can you tell?"
            written.setdefault(id(clip), []).append(draft)
        found = [(clip, written[id(clip)]) for clip in having if id(clip) in written]
        for clip, drafts in found:
            clip.drafts += drafts
        return found

    def _say(self, use: str, clips: Sequence[Clip]) -> list[tuple[Clip, Verdict, Any]]:
        """The clips of which the author said something, with that; what is missing is noted with the clip."""
        said = []
        for clip, verdict in zip(clips, self.member.ask(use, [self.ask(use, clip) for clip in clips]), strict=True):
            if verdict.missing is None:
                said.append((clip, verdict, verdict.value))
            else:
                clip.missing[use] = verdict.missing
        return said

    def ask(self, use: str, clip: Clip) -> Ask:
        """What the author is asked of a clip, by what was said or kept so far."""
        looks, kept = clip.notes.get("attributes", []), [draft for draft in clip.drafts if draft.status == "kept"]
        facts = _lines([f"{name_of(draft.task)}: {draft.answer}" for draft in kept])
        texts, read = {
            "attributes": ({"vocabulary": asking.vocabulary(LOOKS)}, asking.read_attributes),
            "expressions": (
                {
                    "observed": _lines(looks),
                    "vocabulary": asking.vocabulary(ACTIONS),
                    "action_units": asking.units(),
                },
                asking.read_expressions,
            ),
            "emotion": (
                {
                    "observed": _lines([*looks, *clip.notes.get("expressions", ())]),
                    "emotions": "\n".join(self.emotions.labels),
                },
                asking.emotion_reader(self.emotions),
            ),
            "describe": ({"observed": facts}, asking.read_text),
            "rationale": ({"observed": facts, "emotion": clip.settled(self.emotions) or ""}, asking.read_text),
        }[use]
        return Ask(clip.frames, texts, read)

    def draft(self, task: Task, answer: str, use: str, said: Verdict | None = None) -> Draft:
        """A sample that the author has just written, by the prompt of a use."""
        return Draft(
            task, committee_question(task), answer, self.member.origin(use), tokens=tokens(said) if said else 0
        )


def name_of(task: Task) -> str:
    """What a task is about, in words."""
    if task in _NAMES:
        return _NAMES[task].replace("_", " ")
    return {UNITS: "Action units", SENTIMENT: "Sentiment"}.get(task, "Emotion")


_NAMES = {task: name for name, task in ATTRIBUTES.items()}


def committee_question(task: Task) -> str:
    """What a committee is told that an answer answers: the labels stand in it where there are such."""
    if task in _NAMES:
        return f"{name_of(task)}: what can be seen of the person's?"
    if task == UNITS:
        return f"Which action units are there? Of: {', '.join(UNITS.labels)}"
    if task == CAPTION:
        return "Describe the video: the person, the expressions and what they rest on, the emotion and what shows it."
    return f"Which one fits the person: {', '.join(task.labels)}?"


def _complete(clips: Sequence[Clip]) -> list[Clip]:
    return [clip for clip in clips if not clip.missing]


def tokens(said: Verdict) -> int:
    return said.prompt_tokens + said.completion_tokens


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(lines) or _NO_NOTES

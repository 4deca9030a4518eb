"""From clips without labels to settled samples: an author writes, a committee votes (section 4).

Clips go through all steps in chunks, and every reply is on disk as it comes: a run that is killed and started again
goes on where it was, and ends with the same samples.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import TimeElapsedColumn

from videmo.committee.asking import PROMPTS, USES
from videmo.committee.author import Author, Clip
from videmo.committee.frames import ClipFrames
from videmo.committee.member import Member, VisionModel
from videmo.committee.votes import Committee
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.judge.prompt import load_prompts
from videmo.judge.question import Verdict
from videmo.tasks import Task
from videmo.terminal import Steps

_TAKEN = "{:,} replies, {:,} tokens"
CHUNK = 32  # clips that go through all steps together: several times what is under way at a time


@dataclass(frozen=True)
class Models:
    """Who writes and who votes.

    Attributes:
        author: Writes answers, captions and rationales.
        committee: Three or more that vote; the author may be among them.
        emotions: The task whose labels an emotion is one of.
        rewrites: How often a rejected sample is written anew before it is dropped.

    Raises:
        InputError: If they are no committee.
    """

    author: VisionModel
    committee: tuple[VisionModel, ...]
    emotions: Task
    rewrites: int = 2

    def __post_init__(self) -> None:
        if self.rewrites < 0:
            raise InputError(f"--rewrites must be 0 or more, got {self.rewrites}")
        names = [model.model for model in self.committee]
        if len(names) < 3:
            raise InputError(f"a committee has three or more models, so that most of it means something; got {names}")
        if twice := {name for name in names if names.count(name) > 1}:
            raise InputError(
                f"{', '.join(sorted(twice))} is in the committee twice: its second vote would be the first"
            )
        if self.emotions.kind != "single_choice":
            raise InputError(f"--emotions {self.emotions.name} is no task with one label an answer")

    def __str__(self) -> str:
        return f"{self.author.model} writes, {', '.join(model.model for model in self.committee)} vote"

    def identity(self) -> dict:
        """Who was asked by which prompts, JSON-ready."""
        prompts = load_prompts(self.author.prompts, USES, PROMPTS)
        return {
            "author": self.author.model,
            "committee": [model.model for model in self.committee],
            "temperature": {model.model: model.temperature for model in (self.author, *self.committee)},
            "prompts": {name: {"version": prompt.version, "hash": prompt.hash} for name, prompt in prompts.items()},
        }

    def ready(self, offline: bool = False, tell: Callable[[Verdict], None] | None = None) -> tuple[Author, Committee]:
        """Both, ready to be asked; offline they read replies that are on disk and send nothing."""
        members = [Member(model, self.emotions, offline, tell) for model in self.committee]
        apart = Member(self.author, self.emotions, offline, tell)
        author = next((one for one in members if one.client.settings == self.author), apart)
        return Author(author, self.emotions), Committee(author, members, self.rewrites)


def clips_in(root: Path, paths: Sequence[str], video: VideoSettings) -> list[Clip]:
    """Clips of a folder, of which nothing is said yet.

    Args:
        root: The folder.
        paths: Of the clips in it.
        video: How frames are sampled and sized for the models.
    """
    return [Clip(path, ClipFrames(root / path, video)) for path in paths]


def settle(clips: Sequence[Clip], models: Models) -> list[Member]:
    """Fills the clips with samples, each kept, dropped or missing.

    Args:
        clips: They are written to.
        models: Who is asked.

    Returns:
        The author and the committee, each with what came of all that it was asked.

    Raises:
        InputError: If a model can answer nothing. What came back is on disk; the same call goes on from there.
    """
    replies = tokens = 0

    def count(verdict: Verdict) -> None:
        nonlocal replies, tokens
        replies, tokens = replies + 1, tokens + verdict.prompt_tokens + verdict.completion_tokens
        bar.step(0, _TAKEN.format(replies, tokens))

    with Steps("clips", len(clips), _TAKEN.format(0, 0), TimeElapsedColumn()) as bar:
        author, committee = models.ready(tell=count)
        for start in range(0, len(clips), CHUNK):
            some = clips[start : start + CHUNK]
            run(some, author, committee)
            bar.step(len(some))
    return [*dict.fromkeys((author.member, *committee.members))]


def run(clips: Sequence[Clip], author: Author, committee: Committee) -> None:
    """All steps on a chunk of clips."""
    clips = [clip for clip in clips if clip.is_there()]
    author.observe(clips)
    committee.settle([(clip, clip.drafts) for clip in clips])
    committee.settle(author.write(clips))

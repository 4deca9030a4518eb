"""A model that reasons about video files: what commands and pages call, and what a script of yours may.

reasoner = Reasoner.load("runs/model", SearchSettings(n=8))
print(reasoner.reason("clip.mp4").answer)
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from videmo.data.dataset import RecordDataset
from videmo.data.loader import Failure
from videmo.data.records import Message, Record
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.models.backbone import Backbone
from videmo.models.scopes import SCOPES, Scope
from videmo.pretrained import load_tokenizer, trained_video
from videmo.reasoning.candidates import Reasoning
from videmo.reasoning.dialogue import QUESTION, TO_COME, asked, check_question
from videmo.reasoning.search import TreeSearch
from videmo.reasoning.settings import SearchSettings
from videmo.tasks import FEELING, WHY
from videmo.token_tree import TokenLayout, TreeBatch

MAX_NEW_TOKENS = 512
FROZEN: dict[str, Any] = dict.fromkeys(SCOPES, Scope("frozen"))


class Reasoner:
    """Searches for answers about video files.

    Args:
        backbone: The model; it is put into ``eval()``.
        tokenizer: Its own.
        video: How videos are sampled and sized: as in training.
        settings: How the search goes.
        max_new_tokens: Tokens that a candidate may have, the stop token included.
        why: Asked at last of an answer about an emotion, for its rationale; nothing where not given.
        root: What relative paths of videos are relative to.

    Raises:
        InputError: If a setting makes no sense.
    """

    def __init__(
        self,
        backbone: Backbone,
        tokenizer,
        video: VideoSettings,
        settings: SearchSettings,
        max_new_tokens: int = MAX_NEW_TOKENS,
        why: str | None = WHY,
        root: str | Path = ".",
    ) -> None:
        self.video, self.search = video, TreeSearch(backbone.eval(), tokenizer, settings, max_new_tokens, why)
        layout = TokenLayout.from_config(backbone.config, tokenizer.pad_token_id)
        self._dataset = RecordDataset(
            (), Path(root), tokenizer, layout, video, with_answer=False, besides=settings.with_presence
        )

    @classmethod
    def load(
        cls, checkpoint: str, settings: SearchSettings, *, video: VideoSettings | None = None, **more
    ) -> "Reasoner":
        """The model of a Hugging Face folder or hub id, on the GPU where there is one, in bfloat16 then.

        Args:
            checkpoint: As `videmo export --merge` writes it, or as training starts from.
            settings: How the search goes.
            video: How videos are sampled and sized; by default as an export says, else as the release has it.
            more: What else the class takes.

        Raises:
            InputError: If it is no such model.
        """
        cuda = torch.cuda.is_available()
        backbone = Backbone.load(checkpoint, dtype="bfloat16" if cuda else "float32", **FROZEN)
        return cls(
            backbone.cuda() if cuda else backbone,
            load_tokenizer(checkpoint),
            video or VideoSettings(**trained_video(checkpoint)),
            settings,
            **more,
        )

    @property
    def settings(self) -> SearchSettings:
        """How the search goes."""
        return self.search.settings

    def with_candidates(self, n: int) -> "Reasoner":
        """The same model, that draws another number of candidates at each step.

        Raises:
            InputError: If that makes no sense.
        """
        other, search = copy(self), self.search
        settings = replace(search.settings, n=n)
        other.search = TreeSearch(search.backbone, search.tokenizer, settings, search.max_new_tokens, search.why)
        return other

    def reason(self, video: str | Path, question: str = FEELING) -> Reasoning:
        """Answer a question about a video.

        Raises:
            InputError: If it cannot be read.
        """
        (*_, last) = self.grow(video, question)
        return last

    def grow(self, video: str | Path, question: str = FEELING) -> Iterator[Reasoning]:
        """The same level by level: the reasoning after each of its steps."""
        return self.grow_record(asked(question, [str(video)]))

    def grow_record(self, record: Record) -> Iterator[Reasoning]:
        """The same of a question in a file."""
        for (found,) in self.search.grow(self.batch([record])):
            yield found

    def follow_up(self, reasoning: Reasoning, question: str) -> Reasoning:
        """Ask more about what was answered, in the same dialogue.

        Args:
            reasoning: Of one video.
            question: The next turn.

        Raises:
            InputError: If the video can no longer be read, or the question holds what would be read as structure.
        """
        check_question(question)
        turns = [*reasoning.dialogue, Message("user", question), Message("assistant", TO_COME)]
        record = Record(tuple(turns), reasoning.record.videos, QUESTION, QUESTION, 0)
        return self.answer([record])[0]

    def answer(self, records: Sequence[Record]) -> list[Reasoning]:
        """Answer questions in one batch; those on one video share its levels.

        Raises:
            InputError: If a video cannot be read.
        """
        return self.search(self.batch(records))

    def batch(self, records: Sequence[Record]) -> TreeBatch:
        """The prompts of questions, with what their search needs besides.

        Raises:
            InputError: If a video cannot be read.
        """
        dataset = replace(self._dataset, records=[*records], max_branches=len(records) + 1)
        batch = dataset.__getitems__(range(len(records)))
        if isinstance(batch, Failure):
            raise InputError(str(batch.error).removeprefix(f"{QUESTION}: "))
        return batch.to(self.search.backbone.model.device)

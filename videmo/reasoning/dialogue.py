"""The turns of a search: which record asks a level's question first, and the tokens by which a dialogue goes on."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from videmo.data.chat import chat_of
from videmo.data.records import VIDEO_PLACEHOLDER, Message, Record
from videmo.errors import InputError
from videmo.tasks import Task, find_task, question_options

QUESTION, LEVEL, SEEN = "question", "level", "seen"
"""The ``source`` of records that no file has: a user's question, a level's, and whether a person is seen at all."""
TO_COME = "?"
"""Stands for the answer that a record must have."""


def asked(question: str, videos: Sequence[str], source: str = QUESTION) -> Record:
    """A question about videos that is in no file, as a record.

    Raises:
        InputError: If the question holds a placeholder of a video.
    """
    check_question(question)
    text = VIDEO_PLACEHOLDER * len(videos) + question
    return Record((Message("user", text), Message("assistant", TO_COME)), tuple(videos), source, source, 0)


def is_made_up(record: Record) -> bool:
    """Whether it stands in no file, so that its answer is no reference."""
    return record.source in (QUESTION, LEVEL, SEEN)


def check_question(question: str) -> None:
    """
    Raises:
        InputError: If a question that is in no file is empty, or holds a placeholder: its videos are known without.
    """
    if not question.strip():
        raise InputError("a question is empty; ask something")
    if VIDEO_PLACEHOLDER in question:
        raise InputError(f"a question says nothing of where its video goes: leave {VIDEO_PLACEHOLDER} out")


def task_of(record: Record) -> Task:
    """How a record's answers are read: those to a question of no task as a choice where it lists options, else as a
    caption.
    """
    if not is_made_up(record):
        return find_task(record.source, record.file, has_videos=bool(record.videos))
    kind = "single_choice" if question_options(record.question) else "caption"
    return Task(QUESTION, column=QUESTION, scenario="understanding", result_file=QUESTION, kind=kind)


def next_turn(tokenizer, dialogue: Sequence[Message], question: str) -> Tensor:
    """The tokens between the stop token of a dialogue's last answer and the next, which answers a question, [n]."""
    turns = (*dialogue, Message("user", question), Message("assistant", TO_COME))
    videos = ("",) * sum(turn.content.count(VIDEO_PLACEHOLDER) for turn in turns)
    text, _ = chat_of(tokenizer).pieces(Record(turns, videos, LEVEL, LEVEL, 0), with_answer=False)[-1]
    return torch.tensor(tokenizer(text, add_special_tokens=False).input_ids, dtype=torch.long)


def draws_of(n: int, length: int, seed: int, videos: Sequence[str], *asked: str) -> Tensor:
    """What decides the draws of a question's candidates, [n, length]: of nothing else in a batch.

    Args:
        n: Candidates.
        length: Tokens of each.
        seed: Of the search.
        videos: Of the question.
        asked: The question, and what it goes on from.
    """
    digest = hashlib.sha256("\0".join((*videos, *asked)).encode()).digest()
    key = np.frombuffer(digest, dtype=np.uint32)
    candidates = (np.random.default_rng([seed, *key.tolist(), number]) for number in range(n))
    return torch.from_numpy(np.stack([own.random(length) for own in candidates]))

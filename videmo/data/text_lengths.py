"""How many text tokens each record has: counted once for a tokenizer, by several processes, beside the index.

The texts counted are those that `videmo.data.chat` tokenizes, so the counts are those of `encode_record`. Questions and
the fixed text around them come again and again; each process keeps the counts of what it met lately.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from videmo.data.chat import chat_of
from videmo.data.pool import spread
from videmo.data.records import RecordError, read_record

EDITION = 1  # of the counts; raise it when the same record gives other tokens
JOB = 2**22  # bytes of a file that are counted at a time
BATCH = 1024  # records whose texts are tokenized together
KEPT = 2**17  # texts whose counts a process keeps

REFUSED = -1
"""Stands for both counts of a record that cannot be tokenized."""


@dataclass(frozen=True)
class Job:
    """Records of one file that stand one after the other.

    Attributes:
        offsets, lengths, lines: Of each.  # [n]
    """

    file: str
    offsets: np.ndarray
    lengths: np.ndarray
    lines: np.ndarray

    @property
    def size(self) -> int:
        return int(self.offsets[-1] + self.lengths[-1] - self.offsets[0])


def tokenizer_hash(tokenizer) -> str:
    """The same for tokenizers that make the same tokens of every conversation."""
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    state["truncation"] = state["padding"] = None  # of the last call
    parts = [EDITION, state, tokenizer.chat_template, tokenizer.all_special_tokens, tokenizer.eos_token]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def jobs_of(files: Sequence[str], file: np.ndarray, *columns: np.ndarray) -> list[Job]:
    """All records of an index as jobs, in order.

    Args:
        files: The data files.
        file: Position of each record's file.  # [N]
        columns: Offset, length and line of each record.  # [N]
    """
    jobs = []
    ends = np.searchsorted(file, np.arange(len(files) + 1))
    for name, first, last in zip(files, ends[:-1], ends[1:], strict=True):
        if first == last:
            continue
        offsets = columns[0][first:last]
        cuts = np.unique(np.searchsorted(offsets, np.arange(offsets[0], offsets[-1] + 1, JOB)))
        for start, stop in zip(cuts, [*cuts[1:], last - first], strict=True):
            jobs.append(Job(name, *(np.array(column[first + start : first + stop]) for column in columns)))
    return jobs


def count_text(
    jobs: Sequence[Job], tokenizer, workers: int | None = None, progress: bool = True
) -> Iterator[tuple[np.ndarray, list[tuple[int, str]]]]:
    """For each job the tokens of root and branch [n, 2], and (line, reason) of the records that are refused."""
    sizes = [job.size for job in jobs]
    return spread(_Counter(tokenizer), jobs, sizes, "counting text tokens", workers=workers, progress=progress)


class _Counter:
    """Counts tokens of records, in this process or, pickled, in others."""

    def __init__(self, tokenizer, batched: bool = False) -> None:
        self._tokenizer = tokenizer
        self._batched = batched
        self._chat = chat_of(tokenizer)
        self._counts: dict[str, int] = {}
        tokenizer("", add_special_tokens=False)  # ends any padding or truncation that an earlier call set

    def __reduce__(self):
        return _Counter, (self._tokenizer, True)

    def __call__(self, job: Job) -> tuple[np.ndarray, list[tuple[int, str]]]:
        tokens = np.empty((len(job.offsets), 2), dtype=np.int32)
        faults: list[tuple[int, str]] = []
        with open(job.file, "rb") as stream:
            stream.seek(job.offsets[0])
            data = stream.read(job.size)
        starts = (job.offsets - job.offsets[0]).tolist()
        rows = list(zip(starts, job.lengths.tolist(), job.lines.tolist(), strict=True))
        for first in range(0, len(rows), BATCH):
            pieces: list[list[str] | None] = []
            for start, length, line in rows[first : first + BATCH]:
                record = read_record(data[start : start + length], job.file, line)
                try:
                    pieces.append([text for text, _ in self._chat.pieces(record)])
                except RecordError as error:
                    faults.append((line, str(error).removeprefix(f"{record.where}: ")))
                    pieces.append(None)
            counts = self._count({text for texts in pieces if texts for text in texts})
            for number, texts in enumerate(pieces, start=first):
                root, *branch = (REFUSED, REFUSED) if texts is None else [counts[text] for text in texts]
                tokens[number] = root, sum(branch)
        return tokens, faults

    def _count(self, texts: set[str]) -> dict[str, int]:
        """The tokens of these texts, and of others."""
        if len(self._counts) > KEPT:
            self._counts = {}
        new = [text for text in texts if text not in self._counts]
        backend = self._tokenizer.backend_tokenizer
        if self._batched:
            found = backend.encode_batch_fast(new, add_special_tokens=False)
        else:  # the caller may fork later, and the library would warn of the threads that a batch starts
            found = [backend.encode(text, add_special_tokens=False) for text in new]
        self._counts.update(zip(new, map(len, found), strict=True))
        return self._counts

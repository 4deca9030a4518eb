"""The data that answers are about: what it is called, how much it asks, and the best answers without looking."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from videmo.benchmark.blind import BlindBaseline
from videmo.benchmark.predictions import Prediction
from videmo.data.entries import unreadable
from videmo.data.index import RecordIndex
from videmo.data.patterns import RELEASE, FilePatterns
from videmo.data.records import Record
from videmo.errors import InputError
from videmo.fingerprint import data_fingerprint
from videmo.tasks import find_task


@dataclass(frozen=True)
class DataAsked:
    """What a data folder says of answers to its questions; nothing where none was given.

    Attributes:
        fingerprint: Its name, and a hash of its test files.
        questions: Result file -> how many questions its test files ask.
        blind: Fitted on its training files.
    """

    fingerprint: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[str, int] = field(default_factory=dict)
    blind: BlindBaseline | None = None


def read_data(root: Path, predictions: Iterable[Prediction]) -> DataAsked:
    """Read the test and training files of a data folder in the release's layout.

    Raises:
        InputError: If there is no such folder or no test file in it, or an answer is to no question of it.
    """
    if not root.is_dir():
        raise InputError(f"no data folder {root}")
    files = {split: list(FilePatterns(RELEASE[split], f"--data, {split}").files(root)) for split in ("train", "test")}
    if not files["test"]:
        raise InputError(f"no test files {RELEASE['test']} in {root}; without --data, answers are scored alone")
    asked = Counter(map(_question, RecordIndex.open(files["test"], folder=root / ".videmo")))
    for prediction in predictions:
        if _question(prediction.record) not in asked:
            raise InputError(
                f"{prediction.record.where}: the test files of {root} do not ask this of these videos, so these are "
                "answers to other data. Give that as --data, or none"
            )
    questions = Counter()
    for (file, *_), number in asked.items():
        questions[file] += number
    blind = BlindBaseline.fit(RecordIndex.open(files["train"], folder=root / ".videmo")) if files["train"] else None
    fingerprint = data_fingerprint(root, [file for file in files["test"] if not unreadable(file)])
    return DataAsked(fingerprint, questions, blind)


def _question(record: Record) -> tuple[str, tuple[str, ...], str]:
    """What makes two questions the same: their result file, videos and words."""
    return find_task(record.source, record.file).result_file, record.videos, " ".join(record.question.split())

"""What a check finds: faults, each once, missing sources, records that stand twice, leaks, and a summary."""

from dataclasses import asdict, dataclass

from videmo.data.faults import Fault
from videmo.data.leaks import Leak
from videmo.data.presence import MissingSource


@dataclass(frozen=True)
class Finding:
    """A fault, and how many records it costs."""

    fault: Fault
    records: int


@dataclass(frozen=True)
class Row:
    """A task on the videos of a source, over all splits.

    Attributes:
        task: Its name; empty for records that cannot be read.
        source: The first folder of the videos' paths; a record's own source where it has none.
        records: How many there are.
        videos: Distinct videos in them.
        missing: Those without a file.
        bad: Those with a file that cannot be used.
        usable: Records that can be used.
    """

    task: str
    source: str
    records: int
    videos: int
    missing: int
    bad: int
    usable: int


@dataclass(frozen=True)
class Duplicate:
    """A record that stands in a split more than once, word for word.

    Attributes:
        split: The split.
        first: File and line where it stands first.
        again: File and line where it stands again.
    """

    split: str
    first: str
    again: str


@dataclass(frozen=True)
class Coverage:
    """How many videos were read how.

    Attributes:
        reading: decode, open or none.
        videos: Distinct videos that the records name.
        read: Those read in this check.
        known: Those found good by an earlier check, and unchanged since.
    """

    reading: str
    videos: int
    read: int
    known: int


@dataclass(frozen=True)
class Findings:
    """All that a check has to say.

    Attributes:
        records: Split -> records that can be read.
        usable: Split -> those of them that can be used.
        files: Split -> data files.
        faults: What is wrong, each thing once; a missing folder counts as one.
        missing_sources: Sources whose videos are all missing; `faults` leaves them out.
        quarantine: The faults of both as the manifest has them.
        unreadable: Records that cannot be read, but for those of files that are no data files.
        rows: The summary.
        all: The sum of the rows and of the records that cannot be read, each video counted once.
        duplicates: Records that stand twice.
        leaks: What splits share.
        coverage: How many videos were read.
    """

    records: dict[str, int]
    usable: dict[str, int]
    files: dict[str, int]
    faults: tuple[Finding, ...]
    missing_sources: tuple[MissingSource, ...]
    quarantine: tuple[Fault, ...]
    unreadable: int
    rows: tuple[Row, ...]
    all: Row
    duplicates: tuple[Duplicate, ...]
    leaks: tuple[Leak, ...]
    coverage: Coverage

    def to_json(self) -> dict[str, object]:
        """Everything as JSON has it."""
        return {
            "records": self.records,
            "usable": self.usable,
            "files": self.files,
            "unreadable": self.unreadable,
            "faults": [{**finding.fault.to_json(), "records": finding.records} for finding in self.faults],
            "missing_sources": [asdict(source) for source in self.missing_sources],
            "summary": [asdict(row) for row in self.rows],
            "all": asdict(self.all),
            "duplicates": [asdict(duplicate) for duplicate in self.duplicates],
            "leaks": [asdict(leak) for leak in self.leaks],
            "coverage": asdict(self.coverage),
        }

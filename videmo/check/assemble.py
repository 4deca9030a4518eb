"""From what is known of records and videos to findings: each fault once, a missing folder or source as one."""

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import numpy as np

from videmo.check.findings import Coverage, Finding, Findings, Row
from videmo.check.folder import DataFolder
from videmo.check.table import RecordTable
from videmo.check.videos import Examined, Reading
from videmo.data.faults import Fault
from videmo.data.leaks import Leak
from videmo.data.presence import Place, missing_sources, source_of


def assemble(
    table: RecordTable, examined: Examined, folder: DataFolder, reading: Reading, leaks: Iterable[Leak]
) -> Findings:
    """Everything that a check found, in the order of the records."""
    malformed = [Finding(fault, 1) for index in table.indexes.values() for fault in index.faults]
    leads_out = (
        "leads out of the video root; give a --video_root that holds all videos, or --allow_outside_root=true "
        "if you trust these records to name any file (training: data.allow_outside_root)"
    )
    reasons = {**dict.fromkeys(examined.outside, leads_out), **examined.bad}
    bad = [
        Finding(Fault(file, line, f"{video} {reasons[video]}", video), count)
        for video, file, line, count in table.uses(reasons)
    ]
    place = {**dict.fromkeys(examined.there, Place.THERE), **dict.fromkeys(examined.missing, Place.MISSING)}
    places = np.array([place.get(video, Place.OUTSIDE) for video in table.videos], dtype=np.int8)
    sources = missing_sources(table.videos, places, *table.pairs)
    named = {source.name for source in sources}
    missing = list(_missing(table, examined.missing, folder.video_root))
    single = (finding for finding in missing if source_of(str(finding.fault.video)) not in named)
    unreadable = sum(finding.fault.line > 0 for finding in malformed) - int(table.refused.sum())
    rows = table.summary(examined.missing, reasons)
    return Findings(
        records={split: len(index) for split, index in table.indexes.items()},
        usable=table.usable([*examined.missing, *reasons]),
        files={split: len(index.files) for split, index in table.indexes.items()},
        faults=(*malformed, *bad, *single),
        missing_sources=tuple(sources),
        quarantine=tuple(finding.fault for finding in (*malformed, *bad, *missing)),
        unreadable=unreadable,
        rows=tuple(rows),
        all=Row(
            task="all",
            source="",
            records=len(table) + unreadable,
            videos=examined.total,
            missing=len(examined.missing),
            bad=len(reasons),
            usable=sum(row.usable for row in rows),
        ),
        duplicates=tuple(table.duplicates()),
        leaks=tuple(leaks),
        coverage=Coverage(reading, examined.total, examined.read, examined.known),
    )


def _missing(table: RecordTable, videos: Iterable[str], root: Path) -> Iterator[Finding]:
    """Missing videos by the outermost folder that is missing with them; by themselves where their folder is there."""

    @cache
    def is_there(folder: str) -> bool:
        return os.path.isdir(os.path.join(root, folder))

    groups: dict[str, list[str]] = {}
    for video in videos:
        ends = [place + 1 for place, letter in enumerate(video) if letter == "/" and place]
        groups.setdefault(next((video[:end] for end in ends if not is_there(video[:end])), video), []).append(video)
    found = table.uses(group[0] for group in groups.values())
    uses = {video: (file, line, count) for video, file, line, count in found}
    for name, group in groups.items():
        file, line, count = uses[group[0]]
        if len(group) == 1:
            is_link = os.path.islink(os.path.join(root, group[0]))
            what = "is a link that leads to no file" if is_link else "is missing from the video root"
            reason = f"{group[0]} {what}; get it, or correct the path in the record"
            yield Finding(Fault(file, line, reason, group[0]), count)
        else:
            reason = f"the folder {name} is missing from the video root, with its {len(group)} videos; get it"
            yield Finding(Fault(file, line, reason, name), int(table.of_videos(group).sum()))

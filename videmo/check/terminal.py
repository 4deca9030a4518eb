"""What a check shows at its end: a summary that reads well at 100 columns."""

import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from videmo.check.findings import Finding, Findings, Row
from videmo.check.videos import Examined
from videmo.data.quarantine import QUARANTINE_FILE
from videmo.errors import as_word

SHOWN = 20
"""Faults that the terminal shows; the manifest has all."""
SOURCES = 6
"""Of a task, beyond which those without a fault are shown as one."""
_WIDEST = 28  # columns of a task or source
_LONGEST = 280  # letters of a reason: three lines
_WITHOUT = {
    "train": "there is nothing to train on",
    "val": "a training has no validation then, and no best weights",
    "test": "there is nothing to test",
}


def show(found: Findings, console: Console, root: Path, manifest: Path) -> None:
    """Print what was found, what it costs, and what to do next."""
    console.print(_heading(found, root))
    console.print(_summary(found))
    for part in (_missing_sources(found), _faults(found, root, manifest), _duplicates(found, root), _leaks(found)):
        if part is not None:
            console.print()
            console.print(part)
    console.print()
    console.print("\n".join([_ending(found, root, manifest), *_empty_splits(found)]))


def show_interrupted(examined: Examined, console: Console) -> None:
    """Say how far an interrupted check came."""
    if not examined.total:
        console.print("interrupted before the videos were read; nothing was written")
        return
    console.print(
        f"interrupted: {examined.known + examined.read:,} of {len(examined.there):,} videos are read, "
        f"{len(examined.bad):,} of them cannot be used. The manifest is as it was; the same command goes on from here."
    )


def _heading(found: Findings, root: Path) -> Text:
    splits = [
        f"{split} {count:,} records in {_count(found.files[split], 'file')}" for split, count in found.records.items()
    ]
    cover = found.coverage
    how = {"decode": "decoded", "open": "opened", "none": "not read"}[cover.reading]
    read = f"{cover.read:,} {how}" if cover.reading != "none" else how
    known = f", {cover.known:,} unchanged since they were found good" if cover.known else ""
    return Text(f"{root}: {', '.join(splits)}; {_count(cover.videos, 'video')} ({read}{known})\n")


def _summary(found: Findings) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("task", "source"):
        table.add_column(name, max_width=_WIDEST, overflow="ellipsis", no_wrap=True)
    for name in ("records", "videos", "missing", "bad", "usable"):
        table.add_column(name, justify="right", no_wrap=True)
    unreadable = [Row("(not readable)", "", found.unreadable, 0, 0, 0, 0)] if found.unreadable else []
    for row in (*_few_sources(found.rows), *unreadable, found.all):
        if row is found.all:
            table.add_row()
        table.add_row(
            row.task,
            _plain(row.source),
            *(_number(count) for count in (row.records, row.videos, row.missing, row.bad)),
            _share(row.usable, row.records),
            style="" if row.usable == row.records else "yellow" if row.usable else "red",
        )
    return table


def _few_sources(rows: Sequence[Row]) -> Iterator[Row]:
    """Rows, of which those of one task without a fault are one where they are many: of a folder a person, say."""
    for task, of_task in groupby(rows, key=lambda row: row.task):
        of_task = list(of_task)
        whole = [row for row in of_task if row.usable == row.records and not row.missing + row.bad]
        if len(whole) <= SOURCES:
            yield from of_task
            continue
        counts = (
            sum(getattr(row, name) for row in whole) for name in ("records", "videos", "missing", "bad", "usable")
        )
        yield Row(task, f"{len(whole)} folders", *counts)
        yield from (row for row in of_task if row not in whole)


def _missing_sources(found: Findings) -> Text | None:
    if not found.missing_sources:
        return None
    if found.all.missing == found.all.videos:
        return Text("no video is there at all: is --video_root right?", style="red")
    lines = [f"{_plain(str(source))}; get it from its authors and check again" for source in found.missing_sources]
    return Text("\n".join(lines), style="yellow")


def _faults(found: Findings, root: Path, manifest: Path) -> Group | None:
    if not found.faults:
        return None
    lost = found.all.records - found.all.usable
    costs = f", {_count(lost, 'record')} cannot be used" if lost and len(found.faults) > 1 else ""
    parts = [Text(f"{_count(len(found.faults), 'fault')}{costs}", style="bold")]
    parts += [_fault(finding, root) for finding in _some(found.faults)]
    if len(found.faults) > SHOWN:
        parts.append(Text(f"... and {len(found.faults) - SHOWN:,} more in {manifest}"))
    return Group(*parts)


def _some(faults: Sequence[Finding]) -> list[Finding]:
    """As many as are shown, of records and of videos alike."""
    records = [finding for finding in faults if finding.fault.video is None]
    videos = [finding for finding in faults if finding.fault.video is not None]
    of_records = max(SHOWN // 2, SHOWN - len(videos))
    return [*records[:of_records], *videos[: SHOWN - len(records[:of_records])]]


def _fault(finding: Finding, root: Path) -> Group:
    fault = finding.fault
    cost = f" ({finding.records:,} records)" if finding.records > 1 else ""
    where = Text(_plain(_inside(fault.where, root)), style="cyan", overflow="fold")
    reason = _plain(fault.reason if len(fault.reason) <= _LONGEST else f"{fault.reason[:_LONGEST]} ...")
    return Group(where, Padding(Text(f"{reason}{cost}", overflow="fold"), (0, 0, 0, 4), expand=False))


def _duplicates(found: Findings, root: Path) -> Text | None:
    if not found.duplicates:
        return None
    first = found.duplicates[0]
    return Text(
        f"{_count(len(found.duplicates), 'record')} repeat an earlier one of their split word for word, and count "
        f"twice: {_inside(first.again, root)} is {_inside(first.first, root)}"
    )


def _leaks(found: Findings) -> Group | None:
    if not found.leaks:
        return None
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, expand=True)
    for ratio in (None, None, 1):  # the examples get the columns that are left
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=ratio)
    for leak in found.leaks:
        what = {"video": "videos by path", "content": "videos by content"}.get(leak.kind, f"{leak.kind}s")
        more = ", ..." if leak.count > len(leak.examples) else ""
        table.add_row(
            f"{leak.splits[1]} in {leak.splits[0]}",
            f"{_plain(leak.source)}: {leak.count:,} of {leak.total:,} {what}",
            _plain(", ".join(leak.examples)) + more,
        )
    title = Text("splits share what they should not; scores on it say less than they seem to", style="bold")
    return Group(title, table)


def _ending(found: Findings, root: Path, manifest: Path) -> str:
    whole = found.all
    if not found.quarantine:
        can = f"all {_count(whole.records, 'record')} can be used"
        return f"{can}; next: videmo fit --config=... --data.root={as_word(root)}"
    read = root / QUARANTINE_FILE
    is_read = os.path.realpath(manifest) == os.path.realpath(read)
    honoured = ", and training leaves it out" if is_read else f", but training reads only {read}"
    return (
        f"{whole.usable:,} of {whole.records:,} records ({_share(whole.usable, whole.records)}) can be used; what is "
        f"wrong is in {manifest}{honoured}. Mend files and run this again: what was found good is not read again."
    )


def _empty_splits(found: Findings) -> Iterator[str]:
    """What is said of splits of which nothing is left, or of which there was nothing."""
    for split, costs in _WITHOUT.items():
        if split not in found.files:
            yield f"no data file is of {split}: {costs}"
        elif not found.usable[split]:
            yield f"no record of {split} can be used: {costs}"


def _plain(text: str) -> str:
    r"""Text of untrusted records without what a terminal obeys.

    >>> _plain("a\x1b[2J.mp4")
    'a\\x1b[2J.mp4'
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _inside(where: str, root: Path) -> str:
    """A place in the data folder by its path there."""
    return where.removeprefix(f"{root}{os.sep}")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _number(count: int) -> str:
    return f"{count:,}" if count else "-"


def _share(part: int, whole: int) -> str:
    """A share that is 100% only where nothing is left out.

    >>> _share(99_999, 100_000), _share(5, 5), _share(1, 3)
    ('99.9%', '100%', '33.3%')
    """
    if part == whole:
        return "100%"
    return f"{min(99.9, 100 * part / whole):.1f}%"

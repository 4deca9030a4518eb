"""The command ``videmo doctor``.

videmo doctor
videmo doctor --ckpt runs/demo/tiny --video clip.mp4
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table
from rich.text import Text

from videmo.doctor.machine import Part, examine_machine
from videmo.doctor.parity import Row, compare
from videmo.errors import check_positive
from videmo.synth.draw import draw_clip
from videmo.synth.encode import encode_clip
from videmo.synth.world import sample_world
from videmo.terminal import output

STYLES = {"pass": "green", "FAIL": "bold red", "not run": "yellow"}


def doctor(
    ckpt: str | None = None,
    video: str | list[str] = [],  # noqa: B006 (never changed; jsonargparse shows it in --help)
    question: str = "What emotion does the person show, and what in the face tells it?",
    max_new_tokens: int = 16,
) -> int:
    """Say what this machine has; with --ckpt, hold what we compute with a model against plain transformers.

    The exit status is 0 where nothing differs, and 1 where a row fails.

    Args:
        ckpt: A model's folder or hub id, as `videmo export` writes it or as training starts from.
        video: A video file, or a list of them; a drawn clip by default.
        question: What is asked of each.
        max_new_tokens: Of the answer that both generate.
    """
    console = output()
    check_positive("--max_new_tokens", max_new_tokens)
    if ckpt is None:
        console.print(machine_table(examine_machine(Path())))
        console.print("\n`videmo doctor --ckpt FOLDER` holds our tokens, positions and logits against transformers.")
        return 0
    with TemporaryDirectory() as work:
        videos = [video] if isinstance(video, str) else video or [_drawn_clip(Path(work))]
        rows = compare(ckpt, [Path(file) for file in videos], question, max_new_tokens)
    show(rows, ckpt, console)
    return 1 if any(row.status == "FAIL" for row in rows) else 0


def machine_table(parts: Sequence[Part]) -> Table:
    """The machine, a line a part."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("part", no_wrap=True)
    table.add_column("here", ratio=2)
    table.add_column("note", ratio=3)
    for part in parts:
        table.add_row(part.name, part.found, part.note, style="yellow" if part.lacks else "")
    return table


def show(rows: Sequence[Row], checkpoint: str, console: Console) -> None:
    """Print the comparison, and what to do about what failed."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("row", "result"):
        table.add_column(name, no_wrap=True)
    table.add_column("largest diff.", justify="right", no_wrap=True)
    table.add_column("what was compared, and what to do", ratio=1)
    for row in rows:
        difference = "-" if row.largest is None else f"{row.largest:.2g}"
        text = Text(row.compared)
        if row.remedy:
            text.append("\n" if row.compared else "").append(row.remedy, style=STYLES[row.status])
        table.add_row(row.name, Text(row.status, style=STYLES[row.status]), difference, text)
    console.print(table)
    failed = [row.name for row in rows if row.status == "FAIL"]
    not_run = [row.name for row in rows if row.status == "not run"]
    ending = f"{checkpoint}: {len(rows) - len(failed) - len(not_run)} of {len(rows)} rows pass"
    ending += f"; not run: {', '.join(not_run)}" if not_run else ""
    ending += f"; FAILED: {', '.join(failed)}" if failed else ""
    console.print(f"\n{ending}")


def _drawn_clip(folder: Path) -> str:
    file = folder / "drawn clip.mp4"
    encode_clip(draw_clip(sample_world(60, seed=0).clips["test"][0]), file)
    return str(file)

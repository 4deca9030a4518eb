"""The command ``videmo report``."""

from pathlib import Path

from videmo.report import write_report


def report(run: str, out: str | None = None) -> None:
    """Write report.html, one self-contained page, from a run folder.

    Args:
        run: The folder that `videmo fit` and `videmo test` wrote into (the trainer's default_root_dir).
        out: The page; RUN/report.html by default.
    """
    print(f"the report is {write_report(Path(run), Path(out) if out else None)}")

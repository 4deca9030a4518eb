"""``report.html``: one self-contained page about a run, made from whatever its folder holds."""

from videmo.report.page import write_report

__all__ = ["write_report"]

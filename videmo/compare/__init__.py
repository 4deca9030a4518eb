"""``videmo compare``: two methods side by side."""

from videmo.compare.command import compare

__all__ = ["compare"]

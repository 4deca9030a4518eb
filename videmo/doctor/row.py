"""One line of the comparison, and how several videos make one line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

REPORT = "if that is not your change, please report it with this table"
T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: What was compared.
        status: Whether it is the same; ``not run`` where the reference cannot be had.
        largest: The largest difference, where it is a number.
        compared: With what.
        remedy: What to do where it did not pass.
    """

    name: str
    status: Literal["pass", "FAIL", "not run"]
    largest: float | None
    compared: str
    remedy: str = ""


def judge(name: str, largest: float, limit: float, compared: str, remedy: str) -> Row:
    """A row that passes up to a limit of its largest difference; the remedy is for where it does not."""
    # `not <=`, so that a NaN fails.
    failed = not largest <= limit
    return Row(name, "FAIL" if failed else "pass", largest, compared, remedy if failed else "")


def worst(clips: Sequence[T], check: Callable[[T], Row]) -> Row:
    """The row of the clip that fails, or else differs most."""
    rows = [check(clip) for clip in clips]
    found = max(rows, key=lambda row: (row.status == "FAIL", row.largest or 0.0))
    return replace(found, compared=f"{found.compared}; the worst of {len(rows)} videos") if len(rows) > 1 else found

"""One line of the comparison, how several videos make one line, and how an error makes one that fails.

A folder can be spoiled in ways that every library between a file and an answer has its own errors for. Each of them
fails the row that it came up in, and hides no other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeVar

from videmo.errors import InputError, in_words

REPORT = "if that is not your change, please report it with this table"
SPOILED = "mend the row that fails above; if none does, get the folder's files anew, or report it with this table"
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


def attempt(name: str, make: Callable[[], T], remedy: str = SPOILED) -> T | Row:
    """What is made; or where that ends in an error, the row of that name, which fails with it."""
    try:
        return make()
    except InputError as error:
        return Row(name, "FAIL", None, "", str(error))
    except Exception as error:
        return Row(name, "FAIL", None, f"not compared, it ended in {in_words(error)}", remedy)


def worst(name: str, clips: Sequence[T], check: Callable[[T], Row]) -> Row:
    """The row of the clip that fails, or else differs most."""
    rows = [attempt(name, partial(check, clip)) for clip in clips]
    found = max(rows, key=lambda row: (row.status == "FAIL", row.largest or 0.0))
    return replace(found, compared=f"{found.compared}; the worst of {len(rows)} videos") if len(rows) > 1 else found

"""The one family of errors that are the user's to mend: the command line prints them as a sentence, without a trace.

Others are put in words where they are not the end of a command.
"""

import math
from pathlib import Path
from shlex import quote


class InputError(ValueError):
    """Something given to videmo cannot be used; the message names it and says how to mend it."""


def as_word(path: str | Path) -> str:
    """A path as a shell takes it, for commands that a message tells to type.

    >>> as_word("my clips/a.mp4")
    "'my clips/a.mp4'"
    """
    return quote(str(path))


def in_words(error: Exception) -> str:
    """The kind of an error, and the first line that it says.

    >>> in_words(ValueError("too long\\nby 3")), in_words(AssertionError())
    ('ValueError: too long', 'AssertionError')
    """
    return ": ".join([type(error).__name__, *str(error).strip().splitlines()[:1]])


def printable(text: str) -> str:
    """A text in one line that moves no cursor: what a model or a file says may hold anything.

    >>> printable("a\\x1b[2J  b\\n")
    'a\ufffd[2J b'
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in " ".join(text.split()))


def check_positive(name: str, value: float | None) -> None:
    """Refuse a number that is not above 0, or not finite; None passes, as what was not given.

    Raises:
        InputError: Naming it.
    """
    if value is not None and not 0 < value < math.inf:
        raise InputError(f"{name} must be above 0, got {value}")

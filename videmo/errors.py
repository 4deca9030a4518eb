"""The one family of errors that are the user's to mend: the command line prints them as a sentence, without a trace."""

import math


class InputError(ValueError):
    """Something given to videmo cannot be used; the message names it and says how to mend it."""


def check_positive(name: str, value: float | None) -> None:
    """Refuse a number that is not above 0, or not finite; None passes, as what was not given.

    Raises:
        InputError: Naming it.
    """
    if value is not None and not 0 < value < math.inf:
        raise InputError(f"{name} must be above 0, got {value}")

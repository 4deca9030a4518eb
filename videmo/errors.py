"""The one family of errors that are the user's to mend: the command line prints them as a sentence, without a trace."""


class InputError(ValueError):
    """Something given to videmo cannot be used; the message names it and says how to mend it."""

"""The label sets of the benchmark's tasks, in option order (A, B, C ...), read from ``data/labels.yaml``.

A set stands there as a list, as a mapping from label to its meaning (action units), or, for the fine-grained emotions,
as a product of intensities and emotions; `label_set` flattens all three.
"""

from functools import cache
from importlib.resources import files
from itertools import product

import yaml

from videmo.errors import InputError


@cache
def _label_file() -> dict:
    return yaml.safe_load((files("videmo.tasks.data") / "labels.yaml").read_text(encoding="utf-8"))


def label_set_names() -> tuple[str, ...]:
    """The names that `label_set` knows."""
    return tuple(_label_file())


@cache
def label_set(name: str) -> tuple[str, ...]:
    """The labels of a set in option order.

    Raises:
        InputError: If no set has that name; the message lists those that exist.

    Example:
        >>> label_set("sentiment3")
        ('Positive', 'Neutral', 'Negative')
        >>> label_set("fine22")[:4]
        ('Weak Angry', 'Medium Angry', 'Strong Angry', 'Weak Contempt')
    """
    if name not in _label_file():
        raise InputError(f"unknown label set {name!r}; known: {', '.join(label_set_names())}. Use one of these.")
    entry = _label_file()[name]
    if isinstance(entry, dict) and "emotions" in entry:
        pairs = product(entry["emotions"], entry["intensities"])
        return (*(f"{intensity} {emotion}" for emotion, intensity in pairs), entry["last"])
    return tuple(entry)


def label_meanings(name: str) -> dict[str, str]:
    """What each label of a set means in words, where the set says so (action units); else an empty mapping.

    Example:
        >>> label_meanings("au12")["AU4"]
        'brow lowerer'
    """
    entry = _label_file()[name] if label_set(name) else {}
    return dict(entry) if isinstance(entry, dict) and "emotions" not in entry else {}

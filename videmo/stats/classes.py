"""The curriculum's three classes, by which the paper counts and orders its data (section 3.1, table 7)."""

from collections.abc import Iterable

from videmo.tasks import TEXT_TASK, Task

CLASSES = ("attribute", "expression", "emotion")
"""In the paper's order."""
TEXT = TEXT_TASK.scenario
_CLASS_OF = {"understanding": "emotion"}  # the scenario of the paper's ablations, and its class here
COLOURS = {"attribute": "series-1", "expression": "series-0", "emotion": "series-2", TEXT: "faint"}
"""Of the classes, and of records without a video, as colours.css names them."""


def class_of(task: Task) -> str:
    """The class of a task; ``text`` of conversations without a video.

    Example:
        >>> from videmo.tasks import find_task
        >>> class_of(find_task("rationale")), class_of(find_task("QA_Hair"))
        ('emotion', 'attribute')
    """
    return _CLASS_OF.get(task.scenario, task.scenario)


def colour_of(name: str) -> str:
    """The colour of a class."""
    return COLOURS.get(name, "accent")


def in_order(names: Iterable[str]) -> list[str]:
    """Classes in the paper's order, each once, and what is none of them at the end.

    >>> in_order(["text", "emotion", "attribute", "emotion"])
    ['attribute', 'emotion', 'text']
    """
    known = (*CLASSES, TEXT)
    return sorted(set(names), key=lambda name: (known.index(name) if name in known else len(known), name))

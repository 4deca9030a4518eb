"""Answers as models phrase them, against what a careful reader takes each for.

The 150 were frozen before the parser was written for them, the 100 were written afterwards by somebody who had seen
neither; the rest are the parser's own.
"""

from pathlib import Path

import pytest
import yaml

from videmo.tasks import all_tasks

FILES = {"phrasings150.yaml": (150, 0.97), "phrasings100.yaml": (100, 0.93), "phrasings_own.yaml": (79, 0.97)}
"""File -> how many it has, and the share that must be read right."""
TASKS = {task.name: task for task in all_tasks()}


def _readings(file):
    """Every entry of a file, with what was read and what should have been."""
    entries = yaml.safe_load((Path(__file__).parent / file).read_text(encoding="utf-8"))
    assert len(entries) == FILES[file][0]
    return [(entry, *_reading(entry)) for entry in entries]


def _reading(entry):
    task, expected = TASKS[entry["task"]], entry["expected"]
    read = task.parse(entry["response"], entry["question"])
    if isinstance(expected, list):
        return read, frozenset(expected)
    as_listed = expected is None or expected in task.options(entry["question"]).values()
    return read, expected if as_listed else task.known(expected)


def _told(readings):
    return "\n".join(f"{e['task']}: {e['response']!r} read as {read}, not {right}" for e, read, right in readings)


@pytest.mark.parametrize("file", FILES)
def test_all_but_a_few_phrasings_are_read_as_a_reader_would(file):
    readings = _readings(file)
    wrong = [reading for reading in readings if reading[1] != reading[2]]
    assert len(readings) - len(wrong) >= FILES[file][1] * len(readings), f"{len(wrong)} wrong:\n{_told(wrong)}"


@pytest.mark.parametrize("file", FILES)
def test_what_is_no_answer_is_never_read_as_one(file):
    invented = [reading for reading in _readings(file) if reading[2] is None and reading[1] is not None]
    assert not invented, _told(invented)

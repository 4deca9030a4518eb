"""Answers as models phrase them, against what a careful reader takes each for."""

from pathlib import Path

import pytest
import yaml

from videmo.tasks import all_tasks

FILES = {"phrasings150.yaml": 150, "phrasings_own.yaml": 79}  # file -> how many it has
TASKS = {task.name: task for task in all_tasks()}


@pytest.fixture(scope="module", params=FILES)
def readings(request):
    """Every entry of a file, with what was read and what should have been."""
    entries = yaml.safe_load((Path(__file__).parent / request.param).read_text(encoding="utf-8"))
    assert len(entries) == FILES[request.param]
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


def test_all_but_a_few_phrasings_are_read_as_a_reader_would(readings):
    wrong = [reading for reading in readings if reading[1] != reading[2]]
    assert len(wrong) <= 0.03 * len(readings), f"{len(wrong)} of {len(readings)}:\n{_told(wrong)}"


def test_what_is_no_answer_is_never_read_as_one(readings):
    invented = [reading for reading in readings if reading[2] is None and reading[1] is not None]
    assert not invented, _told(invented)

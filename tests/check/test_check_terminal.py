"""The summary stays readable where clips lie in a folder a person."""

from videmo.check.findings import Row
from videmo.check.terminal import SOURCES, _few_sources


def row(task, source, usable=2, missing=0):
    return Row(task, source, records=2, videos=1, missing=missing, bad=0, usable=usable)


def test_many_folders_without_a_fault_are_one_row_and_faults_stay_by_themselves():
    people = [row("hair", f"P{n}") for n in range(SOURCES + 1)]
    found = list(_few_sources([*people, row("hair", "P99", usable=0, missing=1), row("eyes", "P0")]))
    number = SOURCES + 1
    assert found[0] == Row("hair", f"{number} folders", 2 * number, number, 0, 0, 2 * number)
    assert [(one.task, one.source) for one in found[1:]] == [("hair", "P99"), ("eyes", "P0")]


def test_a_few_folders_are_shown_one_by_one():
    people = [row("hair", f"P{n}") for n in range(SOURCES)]
    assert list(_few_sources(people)) == people

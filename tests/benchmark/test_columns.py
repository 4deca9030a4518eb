"""The layout of the paper's tables, and the averages over their columns."""

import pytest

from videmo.benchmark.columns import all_columns, averages, columns_by, missing_columns, scenarios
from videmo.tasks import all_tasks


def test_there_are_33_columns_in_seven_averages_and_three_scenarios():
    sizes = {average: len(names) for average, names in columns_by("average").items()}
    assert list(sizes.values()) == [6, 12, 3, 2, 2, 2, 6]
    assert {s: len(names) for s, names in columns_by("scenario").items()} == {
        "attribute": 18,
        "expression": 9,
        "understanding": 6,
    }
    assert {table: len(names) for table, names in columns_by("table").items()} == {"1": 18, "2": 15}


def test_every_task_of_the_benchmark_has_its_column_but_the_captions_by_rule_and_rationales():
    names = {column.name for column in all_columns()}
    assert {task.column for task in all_tasks()} - names == {"caption", "rationale"}


def test_an_average_needs_all_of_its_columns():
    columns = {"sentiment_single": 40.0, "micro_expression": 20.0, "action_unit": 31.0}
    found = averages(columns)
    assert found["cues"] == pytest.approx(25.5)
    assert found["sentiment"] is None and missing_columns(columns)["sentiment"] == ("sentiment_fine",)
    assert "cues" not in missing_columns(columns)


def test_a_scenario_weighs_columns_and_the_average_weighs_scenarios():
    columns = {column.name: 0.0 for column in all_columns()}
    columns |= {"appearance_cls": 90.0, "conversation": 90.0, "fluency": 90.0}
    assert scenarios(columns) == pytest.approx(
        {"attribute": 5.0, "expression": 10.0, "understanding": 15.0, "average": 10.0}
    )
    del columns["fluency"]
    assert scenarios(columns)["understanding"] is None
    assert scenarios(columns)["average"] is None

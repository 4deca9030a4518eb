"""The score table: rows by scenario, verdicts against blind, the paper's averages."""

import json

import pytest
from made_up import benchmark

from videmo.report.results import read_methods
from videmo.report.scores import score_table


def table_of(run, **changed):
    (run / "results" / "after" / "benchmark.json").write_text(json.dumps(benchmark(**changed)))
    return score_table(read_methods(run)[0])


def test_rows_stand_by_scenario_and_what_is_no_column_comes_last(results):
    table = table_of(results)
    assert list(table.sections) == ["attribute", "expression", "no column of the paper"]
    assert [row.column for row in table.columns] == ["identity", "head_pose", "emotion_single"]


def test_only_a_whole_interval_above_or_below_blind_counts(results):
    table = table_of(results)
    assert [row.column for row in table.lying("above")] == ["head_pose"]
    assert [row.column for row in table.lying("below")] == ["identity"]
    assert [row.column for row in table.lying("level")] == ["emotion_single"]


def test_a_column_of_fewer_than_ten_answers_gets_no_verdict(results):
    few = dict.fromkeys(("asked", "answered", "judged"), 9) | {"unparsed": 0}
    table = table_of(results, counts=dict.fromkeys(("head_pose", "emotion_single"), few))
    assert table.lying("above") == table.lying("level") == []
    assert [row.column for row in table.lying("below")] == ["identity"], "of how many it is, is not known"


def test_denominators_are_kept(results):
    row = table_of(results).columns[0]
    assert (row.asked, row.unread) == (40, 2)


def test_an_average_needs_all_its_columns(results):
    columns = {"micro_expression": 30.0, "action_unit": 50.0, "sentiment_single": 10.0}
    changed = {"columns": columns, "blind": {"micro_expression": 20.0, "action_unit": 40.0}, "intervals": {}}
    rows = {row.column: row for row in table_of(results, **changed).sections["expression"]}
    assert rows["AVG cues"].score == pytest.approx(40.0)
    assert rows["AVG cues"].blind == pytest.approx(30.0)
    assert rows["AVG sentiment"].score is None
    assert rows["AVG sentiment"].missing == ("sentiment_fine",)


def test_the_main_method_is_no_control_and_not_the_untrained_one(results):
    for name in ("blank", "before", "zeta"):
        folder = results / "results" / name
        folder.mkdir()
        (folder / "benchmark.json").write_text(json.dumps(benchmark(columns={"head_pose": 16.0})))
    methods, _ = read_methods(results)
    assert [method.name for method in methods] == ["zeta", "after", "before", "blank"]
    assert score_table(methods).others == ["after", "before", "blank"]


def test_a_methods_controls_stand_in_its_subfolders(results):
    folder = results / "results" / "after"
    (folder / "blank").mkdir()
    (folder / "blank" / "MEAD_ID.json").write_text((folder / "MEAD_ID.json").read_text())
    methods, problems = read_methods(results)
    assert [method.name for method in methods] == ["after", "blank"]
    assert methods[1].predictions and not problems


def test_columns_above_a_control_are_counted(results):
    table = table_of(results, controls={"blank": {"head_pose": 15.0, "identity": 36.0}})
    assert [row.column for row in table.above_control("blank")] == ["head_pose"]

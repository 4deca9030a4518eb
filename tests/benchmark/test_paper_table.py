"""Your rows beside the paper's: what they show, what they say of themselves, and where they do not compete."""

import pytest

from videmo.benchmark import BenchmarkResult
from videmo.benchmark.columns import all_columns, columns_by
from videmo.benchmark.own_rows import YOURS
from videmo.benchmark.paper_table import TABLES, paper_table

RULED = "open answers are scored by vocabulary, not by a judge"
DFEW = "DFEW_Single-Label-Emotion-Recognition"


def result(columns, name="Emo-CFG", notes=(), files=None) -> BenchmarkResult:
    data = {"name": name, "content": "12ab"} if name else {}
    return BenchmarkResult(
        "m", dict(columns), {}, {}, {}, {}, {}, {}, files or {}, data, notes=dict.fromkeys(notes, RULED)
    )


def all_at(score: float) -> dict[str, float]:
    return {column.name: score for column in all_columns()}


def own(table):
    (row,) = table.row_groups[YOURS]
    return row


@pytest.mark.parametrize(("name", "rows"), [("1", 21), ("2", 21), ("3", 12), ("scenarios", 21)])
def test_without_results_there_are_the_papers_rows_alone(name, rows):
    table = paper_table(name)
    assert len(table.rows) == rows
    assert YOURS not in table.row_groups and not table.warnings


def test_tables_are_laid_out_in_the_papers_spans():
    assert list(paper_table("1").spans) == ["closed", "open"]
    assert list(paper_table("2").spans) == ["emotion recognition", "sentiment", "cues", "complex", "understanding"]
    assert paper_table("2").spans["cues"] == ("micro_expression", "action_unit", "cues_avg")
    assert paper_table("3").spans["DFEW"] == ("dfew_uar", "dfew_war")
    assert list(paper_table("1").row_groups) == ["closed API", "open 1-3B", "open 7B+"]


def test_the_misprint_is_the_one_footnote_of_the_paper():
    table = paper_table("1")
    marked = {(row.model, row.size, c): cell.notes for row in table.rows for c, cell in row.cells.items() if cell.notes}
    assert marked == {("VidEmo-Base", "7B", "closed_avg"): ("as printed; its columns average 70.0",)}
    assert not paper_table("2").footnotes and not paper_table("scenarios").footnotes


def test_best_and_second_are_those_of_the_column_over_all_rows():
    table = paper_table("1")
    ranked = {(row.model, row.size): table.rank(row, "identity") for row in table.rows if table.rank(row, "identity")}
    assert ranked == {("VidEmo-Base", "3B"): 1, ("VidEmo-Base", "7B"): 2}
    ranked = [(row.model, table.rank(row, "action_cls")) for row in table.rows if table.rank(row, "action_cls")]
    assert ranked == [("Gemini 2.0", 1), ("VidEmo-Base", 2), ("VidEmo-T1", 1)]  # 41.4 twice, then 38.4


def test_your_row_competes_and_says_what_it_was_measured_on():
    table = paper_table("1", {"mine": result(all_at(99.0))})
    row = own(table)
    assert row.data == "Emo-CFG (12ab)" and "Emo-CFG (12ab)" in row.notes[0]
    assert table.rank(row, "eye") == 1 and table.rank(row, "identity") == 0
    assert table.number(row.cells["open_avg"]) == "99.0"


def test_a_drawn_world_is_warned_of_and_never_the_best():
    table = paper_table("1", {"mine": result(all_at(100.0), name="demo-v1")})
    assert table.warnings == (
        "demo-v1 (12ab) is a drawn world, not Emo-CFG: its rows do not compare with the paper's.",
    )
    assert not any(table.rank(own(table), column) for column in table.columns)
    assert table.rank(table.rows[20], "eye") == 1


def test_data_that_are_not_named_are_said_to_be_unknown():
    row = own(paper_table("1", {"mine": result(all_at(50.0), name=None)}))
    assert row.data == "unknown" and "does not say" in row.notes[0]


def test_scores_by_rules_are_marked_and_so_are_their_averages():
    opened = columns_by("average")["open"]
    marked = result(all_at(100.0), notes=opened)
    table = paper_table("1", {"mine": marked})
    cells = own(table).cells
    assert {column for column, cell in cells.items() if cell.notes == (RULED,)} == {*opened, "open_avg"}
    assert table.rank(own(table), "eye") == 0 and table.rank(own(table), "head_pose") == 1
    scenarios = own(paper_table("scenarios", {"mine": marked})).cells
    assert [column for column, cell in scenarios.items() if cell.notes] == ["attribute", "average"]


def test_an_average_that_lacks_columns_is_a_dash_that_names_them():
    columns = all_at(50.0)
    for column in ("appearance_cap", "emotion_caption", *columns_by("average")["understanding"]):
        del columns[column]
    table = paper_table("1", {"mine": result(columns)})
    closed = own(table).cells["closed_avg"]
    assert table.number(closed) == "-" and closed.notes == ("lacks appearance_cap",)
    second = own(paper_table("2", {"mine": result(columns)})).cells
    assert second["complex_avg"].notes == ("lacks emotion_caption",)
    assert second["understanding_avg"].value is None and second["understanding_avg"].notes == ()


def test_a_result_without_a_number_in_a_table_is_left_out_and_named():
    table = paper_table("3", {"mine": result(all_at(50.0))})
    assert YOURS not in table.row_groups
    assert "mine has no number in this table and is left out." in table.remarks


def test_table_3_takes_recalls_from_the_files():
    files = {DFEW: {"score": 70.0, "asked": 300, "uar": 60.5, "war": 74.0}}
    table = paper_table("3", {"mine": result({}, files=files)})
    row = own(table)
    assert [table.number(cell) for cell in row.cells.values()] == ["60.50", "74.00", "-", "-"]
    assert table.rank(row, "dfew_war") == 1 and table.rank(row, "dfew_uar") == 2


def test_scenarios_of_your_row_are_means_over_columns():
    columns = all_at(40.0) | dict.fromkeys(columns_by("scenario")["attribute"], 70.0)
    cells = own(paper_table("scenarios", {"mine": result(columns)})).cells
    assert {column: cell.value for column, cell in cells.items()} == pytest.approx(
        {"attribute": 70.0, "expression": 40.0, "understanding": 40.0, "average": 50.0}
    )


def test_every_table_has_a_title_and_its_source():
    for name in TABLES:
        assert "arXiv 2511.02712" in paper_table(name).remarks[0]

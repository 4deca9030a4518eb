"""The shipped rows are the paper's: what they average to is what it prints."""

import pytest

from videmo.benchmark.columns import averages, columns_by, scenarios
from videmo.benchmark.paper import paper_rows

PRINTED = [(table, row) for table in ("1", "2") for row in paper_rows(table)]
MISPRINT = ("VidEmo-Base", "7B", "closed")
"""Prints 69.2; its six columns average 69.98."""


def test_21_rows_stand_in_one_order_in_both_tables():
    first, second = paper_rows("1"), paper_rows("2")
    assert len(first) == len(second) == 21
    names = [(a.model, b.model) for a, b in zip(first, second, strict=True) if a.model != b.model]
    assert names == [("Claude 3.5 Sonnet", "Claude 3 Sonnet")]
    assert [(a.size, a.group) for a in first] == [(b.size, b.group) for b in second]


@pytest.mark.parametrize(("table", "row"), PRINTED, ids=[f"{t}-{row.model}-{row.size}" for t, row in PRINTED])
def test_every_avg_recomputes_within_a_tenth_but_for_one_misprint(table, row):
    computed = averages(row.scores)
    printed = {name.removesuffix("_avg"): value for name, value in row.scores.items() if name.endswith("_avg")}
    assert list(printed) == [average for average, value in computed.items() if value is not None]
    assert len(printed) == {"1": 2, "2": 5}[table]
    for average, value in printed.items():
        if (row.model, row.size, average) == MISPRINT:
            assert (value, round(computed[average], 2)) == (69.2, 69.98)
        else:
            assert value == pytest.approx(computed[average], abs=0.1)


@pytest.mark.parametrize(
    ("model", "attribute", "expression", "understanding"),
    [("Qwen2.5-VL", 63.5, 27.3, 63.6), ("VidEmo-Base", 79.5, 38.7, 67.5), ("VidEmo-T1", 81.3, 40.1, 69.3)],
)
def test_scenarios_are_those_of_the_ablations(model, attribute, expression, understanding):
    """Table 4 prints them: "no component", CEL, and CEL with ATR."""
    rows = zip(paper_rows("1"), paper_rows("2"), strict=True)
    found = next(scenarios(a.scores | b.scores) for a, b in rows if (a.model, a.size) == (model, "7B"))
    assert found["attribute"] == pytest.approx(attribute, abs=0.45)
    assert found["expression"] == pytest.approx(expression, abs=0.15)
    assert found["understanding"] == pytest.approx(understanding, abs=0.1)


def test_every_column_has_a_score_in_every_row():
    for table, names in columns_by("table").items():
        assert all(set(names) <= set(row.scores) for row in paper_rows(table))


def test_table_3_leaves_blank_what_the_paper_does():
    rows = {row.model: row.scores for row in paper_rows("3")}
    assert rows["VidEmo"] == {"dfew_uar": 64.92, "dfew_war": 73.10, "mafw_uar": 44.02, "mafw_war": 54.86}
    assert rows["IAL"] == {"dfew_uar": 55.71, "dfew_war": 69.24}
    assert len(rows) == 12

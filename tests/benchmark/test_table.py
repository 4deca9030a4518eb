from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from videmo.benchmark import BenchmarkResult, results_table

COUNTS = {"asked": 40, "answered": 40, "unparsed": 3, "unscorable": 2}


def _result(score: float, low: float, high: float, blind: float = 50.0) -> BenchmarkResult:
    return BenchmarkResult(
        method="m",
        columns={"identity": score, "hair": score},
        intervals={"identity": [low, high], "hair": [low, high]},
        counts=dict.fromkeys(("identity", "hair", "caption_rouge_l"), COUNTS),
        unparsed={},
        blind={"identity": blind, "hair": blind},
        native={},
        extra={"caption_rouge_l": {"score": 31.4, "interval": [30.0, 33.0], "blind": 20.0}},
        files={},
        notes={"hair": "by vocabulary"},
    )


def _print(results: dict[str, BenchmarkResult], **console) -> str:
    printer = Console(width=100, record=True, file=StringIO(), **console)
    printer.print(results_table(results))
    return printer.export_text(styles=bool(console))


def test_a_row_has_blind_all_results_the_main_interval_and_the_counts():
    text = _print({"before": _result(51, 45, 57), "after": _result(80, 70, 90), "blank": _result(52, 46, 58)})
    row = next(line for line in text.splitlines() if "identity" in line)
    words = [word for word in row.split() if not set(word) & set("━┃─")]
    assert words == ["identity", "50.0", "51.0", "80.0", "70.0", "to", "90.0", "52.0", "40", "3"]


def test_the_caption_score_stands_apart_and_notes_are_marked():
    lines = _print({"after": _result(80, 70, 90)}).splitlines()
    text = "\n".join(lines)
    assert text.index("hair*") < text.index("caption_rouge_l") < text.index("* by vocabulary")
    assert "2 of hair" in text


def test_nothing_is_cut_in_100_columns():
    many = {name: _result(100, 100, 100, 100) for name in ("before", "after", "blank", "shuffled", "frozen")}
    for names in (("before", "after", "blank"), tuple(many)):
        assert "…" not in _print({name: many[name] for name in names})


def test_green_is_above_blind_and_red_below():
    for low, high, code in [(60, 90, "\x1b[1;32m"), (10, 40, "\x1b[1;31m"), (45, 60, None)]:
        text = _print({"after": _result(55.5, low, high)}, force_terminal=True, color_system="standard")
        row = next(line for line in text.splitlines() if "identity" in line)
        assert (f"{code} 55.5" in row or f"{code}55.5" in row) if code else ("32m" not in row and "31m 55.5" not in row)


def test_a_column_without_score_shows_dashes():
    bare = replace(_result(80, 70, 90), columns={}, intervals={}, blind={})
    row = next(line for line in _print({"after": bare}).splitlines() if "identity" in line)
    assert row.split()[1:4] == ["-", "-", "-"]


def test_only_controls_are_no_table():
    with pytest.raises(ValueError, match="blank"):
        results_table({"blank": _result(80, 70, 90)})

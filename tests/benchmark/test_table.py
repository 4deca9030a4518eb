from dataclasses import replace
from io import StringIO

from rich.console import Console

from videmo.benchmark import BenchmarkResult
from videmo.benchmark.table import columns_above_blind, results_table

COUNTS = {"asked": 40, "answered": 40, "judged": 40, "unparsed": 3}


def _result(score: float, low: float, high: float, blind: float = 50.0) -> BenchmarkResult:
    return BenchmarkResult(
        method="m",
        columns={"identity": score, "hair": score},
        intervals={"identity": [low, high], "hair": [low, high]},
        counts=dict.fromkeys(("identity", "hair", "emotion_caption_tree_f1"), COUNTS),
        unparsed={},
        blind={"identity": blind, "hair": blind},
        native={},
        extra={"emotion_caption_tree_f1": {"score": 31.4, "interval": [30.0, 33.0], "blind": 20.0}},
        files={},
        notes={"hair": "by vocabulary"},
        missing={"hair": {"no rule can read the reference": 2}},
    )


def _print(result: BenchmarkResult, **console) -> str:
    printer = Console(width=100, record=True, file=StringIO(), **console)
    printer.print(results_table(result))
    return printer.export_text(styles=bool(console))


def _row(text: str, column: str) -> str:
    return next(line for line in text.splitlines() if column in line)


def test_a_row_has_blind_score_interval_controls_and_counts():
    text = _print(replace(_result(80, 70, 90), controls={"blank": {"identity": 52.0}, "swapped": {"identity": 49.0}}))
    words = [word for word in _row(text, "identity").split() if not set(word) & set("━┃─")]
    assert words == ["identity", "50.0", "80.0", "70.0-90.0", "52.0", "49.0", "40", "3"]


def test_the_caption_score_stands_apart_and_notes_are_marked():
    text = _print(_result(80, 70, 90))
    assert text.index("hair*") < text.index("emotion_caption_tree_f1") < text.index("* by vocabulary")
    assert "2 of hair" in text


def test_denominators_stand_apart_where_they_differ():
    counts = {"identity": COUNTS, "hair": COUNTS | {"answered": 39, "judged": 37}}
    text = _print(replace(_result(80, 70, 90), counts=counts, extra={}))
    assert _row(text, "identity").split()[-2:] == ["40", "3"]
    assert _row(text, "hair").split()[-2:] == ["40/39/37", "3"]


def test_nothing_is_cut_in_100_columns():
    for names in ((), ("blank", "swapped"), ("blank", "shuffled", "frozen", "swapped")):
        controls = {name: {"identity": 100.0} for name in names}
        assert "…" not in _print(replace(_result(100, 100, 100, 100), controls=controls))


def test_green_is_above_blind_and_red_below():
    for low, high, code in [(60, 90, "\x1b[1;32m"), (10, 40, "\x1b[1;31m"), (45, 60, None)]:
        row = _row(_print(_result(55.5, low, high), force_terminal=True, color_system="standard"), "identity")
        assert (f"{code} 55.5" in row or f"{code}55.5" in row) if code else ("32m" not in row and "31m 55.5" not in row)


def test_columns_above_blind_are_those_with_the_whole_interval_above():
    above, known = columns_above_blind(_result(80, 50.0, 90))
    assert above == ["emotion_caption_tree_f1"]
    assert set(known) == {"identity", "hair", "emotion_caption_tree_f1"}


def test_a_column_without_score_shows_dashes():
    bare = replace(_result(80, 70, 90), columns={}, intervals={}, blind={})
    assert _row(_print(bare), "identity").split()[1:4] == ["-", "-", "-"]


def test_the_title_names_the_data():
    text = _print(replace(_result(80, 70, 90), data={"name": "demo-v1", "content": "12ab"}))
    assert "m on demo-v1 (12ab)" in text

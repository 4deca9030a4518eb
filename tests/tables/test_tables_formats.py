"""Terminal, Markdown, CSV and HTML show the same table."""

import csv
import re
from html.parser import HTMLParser
from io import StringIO

import pytest
from rich.console import Console

from videmo.benchmark import BenchmarkResult
from videmo.benchmark.columns import all_columns, columns_by
from videmo.benchmark.paper_table import TABLES, paper_table
from videmo.tables.markdown import table_markdown
from videmo.tables.spreadsheet import table_csv
from videmo.tables.terminal import table_text
from videmo.tables.web import tables_page

NAME = "a|b <script>alert(1)</script> *x*"
DFEW = "DFEW_Single-Label-Emotion-Recognition"


@pytest.fixture(scope="module", params=TABLES)
def table(request):
    """The paper's rows and two: one with all columns on a drawn world, one that lacks some."""
    scores = {column.name: 10.0 + n for n, column in enumerate(all_columns())}
    some = {name: score for name, score in scores.items() if "cap" not in name}
    files = {DFEW: {"uar": 61.25, "war": 70.5}}
    notes = dict.fromkeys(columns_by("average")["open"], "by vocabulary")
    full = BenchmarkResult(
        "a", scores, {}, {}, {}, {}, {}, {}, files, {"name": "demo-v1", "content": "12"}, notes=notes
    )
    part = BenchmarkResult("b", some, {}, {}, {}, {}, {}, {}, files, {"name": "Emo-CFG", "content": "34"})
    return paper_table(request.param, {NAME: full, "a_rather_long_name_of_a_run": part})


def test_csv_parsed_back_equals_the_table(table):
    rows = list(csv.DictReader(StringIO(table_csv(table))))
    assert [row["model"] for row in rows] == [row.model for row in table.rows]
    for read, row in zip(rows, table.rows, strict=True):
        assert (read["group"], read["data"]) == (row.group, row.data)
        for column, cell in row.cells.items():
            assert (
                read[column] == ""
                if cell.value is None
                else float(read[column]) == pytest.approx(cell.value, abs=0.005)
            )
            assert all(note in read["notes"] for note in cell.notes)


def test_markdown_has_every_row_with_as_many_cells_as_heads(table):
    lines = [line for line in table_markdown(table).splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    assert {len(row) for row in cells} == {2 + len(table.columns)}
    assert len({*cells[0]}) == len(cells[0]), "heads are clear without the spans"
    assert len(cells) == 2 + len(table.row_groups) + len(table.rows)
    names = [row[0].strip() for row in cells]
    assert any(name.startswith(r"a\|b &lt;script&gt;alert(1)&lt;/script&gt; \*x\*") for name in names)
    assert names.count("GPT-4o") == (0 if table.name == "3" else 1)


def test_markdown_marks_best_second_and_notes():
    text = table_markdown(paper_table("1"))
    line = next(line for line in text.splitlines() if line.startswith("| VidEmo-Base | 7B"))
    assert "| <ins>69.2</ins><sup>\\*</sup> | <ins>86.4</ins> |" in line
    assert "- <sup>\\*</sup> as printed; its columns average 70.0" in text
    assert "**88.2**" in text


class Cells(HTMLParser):
    """The texts of a page's rows, and every tag."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.tags, self._reads = [], set(), False

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self._reads = True
            self.rows[-1].append("")
        if tag == "sup":
            self._reads = False

    def handle_endtag(self, tag):
        self._reads = self._reads and tag not in ("td", "th")

    def handle_data(self, data):
        if self._reads:
            self.rows[-1][-1] += data


def test_html_has_every_number_and_names_are_text(table):
    page = tables_page([table])
    cells = Cells()
    cells.feed(page)
    assert "script" not in cells.tags and "<script" not in page
    assert "http" not in page.replace("http-equiv", ""), "it loads nothing"
    shown = [row for row in cells.rows if len(row) == 1 + len(table.columns)][1:]
    assert len(shown) == len(table.rows)
    for texts, row in zip(shown, table.rows, strict=True):
        assert texts[0].startswith(row.model)
        assert [text.strip() for text in texts[1:]] == [table.number(cell) for cell in row.cells.values()]


@pytest.mark.parametrize("width", [60, 100, 220])
def test_terminal_shows_every_number_within_its_width(table, width):
    lines = table_text(table, width).plain.splitlines()
    assert max(map(len, lines)) <= width
    shown: dict[str, list[str]] = {}
    for line in lines:
        shown.setdefault(line[:17].rstrip(), []).extend(re.sub(r"[^\d. -]", " ", line[18:]).split())
    paper = [row for row in table.rows if not row.data]
    for row in paper:
        name = row.model if row.size == "-" else f"{row.model} {row.size}"
        assert shown[name] == [table.number(cell) for cell in row.cells.values()]
    for row in table.rows[len(paper) :]:  # names of several lines, whose last has the numbers
        (numbers,) = [words for name, words in shown.items() if name.endswith(table.marks(row))]
        assert numbers == [table.number(cell) for cell in row.cells.values()]


def test_terminal_at_100_columns_cuts_no_span(table):
    lines = table_text(table, 100).plain.splitlines()
    heads = " ".join(line for line in lines if line.lstrip().startswith("──"))
    assert [heads.count(f" {span} ─") for span in table.spans if span] == [1] * len(
        [span for span in table.spans if span]
    )
    assert "…" not in heads


def test_terminal_styles_best_and_second_and_explains_them_only_where_they_are_seen():
    table = paper_table("scenarios")
    console = Console(width=100, file=StringIO(), force_terminal=True, color_system="standard")
    console.print(table_text(table, 100, styled=True))
    lines = console.file.getvalue()
    assert "\x1b[1m81.6\x1b[0m" in lines and "\x1b[4m79.8\x1b[0m" in lines and "Bold is the best" in lines
    assert "Bold" not in table_text(table, 100).plain

"""`videmo tables` as a user meets it."""

import json

import pytest

from videmo.benchmark import BenchmarkResult
from videmo.benchmark.columns import all_columns
from videmo.cli import main


@pytest.fixture
def method(tmp_path):
    """A method's folder; `method(name, **changed)` writes it."""

    def write(name="mine", **changed):
        columns = {column.name: 50.0 for column in all_columns()}
        result = BenchmarkResult(name, columns, {}, {}, {}, {}, {}, {}, {}, {"name": "Emo-CFG", "content": "12ab"})
        folder = tmp_path / "results" / name
        folder.mkdir(parents=True)
        (folder / "benchmark.json").write_text(json.dumps(json.loads(result.to_json()) | changed))
        return folder

    return write


def ran(capsys, *args) -> tuple[int, str, str]:
    try:
        code = main(["tables", *map(str, args)])
    except SystemExit as stop:  # an option of the wrong type
        code = stop.code
    return code, *capsys.readouterr()


def test_without_anything_all_of_the_papers_tables_are_printed(capsys):
    code, printed, _ = ran(capsys)
    assert code == 0
    assert [f"Table {n}:" in printed for n in (1, 2, 3)] == [True] * 3 and "Scenario averages" in printed
    assert max(map(len, printed.splitlines())) <= 100


def test_rows_are_added_of_folders_and_files_and_tables_without_one_are_left_out(method, capsys):
    code, printed, errors = ran(capsys, method("one"), method("two") / "benchmark.json")
    assert code == 0
    assert all(f"\n{name}{mark} " in printed for name, mark in (("one", "†"), ("two", "†")))
    assert "Table 3" not in printed and "left out: 3" in errors


def test_options_and_results_mix_in_any_order(method, capsys):
    one, two = method("one"), method("two")
    assert (
        ran(capsys, one, "--table", "1", two, "--format=csv")[1]
        == ran(capsys, one, two, "--format", "csv", "--table=1")[1]
    )


def test_methods_of_one_name_are_told_apart_by_their_paths(method, capsys):
    one, two = method("one", method="videmo"), method("two", method="videmo")
    code, printed, _ = ran(capsys, one, two, "--table=scenarios", "--format=csv")
    assert code == 0 and f"{one},-,yours" in printed and f"{two},-,yours" in printed


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("md", "<!-- videmo"), ("csv", "model,size"), ("html", "<!doctype"), ("txt", "videmo tables · Table 1")],
)
def test_the_ending_of_out_says_the_format_and_a_table_is_written_over(method, tmp_path, capsys, ending, begins):
    out = tmp_path / f"table.{ending}"
    for _ in range(2):
        code, printed, errors = ran(capsys, "--table=1", f"--out={out}")
        assert code == 0, errors
    assert printed == f"Table 1: {out}\n"
    assert out.read_text().startswith(begins)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nix"], "no such file or folder: nix"),
        (["{tmp}/results"], "several methods; give those you want: {tmp}/results/mine"),
        (["{tmp}"], "several methods; give those you want: {tmp}/results/mine"),
        (["{tmp}/empty"], "no benchmark.json in {tmp}/empty"),
        (["{tmp}/notes.json"], "{tmp}/notes.json is not a benchmark.json"),
        (["{tmp}/list.json"], "{tmp}/list.json holds no JSON object"),
        (["{tmp}/results/mine", "{tmp}/results/mine/benchmark.json"], "is given twice"),
        (["--table=5"], "'1', '2', '3', 'scenarios'"),
        (["--format=pdf"], "'terminal', 'markdown', 'csv', 'html'"),
        (["--format=csv"], "a CSV file holds one table; give --table, one of 1, 2, 3, scenarios"),
        (["--out={tmp}/x.pdf"], "does not end in .txt, .md, .csv, .html"),
        (["--out={tmp}/notes.md"], "holds no table of ours"),
        (["--out={tmp}", "--format=html"], "is a folder; name a file in it"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(args, says, method, tmp_path, capsys):
    method()
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.json").write_text("{}")
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "notes.md").write_text("# Notes\n")
    code, _, errors = ran(capsys, *(arg.format(tmp=tmp_path) for arg in args))
    assert code in (1, 2) and says.format(tmp=tmp_path) in errors
    assert "Traceback" not in errors
    assert (tmp_path / "notes.md").read_text() == "# Notes\n"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"columns": {"eye": 120.0}}, "the score of eye must be a number from 0 to 100, found 120.0"),
        ({"columns": {"eye": float("nan")}}, '"columns" must be an object of numbers'),
        ({"columns": {"eye": None}}, '"columns" must be an object of numbers'),
        ({"columns": [1]}, '"columns" must be an object of numbers'),
        ({"data": {"name": ["x"]}}, '"data" must be an object of texts'),
        ({"files": {"x": 3}}, '"files" must be an object of objects'),
        ({"columns": {"closedness": 50.0}}, "no score of these is a column of the paper's tables"),
    ],
)
def test_a_benchmark_json_that_was_bent_is_refused(changed, says, method, capsys):
    code, _, errors = ran(capsys, method(**changed))
    assert code == 1 and says in errors


def test_a_name_that_would_move_the_cursor_is_shown_as_text(method, capsys):
    code, printed, _ = ran(capsys, method(method="a\x1b[31mb\nc"), "--table=scenarios")
    assert code == 0 and "\x1b" not in printed and "a�[31mb c*" in printed

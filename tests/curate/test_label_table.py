"""Tables as spreadsheets and programs write them, and what is said of those that cannot be read."""

import pytest

from videmo.curate.table import read_table
from videmo.errors import InputError


@pytest.fixture
def table(tmp_path):
    """A function that writes a file and reads it as a table."""

    def read(content, name="labels.csv"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(tmp_path / name)

    return read


def rows_of(read):
    return [(row.line, row.path, dict(row.cells)) for row in read.rows]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("path,emotion\na.mp4,Happy\nb.mp4,\n", "labels.csv"),
        ("\ufeffPath,Emotion\r\na.mp4,Happy\r\nb.mp4,\r\n", "labels.csv"),
        ("video;emotion\na.mp4;Happy\nb.mp4;\n", "labels.csv"),
        ("file\temotion\na.mp4\tHappy\nb.mp4\t\n", "labels.tsv"),
        ("path,emotion\n a.mp4 , Happy \nb.mp4\n", "labels.txt"),
        ('{"path": "a.mp4", "emotion": "Happy"}\n{"path": "b.mp4", "emotion": null}\n', "labels.jsonl"),
        ('[{"path": "a.mp4", "Emotion": "Happy"},\n\n{"path": "b.mp4", "emotion": ""}]', "labels.json"),
    ],
)
def test_a_table_is_read_as_it_is_written(content, name, table):
    read = table(content, name)
    assert [(path, cells) for _, path, cells in rows_of(read)] == [("a.mp4", {"emotion": "Happy"}), ("b.mp4", {})]
    assert read.columns == ("emotion",) and read.faults == ()


def test_a_row_has_the_line_that_it_begins_in(table):
    read = table('path,caption\n\na.mp4,"two\nlines"\nb.mp4,one\n')
    assert rows_of(read) == [(3, "a.mp4", {"caption": "two\nlines"}), (5, "b.mp4", {"caption": "one"})]
    read = table('[\n{"path": "a.mp4"},\n{"path": "b.mp4"}\n]', "x.json")
    assert [line for line, *_ in rows_of(read)] == [2, 3]


def test_names_of_columns_are_known_in_any_case_and_with_spaces(table):
    assert table("Path,Action Units,head-pose\na.mp4,AU4,Up\n").columns == ("action_units", "head_pose")


def test_json_has_lists_numbers_and_truth(table):
    read = table(
        '{"path": "a.mp4", "action_units": ["AU4", 12], "level": 3.0, "tense": true, "actions": []}', "x.jsonl"
    )
    cells = {"action_units": ["AU4", "12"], "level": "3", "tense": "yes", "actions": []}
    assert rows_of(read) == [(1, "a.mp4", cells)]


def test_faults_have_their_lines_and_the_rest_is_read(table):
    read = table("path,emotion\na.mp4,Happy,more\n,Sad\nb.mp4,Sad\n")
    assert [line for line, _ in read.faults] == [2, 3]
    assert [path for _, path, _ in rows_of(read)] == ["b.mp4"]
    read = table('{"path": "a.mp4", "x": {"y": 1}}\n{"path": 4\n5\n{"x": "z"}\n{"path": "b.mp4"}', "x.jsonl")
    assert [line for line, _ in read.faults] == [1, 2, 3, 4]
    assert [path for _, path, _ in rows_of(read)] == ["b.mp4"]


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        ("", "x.csv", "it has no rows"),
        ("\n \n", "x.csv", "it has no rows"),
        ("path,emotion\n", "x.csv", "no rows under its header"),
        ("name,emotion\na.mp4,Happy\n", "x.csv", ":1: no column path or video or file .* has name, emotion"),
        ("path,emotion,Emotion\na.mp4,x,y\n", "x.csv", ":1: the column emotion stands there twice"),
        ("path,emotion\na.mp4,Fröhlich\n".encode("latin-1"), "x.csv", ":2: not UTF-8 text"),
        ("path,emotion\n".encode("utf-16"), "x.csv", "UTF-16"),
        ("a,b", "x.xlsx", "ends in .xlsx"),
        ("a,b", "x", "ends in nothing"),
        ("hello", "x.json", "no JSON list"),
        ('[{"name": "a"}]', "x.json", "no column path .* it has name"),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(content, name, says, table):
    with pytest.raises(InputError, match=says):
        table(content, name)


def test_a_quote_that_is_not_closed_is_a_fault(table):
    (line, reason), *_ = table('path,emotion\na.mp4,Happy\nb.mp4,"Sad\nc.mp4,Sad\n').faults
    assert line == 3 and "not valid CSV" in reason


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path, says in ((tmp_path, "is a folder"), (tmp_path / "x.csv", "no file of labels")):
        with pytest.raises(InputError, match=says):
            read_table(path)

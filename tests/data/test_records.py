"""Reading records: both forms of file, and an error that names file and line for everything that can be wrong."""

import json

import pytest

from videmo.data.records import RecordError, read_records

GOOD = {
    "messages": [{"role": "user", "content": "<video>What?"}, {"role": "assistant", "content": "Yes"}],
    "videos": ["a.mp4"],
    "source": "QA_Hair",
}


def changed(**fields):
    return {**GOOD, **fields}


@pytest.mark.parametrize("form", ["list", "indented list", "lines", "lines with blanks"])
def test_every_form_of_file_gives_the_same_records(form, tmp_path):
    records = [GOOD, changed(videos=["b.mp4"]), changed(source="MEAD_ID")]
    text = {
        "list": json.dumps(records),
        "indented list": json.dumps(records, indent=2),
        "lines": "".join(json.dumps(r) + "\n" for r in records),
        "lines with blanks": "\n".join(json.dumps(r) + "\n" for r in records),
    }[form]
    file = tmp_path / "x.json"
    file.write_text(text)
    read = list(read_records(file))
    assert [(r.videos, r.source) for r in read] == [
        (("a.mp4",), "QA_Hair"),
        (("b.mp4",), "QA_Hair"),
        (("a.mp4",), "MEAD_ID"),
    ]
    assert [r.line for r in read] == {
        "list": [1, 1, 1],
        "indented list": [2, 18, 34],
        "lines": [1, 2, 3],
        "lines with blanks": [1, 3, 5],
    }[form]


def test_an_empty_list_and_an_empty_file_hold_no_records(tmp_path):
    for text in ("[]", "[\n]", "", "\n\n"):
        (tmp_path / "x.json").write_text(text)
        assert list(read_records(tmp_path / "x.json")) == []


def test_question_is_what_the_users_said_before_the_last_answer(make_record):
    record = make_record("<video>What?", "Happy", ("a.mp4",), "Why?", "She smiles.")
    assert record.question == "What?\nWhy?"
    assert record.answer == "She smiles."


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (["not", "an", "object"], "expected a JSON object"),
        (changed(messages=[]), '"messages" must be a non-empty list'),
        (changed(messages=[{"role": "bot", "content": "x"}]), "messages\\[0\\] must be"),
        (changed(messages=[{"role": "user", "content": "<video>What?"}]), "no assistant turn"),
        (changed(messages=[{"role": "assistant", "content": "  "}]), "no assistant turn"),
        (changed(videos="a.mp4"), '"videos" must be a list'),
        (changed(videos=[""]), '"videos" must be a list'),
        (changed(videos=[]), r"1 <video> placeholder\(s\) in the messages but 0 video\(s\)"),
        (changed(videos=["a.mp4", "b.mp4"]), r"1 <video> placeholder\(s\) in the messages but 2 video\(s\)"),
        (changed(source=3), '"source" must be text'),
    ],
)
def test_a_bad_record_is_named_by_file_and_line(record, says, tmp_path):
    file = tmp_path / "x.json"
    file.write_text(json.dumps(GOOD) + "\n" + json.dumps(record) + "\n")
    with pytest.raises(RecordError, match=f"x.json:2: .*{says}"):
        list(read_records(file))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (json.dumps(GOOD) + '\n{"messages": [,]}\n', 2),
        (json.dumps(GOOD) + "\n" + json.dumps(GOOD)[:40], 2),
        ("[" + json.dumps(GOOD) + ",\n{bad}]", 2),
        ("[" + json.dumps(GOOD) + "\n" + json.dumps(GOOD) + "]", 2),
        ("[" + json.dumps(GOOD) + ",\n", 2),
        ("[\n" + json.dumps(GOOD), 2),
    ],
)
def test_malformed_json_is_named_by_file_and_line(text, line, tmp_path):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(RecordError, match=f"x.json:{line}: not valid JSON"):
        list(read_records(tmp_path / "x.json"))


def test_a_file_that_is_not_text_is_named(tmp_path):
    (tmp_path / "x.json").write_bytes(b"\x93NUMPY\xff\xfe")
    with pytest.raises(RecordError, match=r"x.json: not UTF-8"):
        list(read_records(tmp_path / "x.json"))

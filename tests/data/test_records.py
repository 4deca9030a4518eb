"""Reading records: both forms of file, and an error that names file and line for everything that can be wrong."""

import json

import pytest

from videmo.data import entries
from videmo.data.entries import scan
from videmo.data.records import RecordError, parse_record, read_records

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
        (changed(messages=[{"role": "bot", "content": "x"}]), "messages\\[0\\] is not .* write it so"),
        (changed(messages=[{"role": "user", "content": "<video>What?"}]), "no assistant turn"),
        (changed(messages=[{"role": "assistant", "content": "  "}]), "no assistant turn"),
        (
            changed(messages=[{"role": "assistant", "content": "Yes"}, {"role": "user", "content": "<video>What?"}]),
            "the assistant speaks first",
        ),
        (changed(videos="a.mp4"), '"videos" must be a list'),
        (changed(videos=[""]), '"videos" must be a list'),
        (changed(videos=[]), '<video> stands 1 times in the messages, but "videos" has 0; write it once'),
        (changed(videos=["a.mp4", "b.mp4"]), '"videos" has 2; write it once'),
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


def test_a_record_of_a_list_that_breaks_further_down_is_one_sentence(tmp_path):
    (tmp_path / "x.json").write_text("[\n" + json.dumps(GOOD, indent=1).replace('"content"', "content", 1) + "\n]")
    with pytest.raises(
        RecordError, match=r"x.json:2: not valid JSON: the record that begins here breaks at line 6 \(Expecting"
    ):
        list(read_records(tmp_path / "x.json"))


def test_a_file_that_is_not_text_is_named(tmp_path):
    (tmp_path / "x.json").write_bytes(b"\x93NUMPY\xff\xfe")
    with pytest.raises(RecordError, match=r"x.json: not UTF-8"):
        list(read_records(tmp_path / "x.json"))


def good(name: str, **fields) -> dict:
    return changed(videos=[f"{name}.mp4"], **fields)


def found(file) -> tuple[list[str], list[tuple[int, str]]]:
    """Videos of the records and (line, reason) of what is no JSON, as `scan` has them."""
    entries = list(scan(file))
    return (
        [entry.fields["videos"][0] for entry in entries if not entry.reason],
        [(entry.line, entry.reason) for entry in entries if entry.reason],
    )


BROKEN = {
    "a missing value": '{"messages": [,]}',
    "a missing quote": json.dumps(good("lost")).replace('"lost.mp4"', '"lost.mp4'),
    "a missing brace": json.dumps(good("lost"))[:-1],
    "one brace too many": json.dumps(good("lost")) + "}",
    "single quotes": str(good("lost")),
    "a number beyond bounds": '{"messages": ' + "1" * 5000 + "}",
    "a bracket for each of its ten thousand letters": '{"messages": ' + "[" * 100_000,
    "a word": "messages",
    "half a record": json.dumps(good("lost"))[:50],
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("form", ["list", "list of one line", "lines"])
def test_a_broken_entry_costs_itself_only_and_is_named_once(broken, form, tmp_path):
    texts = [json.dumps(good("a")), broken, json.dumps(good("b")), broken, broken, json.dumps(good("c"))]
    text = {
        "list": "[\n" + ",\n".join(texts) + "\n]\n",
        "list of one line": "[" + ",".join(texts) + "]",
        "lines": "\n".join(texts) + "\n",
    }[form]
    (tmp_path / "x.json").write_text(text)
    videos, faults = found(tmp_path / "x.json")
    assert videos == ["a.mp4", "b.mp4", "c.mp4"]
    lines = {"list": [3, 5, 6], "list of one line": [1, 1, 1], "lines": [2, 4, 5]}[form]
    if form != "lines" and not broken.startswith("{"):  # in a list nothing tells two such neighbours apart
        lines = [*lines[:2]]
    assert [line for line, _ in faults] == lines


@pytest.mark.parametrize("window", [4, 7, 64, 300, 2**20])
def test_a_lists_entries_do_not_depend_on_the_window_it_is_read_in(window, tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "WINDOW", window)
    records = [good("ä" * n, source="Ü😀" * n, number=123456) for n in range(1, 30)]
    texts = [json.dumps(record, ensure_ascii=False) for record in records]
    texts[7], texts[20] = '{"messages": [,]}', "123456"
    file = tmp_path / "x.json"
    file.write_text("\n\n [" + " ,\n".join(texts) + "\r\n]\n\n", encoding="utf-8")
    data = file.read_bytes()
    read = list(scan(file))
    assert [entry.line for entry in read] == list(range(3, 32))
    for number, entry in enumerate(read):
        assert data[entry.offset : entry.offset + entry.length].decode().strip(" ,\n") == texts[number]
        if number != 7:
            assert entry.fields == (123456 if number == 20 else records[number])


@pytest.mark.parametrize("cut", [1, 30, 200, 250, 300])
def test_a_list_cut_short_keeps_what_is_whole_and_has_one_fault(cut, tmp_path):
    texts = [json.dumps(good(name)) for name in "abc"]
    whole = "[\n" + ",\n".join(texts) + "\n]"
    (tmp_path / "x.json").write_text(whole[:-cut])
    videos, faults = found(tmp_path / "x.json")
    ends = [2 + sum(map(len, texts[: n + 1])) + 2 * n for n in range(3)]
    assert videos == [f"{name}.mp4" for name, end in zip("abc", ends, strict=True) if end <= len(whole) - cut]
    assert len(faults) == 1


def test_bytes_that_are_no_text_cost_their_record_only(tmp_path):
    texts = [json.dumps(good(name)).encode() for name in "abc"]
    texts[1] = texts[1].replace(b"What?", b"Wh\xff\xfet?")
    for text in (b"\n".join(texts), b"[" + b",\n".join(texts) + b"]"):
        (tmp_path / "x.json").write_bytes(text)
        videos, faults = found(tmp_path / "x.json")
        assert videos == ["a.mp4", "c.mp4"]
        assert [(line, reason[:14]) for line, reason in faults] == [(2, "not UTF-8 text")]


def test_a_byte_order_mark_and_windows_line_ends_are_read_over(tmp_path):
    for text in (
        "\ufeff" + "\r\n".join(json.dumps(good(n)) for n in "ab"),
        "\ufeff[\r\n" + json.dumps(good("a")) + "]",
    ):
        (tmp_path / "x.json").write_bytes(text.encode())
        assert found(tmp_path / "x.json")[1] == []
        assert next(read_records(tmp_path / "x.json")).videos == ("a.mp4",)


def test_lists_one_after_the_other_lose_no_record(tmp_path):
    (tmp_path / "x.json").write_text("".join(json.dumps([good(name)]) + "\n" for name in "ab"))
    videos, faults = found(tmp_path / "x.json")
    assert videos == ["a.mp4", "b.mp4"]
    assert [(line, "one list a file" in reason) for line, reason in faults] == [(2, True)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (bytes(range(256)) * 1000, "not UTF-8"),
        (b"{" + bytes(range(1, 256)) * 1000, "not UTF-8"),
        (b"[" + bytes(1000), "not UTF-8"),
        (json.dumps(GOOD).encode("utf-16"), "UTF-16"),
        (b"video,question\na.mp4,What?\n" * 1000, "neither a list of records nor"),
        (json.dumps(GOOD, indent=2).encode(), "over many lines"),
    ],
    ids=["binary", "binary with a brace", "zeros", "utf-16", "a table", "an indented record"],
)
def test_what_is_no_data_file_is_one_fault(data, says, tmp_path):
    (tmp_path / "x.json").write_bytes(data)
    videos, faults = found(tmp_path / "x.json")
    assert videos == []
    assert len(faults) == 1
    assert faults[0][0] == 0
    assert says in faults[0][1]


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (changed(videos=["a\0.mp4"]), '"videos" must be a list'),
        (changed(videos=["\ud800.mp4"]), "surrogate"),
        (changed(messages=[{"role": "assistant", "content": "\udfff"}], videos=[]), "surrogate"),
    ],
)
def test_text_that_no_file_and_no_tokenizer_can_hold_is_refused(record, says):
    with pytest.raises(RecordError, match=says):
        parse_record(record, "x.json", 1)


@pytest.mark.parametrize("form", ["list", "lines"])
@pytest.mark.parametrize("size", [1, 100, 1000, 10**6])
def test_parts_of_a_file_hold_its_entries_once_each(form, size, tmp_path):
    texts = [json.dumps(good(f"{n}"), ensure_ascii=False) for n in range(50)]
    file = tmp_path / "x.json"
    file.write_text("[\n" + ",\n".join(texts) + "\n]" if form == "list" else "\n".join(texts))
    cut = entries.parts(file, size)
    with file.open("rb") as stream:
        assert [e.offset for part in cut for e in entries.scan_part(stream, part)] == [e.offset for e in scan(file)]
    assert len(cut) > 40 if size == 1 else len(cut) <= 1 + file.stat().st_size // size

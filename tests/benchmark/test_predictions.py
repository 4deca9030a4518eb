import json

import pytest

from videmo.benchmark.predictions import Prediction, read_predictions, write_predictions
from videmo.data.records import Message, Record, RecordError

LINE = {
    "response": "No",
    "labels": "Yes",
    "logprobs": None,
    "messages": [{"role": "user", "content": "<video>Same?"}, {"role": "assistant", "content": "No"}],
    "videos": ["a.mp4"],
}


def _record(source: str, answer: str, line: int) -> Record:
    turns = (Message("system", "Be brief."), Message("user", "<video>Same?"), Message("assistant", answer))
    return Record(turns, ("clips/ä.mp4",), source, "test.json", line)


def _predictions() -> list[Prediction]:
    return [
        Prediction(_record("QA_Hair", "Black hair.", 3), "Bläck", -0.5),
        Prediction(_record("MEAD_ID", "Yes", 2), "No"),
        Prediction(_record("MEAD_ID", "No", 1), "Yes", -1.25),
    ]


def test_files_are_named_by_method_and_task_and_hold_the_releases_keys(tmp_path):
    paths = write_predictions(_predictions(), tmp_path / "ours")
    assert [str(p.relative_to(tmp_path)) for p in paths] == ["ours/MEAD_ID.json", "ours/QA_test_sampling_all_Hair.json"]
    lines = [json.loads(line) for line in paths[0].read_text(encoding="utf-8").splitlines()]
    assert lines[0] == {
        "response": "Yes",
        "labels": "No",
        "logprobs": -1.25,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "<video>Same?"},
            {"role": "assistant", "content": "Yes"},
        ],
        "videos": ["clips/ä.mp4"],
    }
    assert lines[1]["logprobs"] is None


def test_what_is_written_reads_back(tmp_path):
    predictions = _predictions()
    read = [p for path in write_predictions(predictions, tmp_path / "ours") for p in read_predictions(path)]
    assert [(p.response, p.record.answer, p.record.question, p.logprob) for p in read] == [
        ("Yes", "No", "Same?", -1.25),
        ("No", "Yes", "Same?", None),
        ("Bläck", "Black hair.", "Same?", -0.5),
    ]
    assert read[0].record.source == "MEAD_ID" and read[1].record.line == 2


def test_the_logprob_of_an_empty_response_is_null(tmp_path):
    (path,) = write_predictions([Prediction(_record("MEAD_ID", "Yes", 1), "", float("nan"))], tmp_path / "ours")
    assert json.loads(path.read_text())["logprobs"] is None


def test_a_record_answered_twice_is_written_once(tmp_path):
    (path,) = write_predictions(_predictions()[1:] * 2, tmp_path / "ours")
    assert len(path.read_text().splitlines()) == 2


def test_no_half_file_is_left(tmp_path, monkeypatch):
    write_predictions(_predictions()[1:], tmp_path / "ours")
    before = (tmp_path / "ours" / "MEAD_ID.json").read_text()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("videmo.aside.os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_predictions(_predictions()[2:], tmp_path / "ours")
    assert (tmp_path / "ours" / "MEAD_ID.json").read_text() == before
    assert [p.name for p in (tmp_path / "ours").glob("*.json")] == ["MEAD_ID.json"]


def test_the_token_logprobs_of_ms_swift_are_averaged(tmp_path):
    path = tmp_path / "MEAD_ID.json"
    path.write_text(json.dumps(LINE | {"logprobs": {"content": [{"logprob": -1.0}, {"logprob": -3.0}]}}))
    assert next(read_predictions(path)).logprob == -2.0


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "not valid JSON"),
        ("[]", "JSON object"),
        (json.dumps(LINE | {"response": 3}), '"response" must be text'),
        (json.dumps({key: value for key, value in LINE.items() if key != "response"}), '"response" must be text'),
        (json.dumps(LINE | {"labels": " "}), '"labels" is empty'),
        (json.dumps(LINE | {"labels": 3}), '"labels" must be text'),
        (json.dumps(LINE | {"messages": []}), '"messages"'),
        (json.dumps(LINE | {"videos": []}), "stands 1 times in the messages"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, line, what):
    path = tmp_path / "MEAD_ID.json"
    path.write_text(json.dumps(LINE) + "\n\n" + line + "\n")
    with pytest.raises(RecordError, match=f"MEAD_ID.json:3: .*{what}"):
        list(read_predictions(path))


def test_a_list_is_read_as_lines_are_and_null_is_no_answer(tmp_path):
    lines = [LINE, LINE | {"response": None, "labels": ["AU1", "AU4"]}]
    (tmp_path / "MEAD_ID.json").write_text(json.dumps(lines, indent=1))
    first, second = read_predictions(tmp_path / "MEAD_ID.json")
    assert first.response == "No"
    assert (second.response, second.record.answer) == ("", "AU1, AU4")


@pytest.mark.parametrize(
    "given",
    [
        {"videos": [{"path": "a.mp4"}]},
        {"videos": "a.mp4"},
        {"messages": [{"role": "user", "content": "Same?"}]},
        {"messages": [{"role": "user", "content": [{"type": "video"}, {"type": "text", "text": "Same?"}]}]},
    ],
)
def test_what_inference_tools_write_otherwise_is_the_same(tmp_path, given):
    (tmp_path / "MEAD_ID.json").write_text(json.dumps(LINE | given))
    (one,) = read_predictions(tmp_path / "MEAD_ID.json")
    assert (one.record.question, one.record.videos, one.response) == ("Same?", ("a.mp4",), "No")


def test_half_a_character_at_the_end_of_an_answer_is_replaced(tmp_path):
    (tmp_path / "MEAD_ID.json").write_text(json.dumps(LINE | {"response": "No \ud83d"}))
    assert next(read_predictions(tmp_path / "MEAD_ID.json")).response == "No \ufffd"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.json"):
        list(read_predictions(tmp_path / "nothing.json"))

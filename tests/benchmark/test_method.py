import json

import pytest

from videmo.benchmark import BenchmarkResult
from videmo.benchmark.graded import read_scores
from videmo.benchmark.method import grade_method, read_answers, score_method

LINE = {
    "response": "No",
    "labels": "Yes",
    "logprobs": None,
    "messages": [{"role": "user", "content": "<video>Same?"}, {"role": "assistant", "content": "No"}],
    "videos": ["MEAD/a.mp4"],
}


@pytest.fixture
def folder(tmp_path):
    """A method's folder with two answers, and the answers of one control."""
    method = tmp_path / "results" / "ours"
    (method / "blank").mkdir(parents=True)
    lines = [LINE, LINE | {"response": "Yes"}]
    (method / "MEAD_ID.json").write_text("\n".join(map(json.dumps, lines)) + "\n")
    (method / "blank" / "MEAD_ID.json").write_text(json.dumps(LINE))
    return method


def test_answers_controls_and_foreign_files_are_told_apart(folder):
    (folder / "notes.json").write_text("{}")
    (folder / "benchmark.json").write_text("{}")
    found = read_answers(folder)
    assert {shown: [p.response for p in answers] for shown, answers in found.shown.items()} == {
        "none": ["No", "Yes"],
        "blank": ["No"],
    }
    assert [file.name for file in found.left_out] == ["notes.json"]


def test_each_file_names_its_first_malformed_line(folder):
    (folder / "MEAD_ID.json").write_text(json.dumps(LINE) + "\n{\n")
    (folder / "MEAD_Head-Pose.json").write_text(json.dumps(LINE | {"labels": 3}))
    with pytest.raises(ValueError, match=r"(?s)MEAD_Head-Pose.json:1: .*\n.*MEAD_ID.json:2: "):
        read_answers(folder)


def test_a_folder_without_answers_says_what_is_beside_it(folder):
    with pytest.raises(ValueError, match=r"theirs is not there; .* has ours"):
        read_answers(folder.parent / "theirs")
    with pytest.raises(ValueError, match="no answers in"):
        read_answers(folder.parent)


def test_scores_stand_beside_the_answers(folder):
    result = score_method(*grade_method(read_answers(folder).shown), folder, "ours", asked={"MEAD_ID": 3})
    assert BenchmarkResult.load(folder / "benchmark.json") == result
    assert (result.method, result.columns, result.controls) == (
        "ours",
        {"identity": 50.0},
        {"blank": {"identity": 0.0}},
    )
    assert result.counts["identity"]["asked"] == 3
    assert result.missing["identity"] == {"asked, and no answer is there": 1}
    assert result.files["MEAD_ID"]["confusion"] == [[1, 1, 0], [0, 0, 0]]
    graded = read_scores(folder / "scores.jsonl")
    assert [(one.answer, one.scores) for one in graded] == [("No", {"identity": 0.0}), ("Yes", {"identity": 1.0})]
    assert len(read_scores(folder / "blank" / "scores.jsonl")) == 1


def test_scores_of_another_kind_are_named(folder):
    (folder / "scores.jsonl").write_text('{"file": 1}\n')
    with pytest.raises(ValueError, match=r"scores.jsonl:1: no graded answer"):
        read_scores(folder / "scores.jsonl")


def test_lines_that_repeat_another_count_once_and_two_files_of_one_task_are_refused(folder):
    text = (folder / "MEAD_ID.json").read_text()
    (folder / "MEAD_ID.json").write_text(text * 2)
    found = read_answers(folder)
    assert len(found.shown["none"]) == 2 and found.repeated == {"MEAD_ID": 2}
    (folder / "MEAD_ID.jsonl").write_text(text)
    with pytest.raises(ValueError, match=r"MEAD_ID.json and .*MEAD_ID.jsonl are both of MEAD_ID"):
        read_answers(folder)


def test_files_of_any_name_are_told_by_the_source_of_their_lines(folder):
    other = LINE | {"source": "QA_Hair", "labels": "Black hair."}
    (folder / "20261101-120000.jsonl").write_text(
        "\n".join(map(json.dumps, [other, LINE | {"source": "MEAD_Head-Pose"}]))
    )
    found = read_answers(folder)
    assert sorted(p.record.source for p in found.shown["none"]) == ["MEAD_Head-Pose", "MEAD_ID", "MEAD_ID", "QA_Hair"]


def test_an_empty_file_of_a_task_is_named(folder):
    (folder / "MEAD_Head-Pose.json").write_text("[]")
    with pytest.raises(ValueError, match=r"MEAD_Head-Pose.json: holds no answers"):
        read_answers(folder)


def test_files_and_columns_that_are_not_there_are_said(folder):
    asked = {"MEAD_ID": 2, "MOSI_Single-Label-Sentiment-Recognition": 5}
    result = score_method(*grade_method(read_answers(folder).shown), folder, "ours", asked=asked)
    assert result.counts["sentiment_single"] == {"asked": 5, "answered": 0, "judged": 0, "unparsed": 0}
    assert result.missing["sentiment_single"] == {"asked, and no answer is there": 5}
    (folder / "MOSEI_Single-Label-Sentiment-Recognition.json").write_text(json.dumps(LINE | {"labels": "Neutral"}))
    result = score_method(*grade_method(read_answers(folder).shown), folder, "ours")
    assert "1 of 2 files: lacks MOSI" in result.notes["sentiment_single"]

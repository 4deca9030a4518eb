import json

import pytest

from videmo.benchmark import BenchmarkResult, read_answers, read_scores, score_method

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
    with pytest.raises(ValueError, match=r"no folder .*theirs.*; .* has ours"):
        read_answers(folder.parent / "theirs")
    with pytest.raises(ValueError, match="no answers in"):
        read_answers(folder.parent)


def test_scores_stand_beside_the_answers(folder):
    result = score_method(read_answers(folder).shown, folder, "ours", asked={"MEAD_ID": 3})
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

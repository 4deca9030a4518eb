"""`videmo score` and `videmo compare` as a user meets them, with a real server for a judge."""

import json
from dataclasses import replace

import pytest
from judge_server import JudgeServer, says, status

from videmo.benchmark import BenchmarkResult
from videmo.benchmark.graded import read_scores
from videmo.cli import main

EMOTION, CAPTION = "DFEW_Single-Label-Emotion-Recognition", "CelebV-Text_Emotion-Caption"


def _line(response: str, labels: str, number: int) -> str:
    turns = [{"role": "user", "content": "<video>What does she feel?"}, {"role": "assistant", "content": response}]
    return json.dumps({"response": response, "labels": labels, "messages": turns, "videos": [f"DFEW/{number}.mp4"]})


@pytest.fixture
def results(tmp_path):
    """Two methods' answers: plain and free ones, and captions."""
    for method, free in (("alpha", "sample 0001: she beams"), ("beta", "Sad")):
        folder = tmp_path / "results" / method
        folder.mkdir(parents=True)
        pairs = [("Happy", "Happy"), (free, "Happy")]
        (folder / f"{EMOTION}.json").write_text("\n".join(_line(*pair, n) for n, pair in enumerate(pairs)))
        (folder / f"{CAPTION}.json").write_text(_line("sample 0002: she smiles.", "She smiles.", 9))
    return tmp_path / "results"


@pytest.fixture
def judge(tmp_path, monkeypatch):
    """A function that gives the options of a judge at a server."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-7f3a9c51d2")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    patient = {"backoff": 0.002, "max_retries": 1, "cache": tmp_path / "judge.sqlite"}

    def options(server, **more) -> list[str]:
        given = {"base_url": server.url, "model": "judge-1", **patient, **more}
        return [f"--judge.{name}={value}" for name, value in given.items()]

    return options


def test_rules_score_offline_and_leave_the_judges_columns_empty(results, capsys):
    assert main(["score", str(results), "--method", "alpha", "--judge", "rules"]) == 0
    result = BenchmarkResult.load(results / "alpha" / "benchmark.json")
    assert result.columns == {"emotion_single": 50.0} and result.judge == {}
    assert "emotion_caption_tree_f1" in result.extra
    assert "emotion_single" in capsys.readouterr().out


def test_a_judge_fills_them_and_a_second_run_costs_nothing(results, judge, capsys):
    script = {1: [says('{"labels": ["Happy"]}')], 2: [says('{"score": 70}')]}
    with JudgeServer(script) as server:
        command = ["score", str(results), "--method=alpha", *judge(server)]
        assert main([*command, "--dry-run"]) == 0
        assert server.requests == [] and not (results / "alpha" / "benchmark.json").exists()
        assert main(command) == 0
        assert server.asked() == {1: 1, 2: 1}
        assert main(command) == 0
        assert len(server.requests) == 2
    result = BenchmarkResult.load(results / "alpha" / "benchmark.json")
    assert result.columns == {"emotion_single": 100.0, "emotion_caption": 70.0}
    assert result.judge["model"] == "judge-1" and set(result.judge["prompts"]["caption"]) == {"version", "hash"}
    written = b"".join(file.read_bytes() for file in results.parent.rglob("*") if file.is_file())
    assert b"sk-test" not in written and "sk-test" not in "".join(capsys.readouterr())


def test_what_the_judge_failed_on_is_listed_and_asked_again(results, judge, capsys):
    script = {1: [status(500), status(500), says('{"labels": ["Happy"]}')], 2: [says("great!"), says('{"score": 70}')]}
    with JudgeServer(script) as server:
        command = ["score", str(results), "--method=alpha", *judge(server)]
        assert main(command) == 1
        assert "2 answers have no verdict" in capsys.readouterr().out
        missing = [one.missing for one in read_scores(results / "alpha" / "scores.jsonl") if one.missing]
        assert [*missing[0]] == ["emotion_caption"] and "status 500" in missing[1]["emotion_single"]
        assert main(command) == 1
        assert server.asked() == {1: 3, 2: 1}, "an unreadable reply is not asked for again by itself"
        assert main([*command, "--retry-missing"]) == 0
        assert server.asked() == {1: 3, 2: 2}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nowhere"], "no results folder nowhere"),
        (["{results}"], "has several methods: give --method, one of alpha, beta"),
        (["{results}", "--method", "gamma"], "{results}/gamma is not there"),
        (["{results}", "--method", "alpha", "--data", "nowhere"], "no data folder nowhere"),
        (["{results}", "--method", "alpha", "--dry-run"], "name one by --judge.base_url"),
        (["{results}", "--method", "alpha", "--judge.model=m"], "a judge needs judge.base_url"),
        (["{results}", "--method", "alpha", "--judge", "gpt-4o"], "named by --judge.base_url"),
    ],
)
def test_mistakes_are_sentences(results, args, said, capsys):
    assert main(["score", *(arg.format(results=results) for arg in args)]) != 0
    error = capsys.readouterr().err
    assert said.format(results=results) in error and "Traceback" not in error


def test_methods_are_compared_with_or_without_scores(results, tmp_path, capsys):
    assert main(["score", str(results), "--method=alpha"]) == 0
    capsys.readouterr()
    out = tmp_path / "comparison.json"
    assert main(["compare", str(results / "alpha"), str(results / "beta"), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "emotion_single" in text and "mean of columns" in text
    found = json.loads(out.read_text())
    assert found["columns"]["emotion_single"]["questions"] == 2
    assert main(["compare", str(results / "alpha"), str(results / "beta"), "--out", str(out)]) == 0
    out.write_text("notes")
    assert main(["compare", str(results / "alpha"), str(results / "beta"), "--out", str(out)]) == 1
    assert "no comparison" in capsys.readouterr().err and out.read_text() == "notes"


def test_scores_with_blind_are_not_written_over_by_scores_without(results, capsys):
    BenchmarkResult("alpha", blind={"identity": 50.0}).save(results / "alpha" / "benchmark.json")
    assert main(["score", str(results), "--method=alpha"]) == 1
    assert "--data" in capsys.readouterr().err
    assert main(["score", str(results), "--method=alpha", f"--out={results.parent / 'elsewhere'}"]) == 0


def test_how_answers_came_about_stays_beside_them_until_they_are_others(results):
    file, command = results / "alpha" / "benchmark.json", ["score", str(results), "--method=alpha"]
    assert main(command) == 0
    generation = {"checkpoint": "5f3a", "seconds_per_question": 0.5}
    replace(BenchmarkResult.load(file), generation=generation).save(file)
    assert main(command) == 0
    assert BenchmarkResult.load(file).generation == generation
    (results / "alpha" / f"{EMOTION}.json").write_text(_line("Sad", "Happy", 1))
    assert main(command) == 0
    assert BenchmarkResult.load(file).generation == {}


def test_a_key_on_the_command_line_is_refused_and_not_repeated(results, capsys):
    assert main(["score", str(results), "--method=alpha", "--judge.api_key=sk-test-7f3a9c51d2"]) == 1
    printed = "".join(capsys.readouterr())
    assert "read from the environment" in printed and "sk-test" not in printed


def test_answers_to_other_data_are_refused(results, world, capsys):
    assert main(["score", str(results), "--method=alpha", "--data", str(world)]) == 1
    assert "answers to other data" in capsys.readouterr().err


def test_scores_of_answers_that_changed_since_are_not_compared(results, capsys):
    assert main(["score", str(results), "--method=alpha"]) == 0
    (results / "alpha" / f"{EMOTION}.json").write_text(_line("Sad", "Happy", 1))
    assert main(["compare", str(results / "alpha"), str(results / "beta")]) == 1
    assert "of other answers than those beside it" in capsys.readouterr().err


def test_an_answer_moves_no_cursor(results, capsys):
    (results / "beta" / f"{EMOTION}.json").write_text(_line("Sad \x1b[2J", "Happy", 0))
    assert main(["compare", str(results / "alpha"), str(results / "beta")]) == 0
    assert "\x1b[2J" not in capsys.readouterr().out

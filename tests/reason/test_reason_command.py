"""`videmo reason` on real files: one video, folders, files of questions; odd videos, a second run, several ranks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from videmo.cli import main
from videmo.synth.empty import draw_empty
from videmo.synth.encode import encode_clip

SMALL = ["--video.max_frames=4", "--video.min_pixels=7056", "--video.max_pixels=7056", "--max_new_tokens=12"]


@pytest.fixture
def clips(world, tmp_path) -> Path:
    """A folder of four drawn clips, one of them in a folder within."""
    folder = tmp_path / "clips"
    (folder / "within").mkdir(parents=True)
    files = sorted(world.glob("videos/DrawnFaces/test/*.mp4"))
    for number, file in enumerate(files[:4]):
        shutil.copy(file, folder / ("within" if number == 3 else ".") / f"{number}.mp4")
    return folder


@pytest.fixture
def reason(world_checkpoint):
    """A function that runs the command."""

    def run(*args: object) -> int:
        return main(["reason", f"--ckpt={world_checkpoint}", *SMALL, *map(str, args)])

    return run


def lines_of(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().split("\n") if line]


def test_one_video_is_shown_level_by_level(clips, reason, tmp_path, capsys):
    assert reason(clips / "0.mp4", "--n=3", f"--trees={tmp_path / 'trees'}") == 0
    said = capsys.readouterr().out
    for text in (
        "attribute",
        "expression",
        "emotion",
        "rationale",
        "Describe the person's emotion.",
        "answer:",
        "why:",
    ):
        assert text in said
    (picture,) = (tmp_path / "trees").glob("*.png")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_folders_and_files_of_questions_are_answered_in_lines(clips, world, reason, tmp_path, capsys):
    questions = next(iter(sorted(world.glob("jsons/test/emotion/full/*.json"))))
    out = tmp_path / "out" / "found.jsonl"
    assert reason(clips, questions, "--n=2", f"--out={out}") == 0
    found = lines_of(out)
    asked = lines_of(questions)
    assert len(found) == 4 + len(asked)
    by_file = [one for one in found if one["file"] == str(questions)]
    assert {one["line"] for one in by_file} == {*range(1, len(asked) + 1)}
    assert all(Path(video).is_file() for one in found for video in one["videos"])
    assert [step["level"] for step in found[0]["steps"]] == ["attribute", "expression", "emotion", "rationale"]
    assert found[0]["search"]["n"] == 2 and found[0]["search"]["scorers"] == ["ConsensusScorer x 1, weighted True"]
    assert f"{out}: {len(found)} answers" in capsys.readouterr().out.replace("\n", "")


def test_a_second_run_goes_on_where_the_first_ended(clips, reason, tmp_path, capsys):
    out = tmp_path / "found.jsonl"
    assert reason(clips, "--n=2", f"--out={out}") == 0
    whole = out.read_text()
    lines = whole.splitlines(keepends=True)
    out.write_text("".join(lines[:2]) + lines[2][:40])  # as a kill leaves it
    assert reason(clips, "--n=2", f"--out={out}") == 0
    assert "2 of 4 questions are answered already" in capsys.readouterr().out
    again = lines_of(out)
    assert list(map(comparable, again)) == [comparable(json.loads(line)) for line in lines]
    assert reason(clips, "--n=3", f"--out={out}") == 1
    assert "results of another search (n 2, now 3" in capsys.readouterr().err
    out.write_text('{"a": 1}\n')
    assert reason(clips, "--n=2", f"--out={out}") == 1
    assert "found.jsonl:1: no result of `videmo reason`" in capsys.readouterr().err


def comparable(value):
    """Without times, and numbers as far as other batches leave them equal."""
    if isinstance(value, dict):
        return {name: comparable(one) for name, one in value.items() if name != "seconds"}
    if isinstance(value, list):
        return list(map(comparable, value))
    return round(value, 3) if isinstance(value, float) else value


def test_an_interrupted_run_keeps_what_it_has(clips, world_checkpoint, tmp_path, heard_interrupts):
    out, command = tmp_path / "found.jsonl", [sys.executable, "-m", "videmo", "reason", str(clips), "--n=2"]
    run = subprocess.Popen(
        [*command, f"--out={out}", f"--ckpt={world_checkpoint}", "--batch_size=1", *SMALL], stderr=subprocess.PIPE
    )
    while not out.exists() or not out.read_text():
        assert run.poll() is None
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=60)
    if run.returncode:  # it may have been done already
        assert run.returncode == 130 and error.decode().strip().endswith("videmo: interrupted")
    assert 1 <= len(lines_of(out)) <= 4


def test_ranks_share_the_videos_and_answer_as_one(clips, reason, tmp_path, monkeypatch):
    alone = tmp_path / "alone.jsonl"
    assert reason(clips, "--n=2", f"--out={alone}") == 0
    out, found = tmp_path / "found.jsonl", []
    monkeypatch.setenv("WORLD_SIZE", "3")
    for rank in range(3):
        monkeypatch.setenv("RANK", str(rank))
        assert reason(clips, "--n=2", f"--out={out}") == 0
        found.append({tuple(one["videos"]): one["answer"] for one in lines_of(tmp_path / f"found.rank{rank}.jsonl")})
    assert [len(part) for part in found] == [2, 1, 1]
    assert found[0] | found[1] | found[2] == {tuple(one["videos"]): one["answer"] for one in lines_of(alone)}
    assert not out.exists()


def test_odd_videos_get_an_answer_or_a_sentence(clips, reason, tmp_path, capsys):
    """Nobody in it, black, one frame, ten minutes; cut short, no video, gone."""
    odd = tmp_path / "odd"
    odd.mkdir()
    for name, number in (("black", 8), ("landscape", 5), ("noise", 10)):
        encode_clip(draw_empty(number), odd / f"{name}.mp4")
    encode_clip(np.repeat(draw_empty(1), 40, axis=0), odd / "long.mp4")
    encode_clip(draw_empty(2)[:1], odd / "one_frame.mp4")
    (odd / "cut.mp4").write_bytes((clips / "0.mp4").read_bytes()[:1500])
    (odd / "text.mp4").write_text("This is no video.")
    out = tmp_path / "found.jsonl"
    assert reason(odd, "--n=2", f"--out={out}") == 1
    found = {Path(one["videos"][0]).stem: one for one in lines_of(out)}
    assert {name for name, one in found.items() if "error" in one} == {"cut", "text"}
    assert "text.mp4 cannot be opened as a video: it is text" in found["text"]["error"]
    assert all(
        0 <= one["presence"] <= 1 and one["confidence"] <= one["presence"]
        for one in found.values()
        if "error" not in one
    )
    said = capsys.readouterr()
    assert "5 answers" in said.out and "2 failed" in said.out.replace("\n", " ") and "Traceback" not in said.err
    assert reason(odd, "--n=2", f"--out={out}") == 1  # tries the two again, and says so once
    assert len(lines_of(out)) == 7
    assert reason(odd / "gone.mp4", clips / "0.mp4", "--n=1") == 1  # the one that is there has its answer
    said = capsys.readouterr()
    assert "gone.mp4 is not there" in said.err and "answer:" in said.out


def test_a_runs_checkpoint_is_reasoned_with_as_it_is(sft_run, clips, capsys):
    """The same as with its export."""
    run, exported = sft_run
    texts = []
    for given in (run, run / "checkpoints" / "last.ckpt", exported):
        assert main(["reason", str(clips / "0.mp4"), f"--ckpt={given}", "--n=2", "--max_new_tokens=12"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] == texts[2]


@pytest.fixture
def sft_run(world, world_checkpoint, tmp_path) -> tuple[Path, Path]:
    """A run of a step, and its export."""
    run, config = tmp_path / "run", tmp_path / "c.yaml"
    config.write_text(json.dumps({"trainer": {"callbacks": [{"class_path": "callbacks.LastCheckpoint"}]}}))
    video = [f"--data.video.{option[8:]}" for option in SMALL[:3]]
    args = ["fit", f"--config={config}", "--model=videmo.training.SFTModule", f"--data.root={world}", *video]
    args += [f"--model.init_args.checkpoint={world_checkpoint}", "--trainer.max_steps=1", "--data.num_workers=0"]
    args += ["--trainer.limit_val_batches=0", "--trainer.accelerator=cpu", "--trainer.logger=false"]
    assert main([*args, f"--trainer.default_root_dir={run}", "--trainer.enable_progress_bar=false"]) == 0
    assert main(["export", f"--ckpt={run}/checkpoints/last.ckpt", f"--out={tmp_path / 'model'}"]) == 0
    return run, tmp_path / "model"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "nothing to reason about"),
        (["--n=0"], "n, the candidates of a step, is from 1 to 1024"),
        (["--beam=9"], "beam, the candidates gone on from"),
        (["--temperature=0"], "the likeliest tokens give one candidate, not n = 8"),
        (["--max_new_tokens=100000000"], "more than the model has positions"),
        (["--question="], "a question is empty"),
        (["--scorers=oracle"], "the oracle reads references"),
        (["--batch_size=0"], "--batch_size must be above 0"),
        (["empty"], "no videos in"),
        (["--levels={attribute: ''}"], "the question of 'attribute' is empty"),
        (["--ckpt=nowhere"], "no model at nowhere"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(args, says, clips, reason, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    given = args if args[:1] in ([], ["empty"]) else [clips / "0.mp4", *args]
    code = reason(*given)
    said = capsys.readouterr().err
    assert code == 1 and says in said and "Traceback" not in said


def test_what_is_no_result_is_left_as_it_is(clips, reason, tmp_path, capsys):
    for text in ("my only notes", '{"messages": []}\n{"messages": [1]}', "a\nb\n"):
        out = tmp_path / "other.txt"
        out.write_text(text)
        assert reason(clips / "0.mp4", "--n=1", f"--out={out}") == 1
        assert "no result of `videmo reason`" in capsys.readouterr().err and out.read_text() == text
    assert reason(clips / "0.mp4", "--n=1", f"--out={tmp_path}") == 1
    assert "is no file" in capsys.readouterr().err


def test_two_runs_do_not_write_one_file(clips, reason, tmp_path, capsys):
    out = tmp_path / "found.jsonl"
    with (tmp_path / ".found.jsonl.lock").open("a") as claim:
        held = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import fcntl, sys; f = open({claim.name!r}, 'a'); fcntl.lockf(f, fcntl.LOCK_EX); "
                "print('held', flush=True); sys.stdin.read()",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert held.stdout.readline() == b"held\n"
        assert reason(clips, "--n=1", f"--out={out}") == 1
        assert "another run is writing" in capsys.readouterr().err
        held.communicate(b"")
    assert reason(clips, "--n=1", f"--out={out}") == 0


def test_a_scorer_that_says_nothing_is_told_and_asked_again_later(clips, reason, tmp_path, monkeypatch, capsys):
    (tmp_path / "mute_scorer.py").write_text(
        "from videmo.reasoning import Scorer\n"
        "class Mute(Scorer):\n"
        "    def __call__(self, groups):\n"
        "        return [[self.missing('it is mute') for _ in group.candidates] for group in groups]\n"
        "class Broken(Scorer):\n"
        "    def __call__(self, groups):\n"
        "        raise ValueError('boom')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    out, mute = tmp_path / "found.jsonl", '--scorers=[{"scorer": {"class_path": "mute_scorer.Mute"}}]'
    for _ in range(2):
        assert reason(clips / "0.mp4", "--n=2", mute, f"--out={out}") == 0
        assert "1 chosen by likelihood" in capsys.readouterr().out
        (one,) = lines_of(out)
        assert {candidate["score"] for step in one["steps"] for candidate in step["candidates"]} == {None}
        assert {why for step in one["steps"] for why in step["missing"].values()} == {"it is mute"}
    assert reason(clips / "0.mp4", "--n=2", mute.replace("Mute", "Broken")) == 1
    assert "the scorer 'Broken' failed (ValueError: boom)" in capsys.readouterr().err


def test_other_settings_are_another_search(clips, reason, tmp_path, capsys):
    out = tmp_path / "found.jsonl"
    assert reason(clips / "0.mp4", "--n=2", f"--out={out}") == 0
    for option in ("--scorers=likelihood", "--video.fps=1", "--why=null", "--seed=4"):
        assert reason(clips / "0.mp4", "--n=2", f"--out={out}", option) == 1
        assert "results of another search" in capsys.readouterr().err


def test_trees_of_earlier_answers_are_drawn_too(clips, reason, tmp_path):
    out = tmp_path / "found.jsonl"
    assert reason(clips, "--n=1", f"--out={out}") == 0
    assert reason(clips, "--n=1", f"--out={out}", f"--trees={tmp_path / 'trees'}") == 0
    assert len([*(tmp_path / "trees").glob("*.png")]) == 4


def test_questions_need_no_answers_and_bad_lines_cost_themselves_only(clips, reason, tmp_path, capsys):
    def question(text: str, *videos: str, **more) -> str:
        turn = {"role": "user", "content": "<video>" * len(videos) + text}
        return json.dumps({"messages": [turn], "videos": videos, **more})

    lines = [
        question("How does he feel?\u2028Now?", "0.mp4"),
        "no JSON",
        question("What is it?"),
        question("Who?", "/etc/passwd"),
        question("A or B?\nA. Sad\nB. Happy", "1.mp4", source="of my own"),
    ]
    (clips / "questions.jsonl").write_text("\n".join(lines))
    out = tmp_path / "found.jsonl"
    for answered in (3, 0):
        assert reason(clips / "questions.jsonl", "--n=2", f"--out={out}", f"--trees={tmp_path / 'trees'}") == 1
        said = capsys.readouterr()
        assert "questions.jsonl:2: " in said.err and "questions.jsonl:4: the video /etc/passwd is outside" in said.err
        assert ("3 answers" in said.out) == bool(answered) and "root:x" not in said.err
        assert [one["line"] for one in lines_of(out)] == [1, 3, 5]


def test_ranks_that_are_none_are_refused(clips, reason, monkeypatch, capsys):
    for rank, size in (("5", "2"), ("a", "b")):
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("WORLD_SIZE", size)
        assert reason(clips, "--n=1") == 1
        assert f"RANK {rank} and WORLD_SIZE {size} number no process" in capsys.readouterr().err


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit):
        main(["reason", "--help"])
    said = capsys.readouterr().out
    for option in ("--ckpt", "--n", "--method", "--beam", "--scorers", "--out", "--trees", "--why"):
        assert option in said


def test_torchrun_numbers_are_read(monkeypatch):
    from videmo.reason.questions import rank_and_size

    monkeypatch.setitem(os.environ, "RANK", "2")
    monkeypatch.setitem(os.environ, "WORLD_SIZE", "4")
    assert rank_and_size() == (2, 4)

"""Facts about `videmo curate` without labels: an HTTP server plays the models."""

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

import pytest

from videmo.cli import main
from videmo.committee.member import VisionModel
from videmo.curate.command import curate
from videmo.data.records import read_records
from videmo.tasks import find_task

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from curate_table import VIDEO, draw
from simulated_models import Beliefs, SimulatedModels

BELIEFS = Beliefs({"a": 0.3, "b": 0.2, "c": 0.2}, seed=1)
SIZES = (f"--video.max_frames={VIDEO.max_frames}", *(f"--video.{n}_pixels={VIDEO.min_pixels}" for n in ("min", "max")))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A folder of clips, and what the server knows of them."""
    folder = tmp_path_factory.mktemp("unlabelled") / "clips"
    folder.mkdir()
    shown, _ = draw(folder, 12, seed=5)
    return folder, shown


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def command(folder, out, url, *more):
    return ["curate", str(folder), f"--out={out}", "--models", "a", "b", "c", f"--base_url={url}", *SIZES, *more]


def content(out: Path) -> dict[str, bytes]:
    return {str(file.relative_to(out)): file.read_bytes() for file in out.rglob("*") if file.is_file()}


def test_a_folder_of_clips_becomes_records_with_provenance(clips, tmp_path, capsys):
    folder, shown = clips
    out = tmp_path / "data"
    with SimulatedModels(shown, BELIEFS) as server:
        assert main(command(folder, out, server.url)) == 0
    said = capsys.readouterr().out
    assert "samples kept" in said and "Fleiss' kappa" in said and "left_out.jsonl" in said
    records = [record for file in out.glob("jsons/*/*/full/*.json") for record in read_records(file)]
    tasks = {find_task(record.source, record.file).name for record in records}
    assert {"emotion_dfew", "qa_hair", "qa_eyes", "caption", "rationale"} <= tasks
    lines = [json.loads(line) for file in out.glob("jsons/*/*/full/*.json") for line in file.open()]
    for line in lines:
        about = line["provenance"]
        assert about["from"] == "models" and about["model"] == "a" and about["prompt"] and about["tokens"] > 0
        last = about["votes"][-1]
        assert len(last) == 3 and sum(vote["right"] for vote in last.values()) >= 2
    left = [json.loads(line) for line in (out / "left_out.jsonl").open()]
    assert left and all(line["reason"] for line in left)
    facts = json.loads((out / "curation.json").read_text())
    counts = facts["committee"]["all"]
    assert counts["kept"] + counts["dropped"] + counts["missing"] == counts["samples"]
    assert counts["dropped"] + counts["missing"] == len(left)
    assert facts["models"]["committee"] == ["a", "b", "c"] and facts["committee"]["members"][0]["prompt_tokens"] > 0
    assert main(["check", str(out)]) == 0


def test_a_dry_run_sends_and_writes_nothing(clips, tmp_path, capsys):
    folder, shown = clips
    with SimulatedModels(shown, BELIEFS) as server:
        assert main(command(folder, tmp_path / "data", server.url, "--dry-run")) == 0
        assert server.asked.total() == 0
    said = capsys.readouterr().out
    assert "12 clips, nothing sent" in said and "84 to 180" in said  # 7 of the author and 2 more votes a rewriting
    assert not (tmp_path / "data").exists()


def curate_apart(folder: Path, out: Path, url: str) -> None:
    """The command in a process of its own."""
    os.environ["XDG_CACHE_HOME"] = str(out.parent / "cache")
    curate(str(folder), out=str(out), base_url=url, models=[VisionModel(model=name) for name in "abc"], video=VIDEO)


@pytest.mark.slow
def test_after_five_kills_no_call_is_paid_twice_and_the_bytes_are_the_same(clips, tmp_path):
    shown, folder = clips[1], tmp_path / "clips"
    folder.mkdir()
    for file in sorted(clips[0].glob("*.mp4"))[:5]:
        (folder / file.name).symlink_to(file)
    whole, killed = tmp_path / "whole" / "data", tmp_path / "killed" / "data"

    def start(out: Path, server: SimulatedModels):
        process = multiprocessing.get_context("forkserver").Process(target=curate_apart, args=(folder, out, server.url))
        process.start()
        return process

    def finish(out: Path, server: SimulatedModels) -> None:
        process = start(out, server)
        process.join(120)
        assert process.exitcode == 0

    with SimulatedModels(shown, BELIEFS) as server:
        finish(whole, server)
        paid = server.paid.total()
        assert server.asked.total() == paid
    with SimulatedModels(shown, BELIEFS, seconds=0.02) as server:
        for point in range(1, 6):
            process = start(killed, server)
            while server.asked.total() < point * paid / 6:
                assert process.is_alive()
                time.sleep(0.002)
            process.kill()  # SIGKILL
            process.join()
            assert not killed.exists()
        finish(killed, server)
        assert {*server.paid.values()} == {1} and server.paid.total() == paid
        # Asked again was at most what was under way, and a server that knows its own replies sends them again.
        assert server.asked.total() - paid <= 5 * 8
    assert content(killed) == content(whole)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ([], "by --models, which write them"),
        (["--models", "a", "b"], "three or more"),
        (["--models", "a", "b", "c"], "base_url"),
        (["--models", "a", "b", "c", "--base_url=http://localhost:1/v1", "--labels", "x.csv"], "x.csv"),
        (["--models", "a", "b", "c", "--base_url=http://localhost:1/v1", "--author", "a"], "leave it out"),
        (["--models", "a", "b", "c", "--models.max_tokens=9"], "in a YAML file"),
        (["--models", "a", "b", "c", "--base_url=http://localhost:1/v1", "--rewrites=-1"], "--rewrites"),
        (["--models", "a", "b", "c", "--base_url=http://localhost:1/v1", "--emotions=hair"], "--emotions"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_asked(clips, tmp_path, capsys, options, why):
    assert main(["curate", str(clips[0]), f"--out={tmp_path / 'data'}", *options]) == 1
    assert why in capsys.readouterr().err


def test_a_member_that_dies_ends_the_run_and_the_folder_stays(clips, tmp_path, capsys):
    folder, shown = clips
    out, fast = tmp_path / "data", ("--config", str(tmp_path / "models.yaml"))

    def settings(*urls: str) -> None:
        models = [
            {"model": name, "base_url": url, "backoff": 0.0, "max_retries": 1}
            for name, url in zip("abc", urls, strict=True)
        ]
        (tmp_path / "models.yaml").write_text(json.dumps({"models": models, "rewrites": 0}))

    with SimulatedModels(shown, BELIEFS) as server:
        settings(*[server.url] * 3)
        assert main(["curate", str(folder), f"--out={out}", *SIZES, *fast]) == 0
        before = content(out)
        with SimulatedModels(shown, BELIEFS, lambda number, body, reply: (500, {}) if number > 5 else None) as dying:
            settings(server.url, server.url, dying.url)
            os.environ["XDG_CACHE_HOME"] = str(tmp_path / "another")
            assert main(["curate", str(folder), f"--out={out}", *SIZES, *fast]) == 1
    assert "questions in a row failed" in capsys.readouterr().err
    assert content(out) == before


def test_what_is_missing_is_said_by_model_and_never_replaces_more(clips, tmp_path, capsys):
    folder, shown = clips
    out = tmp_path / "data"

    def mute(number, body, reply):
        if body["model"] == "a" or '"votes"' not in body["messages"][0]["content"]:
            return None
        reply["choices"][0]["message"]["content"] = ""
        return 200, reply

    with SimulatedModels(shown, BELIEFS) as server:
        assert main(command(folder, out, server.url)) == 0
        before = content(out)
    os.environ["XDG_CACHE_HOME"] = str(tmp_path / "another")
    with SimulatedModels(shown, BELIEFS, mute) as server:
        assert main(command(folder, out, server.url)) == 1
        said = capsys.readouterr().err
        assert "nothing was kept" in said and "b: 12 requests" in said
        assert "12 unread, --retry-missing asks again: the reply is empty" in said
        lines = [json.loads(line) for line in (tmp_path / "data.left_out.jsonl").open()]
        assert all("no vote of b (the reply is empty); c (the reply is empty)" in line["reason"] for line in lines)
    assert content(out) == before


def test_a_table_beside_models_keeps_a_persons_clips_together(clips, tmp_path):
    folder, shown = clips
    names = sorted(file.name for file in folder.glob("*.mp4"))
    rows = [f"{name},P{number // 3}" for number, name in enumerate(names)]
    (tmp_path / "who.csv").write_text("\n".join(["path,identity", *rows]))
    out = tmp_path / "data"
    with SimulatedModels(shown, BELIEFS) as server:
        assert main(command(folder, out, server.url, f"--labels={tmp_path / 'who.csv'}")) == 0
    splits = {}
    for file in out.glob("jsons/*/*/full/*.json"):
        for record in read_records(file):
            splits.setdefault(names.index(record.videos[0]) // 3, set()).add(file.parts[-4])
    assert len(splits) == 4 and all(len(where) == 1 for where in splits.values())

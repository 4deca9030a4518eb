"""The command as a process: its status, what it writes, and that an interrupt loses nothing."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from videmo.check.command import check
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError

ROOT = Path(__file__).parents[2]


def start(*args):
    command = [sys.executable, "-m", "videmo.cli", "check", *map(str, args)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def write_records(root, videos, name="QA_Hair"):
    file = root / "jsons" / "train" / "qa" / "full" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    messages = [{"role": "user", "content": "<video>What is it?"}, {"role": "assistant", "content": "brown"}]
    file.write_text(json.dumps([{"messages": messages, "videos": [video]} for video in videos]))


@pytest.fixture
def clips(world, tmp_path):
    """A data folder of 400 copies of one clip."""
    clip = next((world / "videos").rglob("*.mp4"))
    folder = tmp_path / "data" / "videos" / "MEAD"
    folder.mkdir(parents=True)
    shutil.copy(clip, folder / "0.mp4")
    for number in range(1, 400):
        os.link(folder / "0.mp4", folder / f"{number}.mp4")
    write_records(tmp_path / "data", [f"MEAD/{number}.mp4" for number in range(400)])
    return tmp_path / "data"


@pytest.mark.slow
@pytest.mark.usefixtures("heard_interrupts")
def test_an_interrupted_check_says_how_far_it_came_and_goes_on_from_there(clips):
    running = start(clips, "--workers=1")
    deadline = time.monotonic() + 120
    while not list(clips.glob(".videmo/good-videos-*.txt")) and time.monotonic() < deadline:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    interrupted = time.monotonic()
    printed, errors = running.communicate(timeout=60)
    assert time.monotonic() - interrupted < 15
    assert running.returncode == 130 and "Traceback" not in errors, errors
    done = int(re.search(r"interrupted: (\d+) of 400 videos are read", printed)[1])
    assert 16 <= done < 400
    assert not (clips / "quarantine.jsonl").exists()

    again = start(clips)
    printed, errors = again.communicate(timeout=120)
    assert again.returncode == 0, printed + errors
    assert f"({400 - done} decoded, {done} unchanged since they were found good)" in " ".join(printed.split())
    assert "all 400 records can be used" in printed


@pytest.fixture
def run(world, tmp_path, capsys):
    """A function that checks a copy of the small world in this process: status, what it printed, what it found."""
    root = tmp_path / "data"
    shutil.copytree(world, root, ignore=shutil.ignore_patterns(".videmo"))

    def run(**options):
        status = check(str(root), **{"videos": "open", "json": str(tmp_path / "found.json"), **options})
        return status, capsys.readouterr().out, json.loads((tmp_path / "found.json").read_text())

    run.root = root
    return run


def test_a_clean_folder_has_status_0_and_an_empty_manifest(run):
    status, printed, found = run(videos="decode")
    assert status == 0 and not found["faults"]
    assert "can be used; next: videmo fit" in printed
    assert (run.root / "quarantine.jsonl").read_text() == ""
    assert found["coverage"]["read"] == found["coverage"]["videos"] == 60


def test_a_mended_video_is_taken_back(run):
    video = next((run.root / "videos").rglob("*.mp4"))
    content = video.read_bytes()
    video.write_bytes(content[: len(content) // 2])
    status, printed, found = run()
    assert status == 1 and len(found["faults"]) == 1
    assert "1 fault" in printed and "what was found good is not read again" in " ".join(printed.split())
    video.write_bytes(content)
    status, _, found = run()
    assert status == 0 and found["coverage"]["read"] == 1
    assert (run.root / "quarantine.jsonl").read_text() == ""


def test_a_video_that_is_a_link_to_itself_is_named_as_one(run):
    video = next((run.root / "videos").rglob("*.mp4"))
    video.unlink()
    video.symlink_to(video.name)
    status, _, found = run()
    assert status == 1
    assert [video.name in fault["video"] for fault in found["faults"]] == [True]
    assert "is a link that leads to no file; get it, or correct" in found["faults"][0]["reason"]


def test_a_video_edited_behind_its_time_is_read_again_without_the_index(run):
    video = next((run.root / "videos").rglob("*.mp4"))
    run()
    time = video.stat().st_mtime_ns
    video.write_bytes(bytes(video.stat().st_size))
    os.utime(video, ns=(time, time))
    assert run()[0] == 0
    shutil.rmtree(run.root / ".videmo")
    assert run()[0] == 1


def test_patterns_may_be_one_several_or_weighted_as_in_training(run):
    train = "jsons/train/*/full/*.json"
    for given in (train, [train], {train: 0.5}):
        status, _, found = run(train=given)
        assert status == 0 and found["records"]["train"] > 0


def test_a_split_that_is_not_there_or_left_out_is_told(run):
    shutil.rmtree(run.root / "jsons" / "test")
    status, printed, _ = run(train=[])
    assert status == 0 and "no data file is of train: there is nothing to train on" in printed
    assert "no data file is of test: there is nothing to test" in printed


@pytest.mark.parametrize(
    ("train", "says"),
    [
        ("nomatch/*.json", r"--train: no file matches nomatch/\*.json in .*data; correct it"),
        ({"jsons/train/*/full/*.json": -1.0}, "--train gives jsons/train.* the weight -1.0; it is how often"),
        ({"jsons/train/*/full/*.json": 1.0, "jsons/train/qa/full/*": 2.0}, "--train gives .* two weights, 1.0 and 2.0"),
    ],
)
def test_patterns_that_training_refuses_are_refused_before_the_work(train, says, run):
    with pytest.raises(InputError, match=says):
        run(train=train)
    assert not (run.root / ".videmo").exists()


def test_what_is_no_data_file_is_a_fault_and_no_record(run):
    folder = run.root / "jsons" / "train" / "attribute" / "full"
    (folder / "empty.json").write_text("")
    (folder / "folder.json").mkdir()
    (folder / "gone.json").symlink_to("nowhere")
    _, _, before = run(val=[], test=[], train="jsons/train/attribute/full/*_*.json")
    status, printed, found = run(val=[], test=[], train="jsons/train/attribute/full/*.json")
    assert status == 1 and found["all"] == before["all"]
    assert [Path(fault["file"]).name for fault in found["faults"]] == ["empty.json", "folder.json", "gone.json"]
    assert "\n    it is a folder; rename it, or leave it out of the pattern\n" in printed  # without spaces behind it
    assert "a link to nowhere, which is not there" in printed


def test_a_split_of_which_nothing_is_left_is_told(run):
    for file in run.root.glob("jsons/val/*/full/*.json"):
        file.write_text(file.read_text().replace(".mp4", ".mov"))
    _, printed, found = run()
    assert found["usable"]["val"] == 0 < found["usable"]["train"]
    assert "no record of val can be used: a training has no validation then" in " ".join(printed.split())


@pytest.mark.parametrize("workers", [0, -3])
def test_a_number_of_workers_that_makes_no_sense_is_refused(workers, run):
    with pytest.raises(InputError, match=f"--workers must be at least 1, got {workers}"):
        run(workers=workers)


def test_a_checkpoint_that_cannot_be_had_is_named_at_once(run):
    for checkpoint in ("nobody/nothing-here", "no/such/folder"):
        with pytest.raises(InputError, match=f"no model at {checkpoint}: it is no folder here"):
            run(checkpoint=checkpoint)
    with pytest.raises(InputError, match=r"the folder holds no config\.json"):
        run(checkpoint=str(run.root))


def test_a_wrong_video_root_is_asked_about_in_one_line(run):
    status, printed, found = run(video_root=str(run.root / "nowhere"))
    named = sum('.mp4"' in line for file in run.root.glob("jsons/**/*.json") for line in file.open())
    assert status == 1 and "no video is there at all: is --video_root right?" in printed
    assert found["missing_sources"] == [{"name": "DrawnFaces", "videos": 60, "records": named}]
    assert len((run.root / "quarantine.jsonl").read_text().splitlines()) == 1


def test_splits_that_share_a_video_are_told_and_leave_the_status_alone(run):
    (train,) = run.root.glob("jsons/train/*/full/QA_Hair.json")
    (test,) = run.root.glob("jsons/test/*/full/QA_test_sampling_all_Hair.json")
    test.write_text("\n".join(json.dumps(entry) for entry in json.loads(train.read_text())))
    status, printed, found = run()
    assert status == 0
    assert "test in train" in printed and "videos by path" in printed
    assert {leak["kind"] for leak in found["leaks"]} == {"video"}


def test_a_place_that_cannot_be_written_is_refused_before_the_work(run, tmp_path):
    for options in ({"quarantine": str(tmp_path / "no" / "q.jsonl")}, {"json": str(tmp_path / "no" / "f.json")}):
        with pytest.raises(InputError, match="cannot be written"):
            run(**options)
    assert not (run.root / ".videmo").exists()


@pytest.mark.parametrize("option", ["json", "quarantine"])
def test_what_no_check_wrote_is_not_written_over(option, run, tmp_path):
    (tmp_path / "mine.json").write_text('{"records": 1}')
    (data, *_) = run.root.glob("jsons/val/*/full/*.json")
    (video, *_) = (run.root / "videos").rglob("*.mp4")
    (tmp_path / "link.json").symlink_to(data)
    refused = {
        data: "--val takes it for a data file",
        data.with_name("new.json"): "--val takes it for a data file",
        tmp_path / "link.json": "--val takes it for a data file",
        video: "it is among the videos",
        run.root / "videos" / "new.json": "it is among the videos",
        tmp_path / "mine.json": "there is a file that no check wrote",
        run.root / "world.json": "there is a file that no check wrote",
    }
    before = {path: path.read_bytes() for path in refused if path.exists()}
    for path, why in refused.items():
        with pytest.raises(InputError, match=f"--{option}={path} is refused: {why}"):
            run(**{option: str(path)})
    assert before == {path: path.read_bytes() for path in refused if path.exists()}
    assert not (run.root / ".videmo").exists()


def test_a_check_may_write_over_what_a_check_wrote(run, tmp_path):
    next((run.root / "videos").rglob("*.mp4")).unlink()
    places = {"json": str(tmp_path / "found.json"), "quarantine": str(tmp_path / "q.jsonl")}
    for _ in range(2):
        run(**places, videos="none")
    run(video_root=str(run.root), videos="none")  # where the data folder's own manifest is among the videos
    with pytest.raises(InputError, match=r"found\.json is where the quarantine manifest goes"):
        run(quarantine=places["json"])


def test_only_the_manifest_that_training_reads_is_said_to_be_left_out(run, tmp_path):
    next((run.root / "videos").rglob("*.mp4")).unlink()
    read = run.root / "quarantine.jsonl"
    for options, says in (
        ({}, f"what is wrong is in {read}, and training leaves it out. Mend"),
        ({"quarantine": str(tmp_path / "q.jsonl")}, f"q.jsonl, but training reads only {read}. Mend"),
    ):
        _, printed, _ = run(videos="none", **options)
        assert "".join(says.split()) in "".join(printed.split())  # wherever lines end


def test_a_reader_that_is_not_there_is_no_fault_of_the_videos(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    with pytest.raises(InputError, match=r"none of video\.backends can be used: torchcodec is not installed"):
        run(video=VideoSettings(backends=("torchcodec",)))
    assert not (run.root / "quarantine.jsonl").exists()


def test_a_subject_pattern_that_is_none_is_refused_before_the_work(run):
    with pytest.raises(InputError, match="--subject"):
        run(subject="(")
    assert not (run.root / ".videmo").exists()


def test_subjects_may_be_told_by_the_users_pattern(run):
    _, _, found = run(subject=r"clip_(\w)")
    assert {leak["kind"] for leak in found["leaks"]} == {"subject"}

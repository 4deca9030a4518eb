"""The manifest: what it covers, when a file is considered anew, and what happens to one that is none."""

import json
import os
import shutil
from multiprocessing import get_context
from types import SimpleNamespace

import numpy as np
import pytest

from videmo.data.faults import Fault
from videmo.data.quarantine import Quarantine
from videmo.errors import InputError


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "data"
    (root / "jsons").mkdir(parents=True)
    (root / "videos" / "DFEW").mkdir(parents=True)
    (root / "jsons" / "a.json").write_text("[1]")
    (root / "videos" / "DFEW" / "ü.mp4").write_bytes(b"broken")
    return root


def faults_of(root):
    file = str(root / "jsons" / "a.json")
    return [
        Fault(file, 3, "no answer"),
        Fault(file, 4, "cut short", "DFEW/ü.mp4"),
        Fault(file, 5, "does not exist", "DFEW/gone.mp4"),
        Fault(file, 6, "all missing", "MAFW/"),
    ]


@pytest.fixture
def manifest(root):
    Quarantine.write(root / "q.jsonl", faults_of(root), root, root / "videos")
    return root / "q.jsonl"


def read(root):
    return Quarantine.read(root / "q.jsonl", root, root / "videos")


def test_what_is_written_is_read(root, manifest):
    assert list(read(root).faults) == faults_of(root)
    assert read(root).mended == 0


def test_a_folder_without_a_manifest_has_no_faults(root):
    assert read(root) == Quarantine()


def test_records_and_videos_are_covered_and_others_are_not(root, manifest):
    quarantine = read(root)
    assert quarantine.record_fault(root / "jsons" / "a.json", 3).reason == "no answer"
    assert quarantine.record_fault(root / "jsons" / ".." / "jsons" / "a.json", 3) is not None
    assert quarantine.record_fault(root / "jsons" / "a.json", 4) is None, "its video is at fault, not the record"
    assert quarantine.video_fault("DFEW/ü.mp4").reason == "cut short"
    assert quarantine.video_fault("DFEW/other.mp4") is None


def test_a_missing_folder_covers_what_lies_in_it_and_no_neighbour(root, manifest):
    quarantine = read(root)
    assert quarantine.video_fault("MAFW/deep/1.mp4").reason == "all missing"
    assert quarantine.video_fault("MAFW2/1.mp4") is None
    assert quarantine.video_fault("x/MAFW/1.mp4") is None


def test_all_records_of_a_bad_video_are_covered(root, manifest):
    index = SimpleNamespace(
        faults=(),
        files=(str(root / "jsons" / "other.json"), str(root / "jsons" / "a.json")),
        file=np.array([0, 0, 1, 1, 1, 1]),
        line=np.array([3, 4, 3, 4, 8, 9]),
        videos=["DFEW/fine.mp4", "DFEW/ü.mp4", "MAFW/1.mp4"],
        video_start=np.array([0, 1, 1, 2, 3, 5, 6]),  # the second record has no video, the fifth two
        video_ids=np.array([0, 0, 1, 0, 1, 2]),
    )
    assert read(root).covers(index).tolist() == [False, False, True, True, True, True]


@pytest.mark.parametrize(
    ("mend", "left"),
    [
        (lambda root: (root / "videos" / "DFEW" / "ü.mp4").write_bytes(b"downloaded again"), [0, 2, 3]),
        (lambda root: os.utime(root / "videos" / "DFEW" / "ü.mp4", ns=(1, 1)), [0, 2, 3]),
        (lambda root: (root / "videos" / "DFEW" / "ü.mp4").unlink(), [0, 2, 3]),
        (lambda root: (root / "videos" / "DFEW" / "gone.mp4").write_bytes(b"here"), [0, 1, 3]),
        (lambda root: (root / "jsons" / "a.json").write_text("[1, 2]"), [1, 2, 3]),
        (lambda root: (root / "videos" / "MAFW").mkdir(), [0, 1, 2]),
    ],
    ids=["downloaded", "touched", "removed", "came", "data_file_edited", "folder_came"],
)
def test_a_mended_file_is_considered_anew(root, manifest, mend, left):
    mend(root)
    assert list(read(root).faults) == [faults_of(root)[i] for i in left]
    assert read(root).mended == 1


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree])
def test_a_data_folder_can_be_moved_with_its_manifest(move, root, manifest, tmp_path):
    moved = tmp_path / "elsewhere"
    move(root, moved)
    assert list(read(moved).faults) == faults_of(moved)


def test_paths_in_the_manifest_are_relative_to_the_data_folder(root, manifest, monkeypatch):
    monkeypatch.chdir(root.parent)
    Quarantine.write("relative.jsonl", [Fault("data/jsons/a.json", 1, "x")], "data", "data/videos")
    written = [json.loads(line) for file in (manifest, root.parent / "relative.jsonl") for line in file.open()]
    assert {fields["file"] for fields in written} == {"jsons/a.json"}
    assert "ü" in manifest.read_text(encoding="utf-8"), "a person can read it"


def test_a_data_file_outside_the_data_folder_keeps_its_whole_path(root, tmp_path):
    fault = Fault(str(tmp_path / "other.json"), 1, "x")
    Quarantine.write(root / "q.jsonl", [fault], root, root / "videos")
    assert read(root).faults == (fault,)


@pytest.mark.parametrize("video", ["\ud800.mp4", "a\0b.mp4", "line\nbreak.mp4", "x" * 5000])
def test_a_path_that_no_file_can_have_is_kept(root, video):
    fault = Fault(str(root / "jsons" / "a.json"), 1, "x", video)
    Quarantine.write(root / "q.jsonl", [fault], root, root / "videos")
    assert read(root).faults == (fault,)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("not json", r"\(Expecting value at column 1\);"),
        ("[]", "object"),
        ('{"file": "a", "line": 1, "reason": "x"}', "identity"),
        ('{"file": "a", "line": 1, "reason": "x", "identity": ["a", 1]}', "identity"),
        ('{"file": "a", "reason": "x", "identity": null}', "line"),
    ],
)
def test_a_line_that_is_not_ours_is_a_sentence_with_its_number(root, manifest, line, named):
    manifest.write_text(manifest.read_text() + line + "\n")
    with pytest.raises(InputError, match=rf"q\.jsonl:5: this line is not one that `videmo check` wrote.*{named}"):
        read(root)


def test_a_binary_file_is_a_sentence(root, manifest):
    manifest.write_bytes(b"\x80\x81\n")
    with pytest.raises(InputError, match="not UTF-8"):
        read(root)


def test_what_a_killed_append_left_is_passed_over(root, manifest):
    content = manifest.read_bytes()
    manifest.write_bytes(content[:-9])
    assert list(read(root).faults) == faults_of(root)[:-1]


def test_a_failed_write_leaves_the_old_manifest(root, manifest):
    before = manifest.read_bytes()

    def faults():
        yield Fault(str(root / "jsons" / "a.json"), 1, "x")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        Quarantine.write(manifest, faults(), root, root / "videos")
    assert manifest.read_bytes() == before
    assert sorted(path.name for path in root.iterdir()) == ["jsons", "q.jsonl", "videos"]


def _append(root, process):
    for number in range(200):
        fault = Fault(str(root / "jsons" / "a.json"), process * 1000 + number, "reason " * 20)
        Quarantine.append(root / "run" / "q.jsonl", [fault], root, root / "videos")


def test_processes_that_append_at_once_lose_nothing(root):
    processes = [get_context("fork").Process(target=_append, args=(root, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    found = Quarantine.read(root / "run" / "q.jsonl", root, root / "videos").faults
    assert {fault.line for fault in found} == {p * 1000 + n for p in range(4) for n in range(200)}


def test_a_place_that_cannot_be_written_is_found_before_the_work(root):
    Quarantine.check_writable(root / "q.jsonl")
    assert not (root / "q.jsonl").exists()
    for place in (root / "no" / "q.jsonl", root / "jsons", root / "jsons" / "a.json" / "q.jsonl"):
        with pytest.raises(InputError, match=r"cannot be written.*--quarantine=FILE"):
            Quarantine.check_writable(place)

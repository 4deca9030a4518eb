"""`videmo check` over 60 broken videos and 30 malformed records: each is named once, the good are left alone."""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from videmo.data.quarantine import Quarantine

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def world(make_broken_world, tmp_path_factory):
    return make_broken_world(tmp_path_factory.mktemp("broken") / "data", seed=0)


@pytest.fixture(scope="module")
def checked(world, checkpoint):
    """What the command printed, how it ended and how long it took, and what it wrote for machines."""
    out = world.root.parent / "found.json"
    command = [sys.executable, "-m", "videmo.cli", "check", str(world.root), f"--json={out}"]
    command += [f"--checkpoint={checkpoint}", "--video.min_pixels=3136", "--video.max_pixels=3136"]
    start = time.monotonic()
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=200
    )
    done.seconds = time.monotonic() - start
    done.found = json.loads(out.read_text())
    return done


def test_the_world_holds_what_it_says(world):
    assert len(world.damaged) + len(world.broken) == 60 and len(world.malformed) == 30
    assert len(set(world.good + world.damaged + world.broken)) == len(world.good + world.damaged + world.broken)


def test_it_ends_with_a_sentence_and_neither_crashes_nor_hangs(checked):
    assert checked.returncode == 1
    assert "Traceback" not in checked.stdout + checked.stderr
    assert checked.seconds < 150


def test_every_malformed_record_is_named_once_with_its_reason(world, checked):
    found = {}
    for fault in checked.found["faults"]:
        key = str(Path(fault["file"]).relative_to(world.root)), fault["line"]
        if "video" not in fault or key in world.malformed:
            assert key not in found, f"{key} is named twice"
            found[key] = fault["reason"]
    assert found.keys() == {*world.malformed, *world.special}
    for key, reason in world.malformed.items():
        assert re.search(reason, found[key]), f"{key}: {found[key]}"
    assert all("special token" in found[key] for key in world.special)


def test_every_broken_video_is_named_once_and_no_good_one(world, checked):
    named = Counter(fault["video"] for fault in checked.found["faults"] if "video" in fault)
    assert set(named.values()) == {1}
    assert set(world.broken) <= named.keys()
    assert not set(world.good) & named.keys()
    assert named.keys() <= {*world.broken, *world.damaged, "../../secret.mp4", "/etc/hostname"}


def test_a_bad_video_is_named_at_its_first_record_with_what_it_costs(world, checked):
    for fault in checked.found["faults"]:
        if fault.get("video", "").startswith("Faces/"):
            uses = [key for key, video in world.records.items() if video == fault["video"]]
            assert fault["records"] == len(uses)
            assert (str(Path(fault["file"]).relative_to(world.root)), fault["line"]) == min(uses)


@pytest.mark.parametrize(
    ("video", "reason"),
    [
        ("empty.mp4", r"0 bytes"),
        ("page.mp4", "text, not a video"),
        ("lfs.mp4", "git lfs pull"),
        ("zip.mp4", "zip archive"),
        ("cut_mp4_0.5.mp4", "cut short"),
        ("link.mp4", "a link that leads to no file"),
        ("folder.mp4", "folder"),
        ("pipe.mp4", "pipe"),
    ],
)
def test_the_reason_says_what_the_file_is(checked, video, reason):
    said = next(fault["reason"] for fault in checked.found["faults"] if fault.get("video") == f"Faces/{video}")
    assert re.search(reason, said) and said.startswith(f"Faces/{video} ")


def test_the_manifest_covers_exactly_what_was_named(world, checked):
    quarantine = Quarantine.read(world.root / "quarantine.jsonl", world.root, world.root / "videos")
    assert len(quarantine.faults) == len(checked.found["faults"]) and not quarantine.mended
    bad = {fault["video"] for fault in checked.found["faults"] if "video" in fault}
    for (file, line), video in world.records.items():
        assert (quarantine.video_fault(video) is not None) == (video in bad)
        assert quarantine.record_fault(world.root / file, line) is None


def test_the_summary_counts_what_is_left(world, checked):
    bad = {fault["video"] for fault in checked.found["faults"] if "video" in fault}
    total = checked.found["all"]
    lines = sum(line > 0 for _, line in world.malformed)
    assert total["records"] == len(world.records) + lines + len(world.special)
    assert total["usable"] == sum(video not in bad for video in world.records.values())
    assert total["usable"] == sum(row["usable"] for row in checked.found["summary"])


def test_the_terminal_shows_twenty_faults_and_says_where_the_rest_are(world, checked):
    shown = re.findall(r"^jsons/train\S+", checked.stdout, flags=re.MULTILINE)
    assert len(shown) == 20
    assert f"and {len(checked.found['faults']) - 20:,} more in {world.root}" in checked.stdout.replace("\n", " ")
    assert max(map(len, checked.stdout.splitlines())) <= 100

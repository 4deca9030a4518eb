"""Videos are looked at and read once each, side by side, and what is known is not read again."""

import threading
import time
from pathlib import Path

import pytest

from videmo.check.folder import DataFolder
from videmo.check.memory import GoodVideos
from videmo.check.videos import Examined, examine, in_parallel
from videmo.data.decode import VideoError
from videmo.data.sampling import VideoInfo, VideoSettings


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "videos" / "A").mkdir(parents=True)
    for name in ("1", "2", "3"):
        (tmp_path / "videos" / "A" / f"{name}.mp4").write_bytes(b"x" * int(name))
    return DataFolder(tmp_path, tmp_path / "videos", {})


@pytest.fixture
def read(monkeypatch):
    """Stands for the decoders: 2.mp4 is broken. Returns what was read."""
    opened = []

    def probe(path, settings):
        opened.append(path.name)
        if path.name == "2.mp4":
            raise VideoError(f"{path} is cut short; download it again")
        return VideoInfo(16, 8.0, 64, 64)

    monkeypatch.setattr("videmo.check.videos.probe", probe)
    return opened


VIDEOS = ["A/3.mp4", "A/1.mp4", "../secret.mp4", "B/gone.mp4", "A/2.mp4"]


def examined(folder, reading="open"):
    found = Examined()
    with GoodVideos(folder.root, reading) as good:
        examine(VIDEOS, folder, reading, VideoSettings(), 2, good, found)
    return found


def test_each_video_is_outside_or_missing_or_good_or_bad(folder, read):
    found = examined(folder)
    assert (found.total, found.outside, found.missing, found.good) == (5, ["../secret.mp4"], ["B/gone.mp4"], 2)
    assert found.bad == {"A/2.mp4": "is cut short; download it again"}
    assert {video: size for video, (size, _) in found.there.items()} == {"A/3.mp4": 3, "A/1.mp4": 1, "A/2.mp4": 2}
    assert sorted(read) == ["1.mp4", "2.mp4", "3.mp4"]


def test_a_second_look_reads_only_what_was_bad_or_changed(folder, read):
    examined(folder)
    read.clear()
    (folder.video_root / "A" / "1.mp4").write_bytes(b"another")
    found = examined(folder)
    assert sorted(read) == ["1.mp4", "2.mp4"]
    assert (found.known, found.good, len(found.bad)) == (1, 1, 1)


def test_without_reading_only_files_are_looked_for(folder, read):
    found = examined(folder, reading="none")
    assert not read and found.read == 0 and len(found.there) == 3 and found.missing == ["B/gone.mp4"]


def test_frames_that_no_model_takes_are_a_fault(folder, monkeypatch):
    monkeypatch.setattr("videmo.check.videos.probe", lambda path, settings: VideoInfo(16, 8.0, 4, 4000))
    assert all("200 times" in reason for reason in examined(folder).bad.values())


def test_a_file_that_goes_while_it_is_read_is_a_fault_and_no_crash(folder, monkeypatch):
    monkeypatch.setattr("videmo.check.videos.probe", lambda path, settings: Path("nowhere").read_bytes())
    assert all("cannot be read (No such file" in reason for reason in examined(folder).bad.values())


def test_a_path_may_leave_the_root_only_as_far_as_it_is_allowed(folder):
    inside, outside = ["A/../A/1.mp4", "./A/1.mp4", "A/..1.mp4"], ["../x.mp4", "A/../../videos2/x.mp4", "/etc/x.mp4"]
    assert [folder.is_outside(video) for video in inside + outside] == [False] * 3 + [True] * 3
    trusting = DataFolder(folder.root, folder.video_root, {}, allow_outside_root=True)
    assert not any(trusting.is_outside(video) for video in outside)


def test_a_video_that_is_not_read_in_time_is_a_fault(world, tmp_path):
    folder = DataFolder(world, world / "videos", {})
    videos = [str(path.relative_to(folder.video_root)) for path in list(folder.video_root.rglob("*.mp4"))[:3]]
    found, hasty = Examined(), VideoSettings(decode_timeout=0.0005)
    examine(videos, folder, "decode", hasty, 2, GoodVideos(tmp_path, ""), found)
    assert found.bad.keys() == set(videos)
    assert all("was not read within 0.0005 seconds" in reason for reason in found.bad.values())


def test_work_is_done_side_by_side_and_each_thing_once():
    together = threading.Barrier(3, timeout=20)

    def work(number):
        if number < 3:
            together.wait()  # passes only if three are at work at once
        return number * 2

    assert sorted(in_parallel(work, range(100), 3)) == [(number, number * 2) for number in range(100)]


def test_a_slow_thing_does_not_hold_the_others_up():
    done = in_parallel(lambda seconds: time.sleep(seconds), [5, *[0.01] * 20], 2)
    start = time.monotonic()
    assert [next(done)[0] for _ in range(7)] == [0.01] * 7
    done.close()  # does not wait for the slow one
    assert time.monotonic() - start < 4


def test_an_error_in_the_work_ends_it():
    def work(number):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        list(in_parallel(work, range(1000), 2))


def test_what_waits_is_given_up_when_the_reader_stops():
    seen = []
    done = in_parallel(lambda number: seen.append(number) or time.sleep(0.01), range(1000), 2)
    next(done)
    done.close()
    time.sleep(0.2)
    assert len(seen) < 10

"""A small world on disk: complete, deterministic, safe to repeat and to interrupt."""

import hashlib
import json
from io import StringIO

import decord
import numpy as np
import pytest
from rich.console import Console

from videmo.data.records import read_records
from videmo.errors import InputError
from videmo.synth import synthesize, write
from videmo.synth.draw import draw_clip
from videmo.synth.questions import FILES
from videmo.synth.world import SPLITS, sample_world

VIDEOS, SEED = 40, 5


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    out = tmp_path_factory.mktemp("drawn") / "world"
    synthesize(out, VIDEOS, SEED, workers=1)
    return out


def texts(root):
    """Digest of every file that is not a video, by its path."""
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*.json*"))
    }


def test_all_records_parse_and_their_videos_have_16_frames(root):
    videos = set()
    for split in SPLITS:
        for task, file in FILES.items():
            records = list(read_records(root / "jsons" / file.path(split)))
            assert records and {record.source for record in records} == {file.stem}
            assert all(len(record.videos) == (2 if task == "identity" else 1) for record in records)
            videos |= {path for record in records for path in record.videos}
    assert len(videos) == VIDEOS
    for path in videos:
        reader = decord.VideoReader(str(root / "videos" / path), num_threads=1)
        assert len(reader) == 16 and reader[0].shape == (128, 128, 3) and reader.get_avg_fps() == pytest.approx(8)


def test_test_files_are_lines_and_train_files_are_lists(root):
    assert (root / "jsons" / FILES["hair"].path("test")).name == "QA_test_sampling_all_Hair.json"
    assert (root / "jsons" / FILES["emotion"].path("test")).read_text().startswith("{")
    assert isinstance(json.loads((root / "jsons" / FILES["emotion"].path("train")).read_text()), list)


def test_truth_holds_every_clip_of_its_split(root):
    counted = json.loads((root / "world.json").read_text())
    for split in SPLITS:
        clips = [json.loads(line) for line in (root / "truth" / f"{split}.jsonl").read_text().splitlines()]
        assert len(clips) == counted["splits"][split]
        assert {"path", "identity", "emotion", "aus", "pose", "sentiment", "appearance"} <= set(clips[0])


def test_two_processes_write_what_one_writes(root, tmp_path):
    synthesize(tmp_path / "again", VIDEOS, SEED, workers=2)
    assert texts(tmp_path / "again") == texts(root)
    for video in (root / "videos").rglob("*.mp4"):
        assert (tmp_path / "again" / video.relative_to(root)).read_bytes() == video.read_bytes()


def test_same_state_gives_the_same_pixels():
    first, again = (sample_world(VIDEOS, SEED).clips["train"][3] for _ in range(2))
    frames = draw_clip(first)
    assert frames.shape == (16, 128, 128, 3) and frames.dtype == np.uint8
    assert np.array_equal(frames, draw_clip(again))
    assert not np.array_equal(frames[0], frames[10])


def test_a_complete_world_is_left_alone(root):
    said, before = StringIO(), {file: file.stat().st_mtime_ns for file in root.rglob("*") if file.is_file()}
    summary = synthesize(root, VIDEOS, SEED, workers=1, console=Console(file=said, width=200))
    assert summary.drawn == 0 and sum(summary.videos.values()) == VIDEOS
    assert "already holds this world" in said.getvalue()
    assert {file: file.stat().st_mtime_ns for file in root.rglob("*") if file.is_file()} == before


def test_another_world_or_other_files_are_refused(root, tmp_path):
    with pytest.raises(InputError, match=f"seed {SEED}, not 6"):
        synthesize(root, VIDEOS, 6)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not an empty folder"):
        synthesize(tmp_path, VIDEOS, SEED)
    with pytest.raises(InputError, match="at least 40"):
        synthesize(tmp_path / "new", 10, SEED)


def test_an_interrupted_world_says_so_and_is_continued(root, tmp_path, monkeypatch):
    said, drawn = Console(file=StringIO(), width=200), []

    def interrupted(clip):
        if len(drawn) == 12:
            raise KeyboardInterrupt
        drawn.append(clip)
        return draw_clip(clip)

    monkeypatch.setattr(write, "draw_clip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        synthesize(tmp_path / "cut", VIDEOS, SEED, workers=1, console=said)
    assert "unfinished" in said.file.getvalue() and not (tmp_path / "cut" / "world.json").exists()
    with pytest.raises(InputError, match="another drawn world"):
        synthesize(tmp_path / "cut", VIDEOS + 1, SEED, workers=1)

    monkeypatch.undo()
    summary = synthesize(tmp_path / "cut", VIDEOS, SEED, workers=1, console=said)
    assert summary.drawn == VIDEOS - 12 and "12 of 40 videos" in said.file.getvalue()
    assert texts(tmp_path / "cut") == texts(root)

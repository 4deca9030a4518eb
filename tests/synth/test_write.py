"""A small world on disk: complete, deterministic, safe to repeat and to interrupt."""

import hashlib
import json
from dataclasses import replace

import decord
import numpy as np
import pytest

from videmo.data.records import read_records
from videmo.errors import InputError
from videmo.fingerprint import content_hash
from videmo.synth import PRESETS, Plan, synthesize, write
from videmo.synth.draw import draw_clip
from videmo.synth.files import FILES
from videmo.synth.presets import LOOKS
from videmo.synth.world import SPLITS, sample_world
from videmo.synth.write import world_text

PLAN = Plan(60, 5)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    out = tmp_path_factory.mktemp("drawn") / "world"
    synthesize(out, PLAN, workers=1)
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
            if not (root / "jsons" / file.path(split)).is_file():
                continue
            records = list(read_records(root / "jsons" / file.path(split)))
            assert records
            assert {record.source for record in records} <= {file.source}  # a rare kind may be in no clip of a split
            assert all(len(record.videos) == (2 if task == "identity" else 1) for record in records)
            videos |= {path for record in records for path in record.videos}
    assert len(videos) == PLAN.videos
    for path in videos:
        reader = decord.VideoReader(str(root / "videos" / path), num_threads=1)
        assert len(reader) == 16 and reader[0].shape == (128, 128, 3) and reader.get_avg_fps() == pytest.approx(8)


def test_test_files_are_lines_and_train_files_are_lists(root):
    assert (root / "jsons" / FILES["qa_hair"].path("test")).name == "QA_test_sampling_all_Hair.json"
    assert (root / "jsons" / FILES["emotion_mafw"].path("test")).read_text().startswith("{")
    assert isinstance(json.loads((root / "jsons" / FILES["emotion_mafw"].path("train")).read_text()), list)


def test_truth_holds_every_clip_of_its_split(root):
    counted = json.loads((root / "world.json").read_text())
    for split in SPLITS:
        clips = [json.loads(line) for line in (root / "truth" / f"{split}.jsonl").read_text().splitlines()]
        assert len(clips) == counted["splits"][split]
        assert {"path", "kind", "identity", "emotion", "aus", "pose", "tree"} <= set(clips[0])
        assert clips[0]["tree"]["label"] == "video"


def test_the_summary_has_the_hash_of_what_stands_on_disk(root):
    said = json.loads((root / "world.json").read_text())["content"]
    for split in SPLITS:
        assert said[split] == content_hash(root, sorted((root / "jsons" / split).rglob("*.json")))
    assert said["truth"] == content_hash(root, sorted((root / "truth").glob("*.jsonl")))


@pytest.mark.parametrize("name", PRESETS)
def test_a_frozen_world_is_what_it_was(name):
    plan = PRESETS[name]
    world = sample_world(plan.videos, plan.seed, LOOKS[plan.look])
    assert world_text(world, plan.seed).content == plan.content, "a changed world needs a new name"


def test_a_preset_that_is_not_what_it_was_is_not_drawn(tmp_path):
    with pytest.raises(InputError, match="another content"):
        synthesize(tmp_path / "w", replace(PLAN, preset="demo-v0", content={"test": "0" * 16}))


def test_two_processes_write_what_one_writes(root, tmp_path):
    synthesize(tmp_path / "again", PLAN, workers=2)
    assert texts(tmp_path / "again") == texts(root)
    for video in (root / "videos").rglob("*.mp4"):
        assert (tmp_path / "again" / video.relative_to(root)).read_bytes() == video.read_bytes()


def test_same_state_gives_the_same_pixels():
    first, again = (sample_world(PLAN.videos, PLAN.seed).clips["train"][3] for _ in range(2))
    frames = draw_clip(first)
    assert frames.shape == (16, 128, 128, 3) and frames.dtype == np.uint8
    assert np.array_equal(frames, draw_clip(again))
    assert not np.array_equal(frames[0], frames[10])


def test_a_complete_world_is_left_alone(root, capsys):
    before = {file: file.stat().st_mtime_ns for file in root.rglob("*") if file.is_file()}
    summary = synthesize(root, PLAN, workers=1)
    assert summary.drawn == 0 and sum(summary.videos.values()) == PLAN.videos
    assert "already holds this world" in capsys.readouterr().err
    assert {file: file.stat().st_mtime_ns for file in root.rglob("*") if file.is_file()} == before


def test_another_world_or_other_files_are_refused(root, tmp_path):
    with pytest.raises(InputError, match="seed 5, not 6; look clear, not hard"):
        synthesize(root, Plan(60, 6, "hard"))
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not an empty folder"):
        synthesize(tmp_path, PLAN)
    with pytest.raises(InputError, match="at least 60"):
        synthesize(tmp_path / "new", Plan(10))


def test_an_interrupted_world_says_so_and_is_continued(root, tmp_path, monkeypatch, capsys):
    drawn = []

    def interrupted(clip):
        if len(drawn) == 12:
            raise KeyboardInterrupt
        drawn.append(clip)
        return draw_clip(clip)

    monkeypatch.setattr(write, "draw_clip", interrupted)
    with pytest.raises(KeyboardInterrupt) as ending:
        synthesize(tmp_path / "cut", PLAN, workers=1)
    assert "unfinished" in ending.value.__notes__[0] and not (tmp_path / "cut" / "world.json").exists()
    with pytest.raises(InputError, match="another drawn world"):
        synthesize(tmp_path / "cut", Plan(61, 5), workers=1)

    monkeypatch.undo()
    summary = synthesize(tmp_path / "cut", PLAN, workers=1)
    assert summary.drawn == PLAN.videos - 12 and "12 of 60 videos" in capsys.readouterr().err
    assert texts(tmp_path / "cut") == texts(root)

"""The doctor passes where nothing is wrong, and fails in the row of what is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import videmo.token_tree
from videmo.cli import main
from videmo.data.sampling import VideoSettings
from videmo.doctor import inputs, machine, ours, parity
from videmo.doctor.command import _drawn_clip
from videmo.errors import InputError
from videmo.export.folder import write_files
from videmo.models.backbone import Backbone

ROOT = Path(__file__).resolve().parent.parent
SMALL = VideoSettings(max_frames=4, min_pixels=84 * 84, max_pixels=84 * 84)
QUESTION = "What emotion does the person show?"
NEED_TORCHVISION = {"sampling", "video processor"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return Path(_drawn_clip(tmp_path_factory.mktemp("clip")))


@pytest.fixture
def model(checkpoint, tmp_path) -> Path:
    """A folder as an export writes it."""
    folder = Path(shutil.copytree(checkpoint, tmp_path / "model"))
    write_files(folder, checkpoint, SMALL, {})
    return folder


def status(model, *clips) -> dict[str, str]:
    rows = parity.compare(str(model), list(clips), QUESTION, 6)
    for row in rows:
        assert row.compared or row.remedy
        assert row.status == "pass" or row.remedy, f"{row.name} says nothing of what to do"
    return {row.name: row.status for row in rows}


def failures(model, *clips) -> set[str]:
    return {name for name, found in status(model, *clips).items() if found == "FAIL"}


def test_a_tiny_model_passes_as_a_process(model):
    command = [sys.executable, "-m", "videmo.cli", "doctor", f"--ckpt={model}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout
    for row in ("settings", "size", "patches", "tokens", "positions", "logits", "answer"):
        assert any(line.startswith(row) and " pass " in line for line in done.stdout.splitlines()), row
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


def test_rows_pass_or_say_that_they_were_not_run(model, clip):
    found = status(model, clip, clip)
    assert {name for name, result in found.items() if result != "pass"} <= NEED_TORCHVISION
    assert set(found) > NEED_TORCHVISION


def test_one_position_that_is_spoiled_fails_the_positions(model, clip, monkeypatch):
    right = videmo.token_tree.segment_positions

    def spoiled(*args, **kwargs):
        positions, extent = right(*args, **kwargs)
        positions = positions.clone()
        positions[1, -1] += 1
        return positions, extent

    monkeypatch.setattr(videmo.token_tree, "segment_positions", spoiled)
    assert failures(model, clip) - {"answer"} == {"positions"}
    assert main(["doctor", "--ckpt", str(model), "--video", str(clip), str(clip)]) == 1


@pytest.mark.parametrize(("name", "value"), [("max_pixels", 50176), ("fps", 1.0), ("image_mean", [0.5, 0.5, 0.5])])
def test_a_setting_that_is_changed_in_the_folder_fails_the_settings(name, value, model, clip):
    file = model / "video_preprocessor_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), name: value}))
    assert failures(model, clip) == {"settings"}


def test_pixels_normalised_otherwise_fail_the_patches(model, clip, monkeypatch):
    monkeypatch.setattr("videmo.pixels.CHANNEL_MEAN", (0.5, 0.4578275, 0.40821073))
    assert failures(model, clip) - NEED_TORCHVISION == {"patches"}


def test_patches_in_another_order_fail_the_patches(model, clip, monkeypatch):
    right = ours.load_video

    def spoiled(*args):
        video = right(*args)
        return videmo.data.video.Video(video.pixel_values.roll(1, 0), video.grid_thw, video.second_per_grid)

    monkeypatch.setattr(ours, "load_video", spoiled)
    assert failures(model, clip) - NEED_TORCHVISION == {"patches"}


def test_another_size_fails_the_size(model, clip, monkeypatch):
    monkeypatch.setattr(inputs, "smart_resize", lambda *args: (56, 112))
    assert failures(model, clip) == {"size"}


def test_tokens_that_differ_fail_the_tokens_and_stop_there(model, clip, monkeypatch):
    right = ours._record
    monkeypatch.setattr(ours, "_record", lambda question, file: right(f" {question}", file))
    found = status(model, clip)
    assert found["tokens"] == "FAIL"
    assert found["positions"] == found["logits"] == found["answer"] == "not run"


def test_a_model_that_computes_otherwise_fails_the_logits(model, clip, monkeypatch):
    right = Backbone.load

    def spoiled(*args, **kwargs):
        backbone = right(*args, **kwargs)
        with torch.no_grad():
            backbone.model.model.visual.merger.mlp[2].bias += 0.1
        return backbone

    monkeypatch.setattr(Backbone, "load", spoiled)
    assert failures(model, clip) - {"answer"} == {"logits"}


def test_an_old_transformers_is_said_to_truncate(model, clip, monkeypatch):
    monkeypatch.setattr("transformers.__version__", "5.17.0")
    (row,) = (row for row in parity.compare(str(model), [clip], QUESTION, 2) if row.name == "positions")
    assert "transformers 5.17.0, which truncates second_per_grid (here 1) to an integer" in row.compared


def test_what_is_no_model_is_refused(tmp_path, capsys):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    (tmp_path / "a.ckpt").write_text("")
    for given, says in {"adapter": "with --merge", "a.ckpt": "videmo export --ckpt", "none": "no model"}.items():
        assert main(["doctor", f"--ckpt={tmp_path / given}"]) == 1
        assert says in capsys.readouterr().err


def test_a_video_that_cannot_be_read_is_named(model, tmp_path):
    with pytest.raises(InputError, match=r"none\.mp4 does not exist"):
        status(model, tmp_path / "none.mp4")


def test_the_machine_is_told_within_100_columns(capsys):
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    for name in ("Python", "torch", "GPU", "bitsandbytes", "FlashAttention", "decord", "PyAV", "FFmpeg", "cores"):
        assert any(line.startswith(name) for line in printed.splitlines()), name
    assert all(len(line) <= 100 for line in printed.splitlines())


def test_what_is_missing_or_out_of_range_is_said_with_its_cost(monkeypatch):
    found = machine.find_spec
    monkeypatch.setattr(machine, "find_spec", lambda name: None if name == "bitsandbytes" else found(name))
    versions = machine.metadata.version
    monkeypatch.setattr(machine.metadata, "version", lambda name: "4.0" if name == "transformers" else versions(name))
    monkeypatch.setattr(
        machine.metadata, "requires", lambda name: ["transformers>=5.18", "torch>=2.6", "x>1; extra=='y'"]
    )
    parts = {part.name: part for part in machine.examine_machine(ROOT)}
    assert parts["bitsandbytes"].lacks and "no QLoRA" in parts["bitsandbytes"].note
    assert parts["packages"].found == "1 of 2 in their ranges" and "transformers 4.0 (>=5.18)" in parts["packages"].note

"""The doctor passes where nothing is wrong, and fails in the row of what is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import videmo.token_tree
from videmo.cli import main
from videmo.data.sampling import VideoSettings
from videmo.doctor import inputs, machine, ours, parity, plain
from videmo.doctor.command import _drawn_clip
from videmo.errors import InputError
from videmo.export.folder import write_files
from videmo.models.backbone import Backbone
from videmo.pretrained import load_config

ROOT = Path(__file__).resolve().parent.parent
SMALL = VideoSettings(max_frames=4, min_pixels=84 * 84, max_pixels=84 * 84)
QUESTION = "What emotion does the person show?"
WEIGHT = "model.layers.0.self_attn.q_proj.weight"
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


@pytest.fixture
def videmo_with_broken(tmp_path):
    """A function that runs `videmo`, once or several times in one process, where a package does not load."""

    def run(package: str, error: str, *commands: list[str]) -> tuple[int, list[str], str]:
        folder = tmp_path / "path" / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(f"raise {error}")
        metadata = folder.with_name(f"{package}-0.21.0.dist-info")
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.21.0\n")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder.parent), str(ROOT)])}
        process = [sys.executable, "-c", COMMANDS, json.dumps(commands)]
        done = subprocess.run(process, env=environment, capture_output=True, text=True, timeout=250)
        return done.returncode, done.stdout.split("\f"), done.stderr

    return run


COMMANDS = r"""
import json, runpy, sys
for place, sys.argv[1:] in enumerate(json.loads(sys.argv[1])):
    print(end="\f" if place else "", flush=True)
    try:
        runpy.run_module("videmo", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            raise
"""


def test_a_torchvision_that_does_not_load_costs_its_rows_and_no_more(model, clip, videmo_with_broken):
    """As one for another torch, which torchmetrics and transformers would load."""
    error = "RuntimeError('operator torchvision::nms does not exist')"
    commands = ["doctor"], ["doctor", f"--ckpt={model}", f"--video={clip}"]
    code, printed, errors = videmo_with_broken("torchvision", error, *commands)
    assert code == 0, errors
    says = "torchvision 0.21.0, does not load", "not run: sampling, video processor"
    for text, expected in zip(printed, says, strict=True):
        text = " ".join(text.split())
        assert expected in text and "operator torchvision::nms" in text


def test_a_command_without_models_does_not_load_torchvision(videmo_with_broken):
    assert videmo_with_broken("torchvision", "SystemExit('loaded')", ["--help"])[0] == 0


def test_a_needed_package_that_does_not_load_is_named_in_a_sentence(videmo_with_broken):
    code, printed, errors = videmo_with_broken("av", "OSError('libavcodec.so.61: cannot open')", ["doctor"])
    assert code == 1 and printed == [""]
    assert errors.startswith("videmo: av does not load (OSError: libavcodec.so.61: cannot open); `pip install ")
    assert len(errors.splitlines()) == 1


def test_a_decord_that_does_not_load_is_said_and_blames_no_video(model, clip, videmo_with_broken):
    error = "OSError('libavformat.so.58: cannot open')"
    commands = ["doctor"], ["doctor", f"--ckpt={model}", f"--video={clip}"]
    code, printed, errors = videmo_with_broken("decord", error, *commands)
    assert code == 0, printed[-1] + errors
    assert "does not load (libavformat.so.58: cannot open)" in " ".join(printed[0].split())


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


def edit(file: str, *path: str, value):
    """What sets a value in a JSON file of a folder."""

    def spoil(folder: Path) -> None:
        content = part = json.loads((folder / file).read_text())
        for name in path[:-1]:
            part = part[name]
        part[path[-1]] = value
        (folder / file).write_text(json.dumps(content))

    return spoil


def edit_weights(change):
    def spoil(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    return spoil


def replace(file: str, old: str, new: str):
    def spoil(folder: Path) -> None:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new))

    return spoil


def one_token_for_both(folder: Path) -> None:
    edit("config.json", "image_token_id", value=load_config(str(folder)).video_token_id)(folder)


SPOILED = {
    "vision patches of 16": (edit("config.json", "vision_config", "patch_size", value=16), "settings weights"),
    "no merging": (edit("config.json", "vision_config", "spatial_merge_size", value=1), "settings tokens weights"),
    "mrope": (edit("config.json", "text_config", "rope_parameters", "mrope_section", value=[4, 6, 4]), "logits"),
    "video token": (edit("config.json", "video_token_id", value=5), "tokens"),
    "one token for both": (one_token_for_both, "tokens"),
    "image patches of 16": (edit("preprocessor_config.json", "patch_size", value=16), "settings patches"),
    "our patches of 16": (edit("videmo.json", "video", "patch_size", value=16), "settings patches logits"),
    "renamed token": (replace("tokenizer.json", "<|vision_start|>", "<|vizion_start|>"), "tokens"),
    "template": (replace("chat_template.jinja", "{% endif %}", ""), "tokens"),
    "no template": (lambda folder: (folder / "chat_template.jinja").unlink(), "tokens"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "tokens"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "weights"),
    "cut short": (lambda folder: os.truncate(folder / "model.safetensors", 200_000), "weights"),
    "pointer": (lambda folder: (folder / "model.safetensors").write_text("version https://git-lfs"), "weights"),
    "shape": (edit_weights(lambda weights: weights.update({WEIGHT: weights[WEIGHT][:32].clone()})), "weights"),
    "one weight less": (edit_weights(lambda weights: weights.pop(WEIGHT)), "weights"),
    "one weight more": (edit_weights(lambda weights: weights.update({"more.weight": torch.ones(1)})), "weights"),
    "no video settings": (lambda folder: (folder / "video_preprocessor_config.json").unlink(), "settings"),
    "other settings first": (
        lambda folder: (folder / "processor_config.json").write_text('{"video_processor": {"fps": 1.0}}'),
        "settings",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_folder_fails_its_row_and_hides_no_other(name, model, clip):
    spoil, rows = SPOILED[name]
    spoil(model)
    found = status(model, clip)
    assert list(found) == list(parity.NAMES)
    assert {row for row, result in found.items() if result == "FAIL"} - NEED_TORCHVISION == set(rows.split())


def test_the_advice_leaves_torch_alone(model, clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "qwen_vl_utils", None)
    (row,) = (row for row in parity.compare(str(model), [clip], QUESTION, 2) if row.name == "sampling")
    assert row.status == "not run" and "pip install --constraint constraints.txt" in row.remedy
    assert f"a torchvision for torch {torch.__version__}" in row.remedy


def test_what_transformers_takes_without_our_settings_is_named(model, clip):
    (model / "video_preprocessor_config.json").unlink()
    row = parity.compare(str(model), [clip], QUESTION, 2)[0]
    assert "max_frames 768 (ours 4)" in row.remedy and "max_pixels 12845056 (ours 7408)" in row.remedy
    (model / "videmo.json").unlink()  # a folder that training starts from need not say
    (model / "preprocessor_config.json").unlink()
    assert parity.compare(str(model), [clip], QUESTION, 2)[0].status == "pass"


def test_the_defaults_are_those_of_transformers():
    video_processor, reason = plain.video_processor()
    if video_processor is None:
        pytest.skip(reason)
    own = video_processor()
    size = {"min_pixels": own.size["shortest_edge"], "max_pixels": own.size["longest_edge"]}
    assert {"fps": own.fps, "max_frames": own.max_frames, **size} == plain.VIDEO_DEFAULTS


def test_what_names_no_folder_or_length_is_one_sentence(model, clip, capsys):
    edit("videmo.json", "video", "colour", value="red")(model)
    for arguments, says in (([], "videmo.json holds no video settings"), (["--max_new_tokens=0"], "must be above 0")):
        assert main(["doctor", f"--ckpt={model}", "--video", str(clip), *arguments]) == 1
        assert says in capsys.readouterr().err


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

"""Where a run's videos, truth and weights are found."""

import json

import torch
from safetensors.torch import save_file

from videmo.report.provenance import find_folder, read_provenance


def test_a_path_is_tried_as_given_then_from_the_run_folder_and_above(tmp_path, monkeypatch):
    run = tmp_path / "project" / "runs" / "demo"
    data = tmp_path / "project" / "runs" / "demo" / "data"
    data.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)  # where the tests run a demo may lie
    assert find_folder("runs/demo/data", run) == data
    assert find_folder("data", run) == data
    assert find_folder(str(data), run) == data
    assert find_folder("elsewhere", run) is None
    monkeypatch.chdir(tmp_path / "project")
    assert find_folder("runs/demo/data", tmp_path).resolve() == data


def test_truth_is_read_up_to_where_it_breaks_off(whole_run):
    folder = whole_run / "data" / "truth"
    folder.mkdir()
    (folder / "test.jsonl").write_text(json.dumps({"path": "a.mp4", "emotion": "Sad"}) + '\n{"path": "b')
    found = read_provenance(whole_run)
    assert list(found.truth) == ["a.mp4"]
    assert found.problems == ("truth/test.jsonl breaks off: the latent states of 1 clips are used.",)


def test_parameters_are_counted_from_the_headers(whole_run):
    folder = whole_run / "tiny"
    folder.mkdir()
    save_file({"a": torch.zeros(3, 4), "b": torch.zeros(5)}, folder / "model.safetensors", metadata={"format": "pt"})
    config = whole_run / "config.yaml"
    config.write_text(config.read_text() + f"model:\n  init_args:\n    checkpoint: {whole_run.name}/tiny\n")
    assert read_provenance(whole_run).num_parameters == 17
    (folder / "model.safetensors").write_bytes(b"no header")
    assert read_provenance(whole_run).num_parameters is None

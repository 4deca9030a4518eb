"""Temporary folders of processes that live, and of those that were killed."""

import subprocess
import sys
import tempfile

import pytest
import torch
from safetensors.torch import save_file

from videmo.aside import temporary, written_aside

HOLD = """
import sys
from videmo.aside import temporary
with temporary("videmo-test-") as folder:
    (folder / "clip.mp4").write_text("somebody's")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where temporary folders are made, here and in other processes."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(place):
    killed, living = (
        subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    )
    left, held = killed.stdout.readline().strip(), living.stdout.readline().strip()
    (place / "videmo-testament").mkdir()
    killed.kill()
    killed.wait()
    with temporary("videmo-test-") as own:
        assert {str(path) for path in place.iterdir()} == {held, str(own), str(place / "videmo-testament")}
        assert str(own) != left
    living.communicate("")
    assert [*place.iterdir()] == [place / "videmo-testament"]


def test_weights_may_be_read_by_whoever_may_read_the_files_beside_them(tmp_path):
    with written_aside(tmp_path / "out", "test", lambda out: None) as new:
        save_file({"weight": torch.zeros(2)}, new / "model.safetensors")
        (new / "config.json").touch()
    modes = {file.name: file.stat().st_mode for file in (tmp_path / "out").iterdir()}
    assert modes["model.safetensors"] == modes["config.json"]

"""A checkpoint whose base is no longer where it was trained from."""

import pytest

from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.export.checkpoint import TrainedWeights
from videmo.reason import model
from videmo.reasoning import SearchSettings


def test_a_base_that_has_moved_is_said_with_the_option_that_names_it(tmp_path, monkeypatch):
    ckpt = tmp_path / "last.ckpt"
    ckpt.write_bytes(b"")
    trained = TrainedWeights(ckpt, {"checkpoint": "runs/gone/tiny"}, VideoSettings(), {}, 1, "")
    monkeypatch.setattr(model, "read_checkpoint", lambda path: trained)
    with pytest.raises(InputError, match=r"was trained from runs/gone/tiny.* with --base"):
        model.load_reasoner(str(ckpt), SearchSettings())

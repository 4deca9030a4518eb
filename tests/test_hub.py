"""A model is looked for once: here, among the downloads, on the hub."""

import os
import shutil
import subprocess
import sys
import time

import pytest
import transformers.utils.hub

from videmo.errors import InputError
from videmo.hub import find_model


class Silent:
    """A session without a network."""

    def __init__(self):
        self.asked = 0

    def head(self, url, **options):
        self.asked += 1
        raise transformers.utils.hub.httpx.ConnectError("no route")


def test_a_hub_that_does_not_answer_is_asked_once_and_not_waited_for(monkeypatch):
    session = Silent()
    monkeypatch.setattr(transformers.utils.hub, "get_session", lambda: session)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("it waits"))
    says = "no model at me/mine: .*no hub that can be reached from here gives it; name a folder"
    with pytest.raises(InputError, match=says):
        find_model("me/mine")
    assert session.asked == 1


def test_a_downloaded_model_is_found_without_a_network(checkpoint, tmp_path):
    model = tmp_path / "models--me--mine"
    shutil.copytree(checkpoint, model / "snapshots" / "0123")
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("0123")
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}  # read when they are imported
    look = "from videmo.hub import find_model; find_model('me/mine')"
    assert subprocess.run([sys.executable, "-c", look], env=environment).returncode == 0

"""A judge that is patient in milliseconds."""

import pytest
from judge_server import KEY

from videmo.judge import Judge, JudgeSettings


@pytest.fixture
def make_judge(tmp_path, monkeypatch):
    """A function that returns a judge at a server, with a cache of the test's own."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def make(server, **settings) -> Judge:
        patient = {"timeout": 2.0, "backoff": 0.002, "max_retries": 3, "cache": str(tmp_path / "judge.sqlite")}
        return Judge(JudgeSettings(getattr(server, "url", server), "judge-1", **patient | settings))

    return make

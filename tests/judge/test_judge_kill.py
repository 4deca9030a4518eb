"""Facts about a judge that is ended: what came back is kept, and the next run asks only the rest."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from judge_server import GOOD, JudgeServer, sample

QUESTIONS = 120
CODE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
from judge_server import sample
from videmo.judge import Judge, JudgeSettings
judge = Judge(JudgeSettings(sys.argv[1], "judge-1", cache=sys.argv[2], concurrency=4))
judge.ask([sample(number) for number in range({QUESTIONS})])
"""


def slowly(handler, request):
    time.sleep(0.01)
    GOOD(handler, request)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_after_a_kill_only_what_is_missing_is_asked(make_judge, how, heard_interrupts):
    with JudgeServer(otherwise=slowly) as server:
        judge = make_judge(server)
        command = [sys.executable, "-c", CODE, server.url, judge.settings.cache]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while len(server.requests) < QUESTIONS / 2:
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(how)
        error = process.communicate()[1]
        assert process.returncode != 0
        if how == signal.SIGINT:
            assert "the judge was interrupted" in error and "the same command goes on from there" in error
        first = server.asked()
        assert [verdict.value for verdict in judge.ask([sample(n) for n in range(QUESTIONS)])] == [85] * QUESTIONS
        asked = server.asked()
    assert set(asked) == set(range(QUESTIONS)) and max(first.values()) == 1 and len(first) < QUESTIONS
    # Twice only what was under way, or had come back and was not yet written: no more than the workers.
    assert sum(count - 1 for count in asked.values()) <= 4

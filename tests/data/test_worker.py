"""What a loader's worker does by itself: it keeps freed memory, and does not outlive the process that it works for."""

import os
import signal
import subprocess
import sys
import time

import pytest


@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="needs sigtimedwait")
def test_a_worker_ends_with_a_parent_that_is_killed_though_it_hears_no_signal_of_others():
    parent = """
import os, time
from videmo.data.worker import set_up_worker

if (worker := os.fork()) == 0:
    set_up_worker(0)
    print(os.getpid(), flush=True)
time.sleep(120)
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as running:
        worker = int(running.stdout.readline())
        os.kill(worker, signal.SIGTERM)
        time.sleep(0.5)
        os.kill(worker, 0)  # it is there
        running.kill()
        running.stdout.close()
    deadline = time.monotonic() + 20
    while _lives(worker):
        assert time.monotonic() < deadline, "the worker is still there"
        time.sleep(0.1)


def _lives(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as stream:
            return stream.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_keeps_the_memory_that_clips_free():
    clips = """
import resource, torch
from videmo.data.worker import keep_freed_memory

def faults_a_clip() -> float:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        frames = [torch.zeros(size, dtype=torch.uint8) for size in 5 * [5_000_000]]
        del frames
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 20

keep_freed_memory()
faults_a_clip()
print(faults_a_clip())
"""
    done = subprocess.run([sys.executable, "-c", clips], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 100  # of the 6000 pages that they have

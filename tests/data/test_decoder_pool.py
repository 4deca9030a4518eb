"""Decoder processes that hang, crash, are inherited by a fork, or lose their parent."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from clips import encode, numbers_of

import videmo.data.decode as decode
from videmo.data.decode import VideoError, read_frames, reads
from videmo.data.decoder_pool import DecoderPool, decoder_pool
from videmo.data.sampling import VideoSettings

ALL = VideoSettings(fps=1e6, max_frames=10_000, decode_timeout=30)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return encode(tmp_path_factory.mktemp("pool") / "clip.mp4", num_frames=20)


@pytest.fixture
def pool(monkeypatch):
    """A pool of its own, so that a test knows its processes."""
    pool = DecoderPool(ALL.backends)
    monkeypatch.setattr(decode, "decoder_pool", lambda backends: pool)
    yield pool
    pool.close()


def pids(pool):
    return [decoder._process.pid for decoder in pool._idle]


def is_gone(pid):
    """No process, or one that has ended and waits to be counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_signal_to_all_processes_ends_no_decoder_that_starts(pool, clip, monkeypatch):
    start = subprocess.Popen

    def interrupted(*args, **options):
        process = start(*args, **options)
        for number in (signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
        return process

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    assert numbers_of(read_frames(clip, ALL)[0]) == list(range(20))
    assert len(pids(pool)) == 1


def test_one_process_serves_clip_after_clip(pool, clip):
    for _ in range(3):
        assert numbers_of(read_frames(clip, ALL)[0]) == list(range(20))
    assert len(pids(pool)) == 1


def test_a_decoder_that_hangs_is_killed_in_time_and_replaced(pool, clip):
    read_frames(clip, ALL)
    (hung,) = pids(pool)
    os.kill(hung, signal.SIGSTOP)
    before = reads.copy()
    start = time.monotonic()
    with pytest.raises(VideoError, match=r"clip.mp4 was not read within 0.5 seconds, and its decoder was stopped"):
        read_frames(clip, VideoSettings(decode_timeout=0.5))
    assert time.monotonic() - start < 5
    assert is_gone(hung)
    assert reads - before == {"hung_decoders": 1}
    assert numbers_of(read_frames(clip, ALL)[0]) == list(range(20))


def test_a_decoder_killed_by_others_costs_no_clip(pool, clip):
    read_frames(clip, ALL)
    os.kill(pids(pool)[0], signal.SIGKILL)
    assert numbers_of(read_frames(clip, ALL)[0]) == list(range(20))


def test_a_file_that_crashes_its_decoder_twice_is_named(pool, clip):
    def crash(decoder):
        os.kill(decoder._process.pid, signal.SIGSEGV)
        return decoder.receive()

    with pytest.raises(VideoError, match=r"clip.mp4 crashed its decoder twice \(signal 11\).*download it again"):
        decode._decoded(clip, crash, ALL)
    assert pids(pool) == []
    assert numbers_of(read_frames(clip, ALL)[0]) == list(range(20))


def test_an_unforeseen_error_arrives_with_its_type_and_trace(pool, clip):
    def ask_nonsense(decoder):
        decoder.send(("read", 3, "no settings"))
        return decoder.receive()

    with pytest.raises(TypeError) as raised:
        decode._decoded(clip, ask_nonsense, ALL)
    assert "In the decoder process" in raised.value.__notes__[0]
    assert "decoder.py" in raised.value.__notes__[0]


def test_threads_decode_side_by_side_and_ended_threads_take_no_decoder_along(pool, clip):
    with ThreadPoolExecutor(4) as threads:
        for frames, _ in threads.map(lambda _: read_frames(clip, ALL), range(12)):
            assert numbers_of(frames) == list(range(20))
    left = pids(pool)
    assert 1 <= len(left) <= 4
    thread = threading.Thread(target=read_frames, args=(clip, ALL))
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert not any(is_gone(pid) for pid in left)


def test_a_fork_has_a_pool_of_its_own(clip):
    read_frames(clip, ALL)
    inherited = decoder_pool(ALL.backends)
    pid = os.fork()
    if not pid:
        try:
            own = decoder_pool(ALL.backends)
            right = own is not inherited and numbers_of(read_frames(clip, ALL)[0]) == list(range(20))
            own.close()
            inherited.close()  # is not its to close
        finally:
            os._exit(0 if right else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert not any(is_gone(pid) for pid in pids(inherited))


def test_a_small_clip_after_a_large_one_gives_its_memory_back(pool, clip, tmp_path):
    large = encode(tmp_path / "large.mp4", num_frames=40, size=(720, 1280), options={"preset": "ultrafast"})
    assert len(read_frames(large, ALL)[0]) == 40
    (decoder,) = pool._idle
    assert os.fstat(decoder._pixels.fd).st_size == 40 * 720 * 1280 * 3
    for _ in range(2):
        frames, _ = read_frames(clip, ALL)
        assert numbers_of(frames) == list(range(20))
    assert os.fstat(decoder._pixels.fd).st_size == frames.nbytes


def test_frames_stay_what_they_are_when_the_next_clip_is_read(pool, clip, tmp_path):
    first, _ = read_frames(clip, ALL)
    copy = first.copy()
    read_frames(encode(tmp_path / "other.mp4", num_frames=20, rotation=180), ALL)
    assert np.array_equal(first, copy)


PARENT = """
import sys, time
from videmo.data.decode import read_frames
from videmo.data.decoder_pool import decoder_pool
from videmo.data.sampling import VideoSettings
settings = VideoSettings()
read_frames(sys.argv[1], settings)
(decoder,) = decoder_pool(settings.backends)._idle
print(decoder._process.pid, flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize("stopped", [False, True])
def test_no_decoder_outlives_its_killed_parent(clip, stopped):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, clip, "60"], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    pid = int(parent.stdout.readline())
    if stopped:  # as inside a decoder that hangs: it will not see the end of its input
        if sys.platform != "linux":
            pytest.skip("only Linux kills it then")
        os.kill(pid, signal.SIGSTOP)
    parent.kill()
    parent.wait()
    wait_until(lambda: is_gone(pid))


def test_a_decoder_ends_with_its_parent_and_its_shell_says_nothing(clip):
    parent = subprocess.run([sys.executable, "-c", PARENT, clip, "0"], capture_output=True, cwd=ROOT, text=True)
    assert parent.returncode == 0 and parent.stderr == ""
    wait_until(lambda: is_gone(int(parent.stdout)))


def test_an_interrupt_at_the_keyboard_is_the_parents_to_answer(pool, clip):
    read_frames(clip, ALL)
    before = pids(pool)
    os.kill(before[0], signal.SIGINT)
    time.sleep(0.1)
    read_frames(clip, ALL)
    assert pids(pool) == before


def test_the_decoder_starts_without_torch():
    code = "import sys, videmo.data.decoder; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, text=True).stdout == "False\n"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_clips_that_the_second_backend_reads_leave_no_memory_behind(pool, tmp_path):
    options = {"g": "12", "preset": "ultrafast"}
    clip = encode(tmp_path / "keyframes.mp4", num_frames=40, size=(480, 640), options=options)
    held = []
    for _ in range(12):
        read_frames(clip, VideoSettings())
        rollup = Path(f"/proc/{pids(pool)[0]}/smaps_rollup").read_text()
        held.append(int(rollup.split("Private_Dirty:")[1].split()[0]))  # kB
    assert held[-1] - held[3] < 4_000

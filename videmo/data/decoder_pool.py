"""Decoder processes, lent to one thread at a time; one that hangs or crashes is killed and replaced at the next use.

Each process that decodes (the trainer, each DataLoader worker) has its own, started when it first reads a video.
DataLoader workers are daemonic and may have no multiprocessing children, so these are plain subprocesses. They end with
their parent however it ends: at the end of their standard input, and on Linux by a signal, even inside a decoder.
"""

import atexit
import os
import pickle
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import videmo
from videmo.data.decoder_messages import LENGTH_BYTES, send
from videmo.data.shared_pixels import SharedPixels, memory_file

T = TypeVar("T")
_PART_BYTES = 2**16
START_SECONDS = 120  # importing the backends, on a busy machine
_PACKAGE_FOLDER = Path(videmo.__file__).parents[1]


class HungError(Exception):
    """The decoder did not answer in time and was killed."""


class CrashedError(Exception):
    """The decoder ended without an answer; the message says how."""


class DecoderProcess:
    """One ``decoder.py`` in a process of its own.

    Args:
        backends: What it decodes with, in the order of trying.
    """

    def __init__(self, backends: tuple[str, ...]) -> None:
        self._pixels = SharedPixels(memory_file(), writes=False)
        # It ignores them once it runs; until then, while it imports, they would end it with a trace.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "videmo.data.decoder", str(self._pixels.fd), str(os.getpid()), *backends],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[self._pixels.fd],
                cwd=_PACKAGE_FOLDER,  # where -m finds the package that runs here
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        assert self._process.stdin and self._process.stdout
        self._pipes = self._process.stdin, self._process.stdout
        self._answers = self._process.stdout.fileno()
        self._poll = select.poll()
        self._poll.register(self._answers, select.POLLIN)
        self.deadline = time.monotonic() + START_SECONDS
        try:
            self.receive()
        except BaseException:
            self.kill()
            raise

    def send(self, message: Any) -> None:
        """
        Raises:
            CrashedError: If the process is no more.
        """
        try:
            send(self._pipes[0], message)
        except BrokenPipeError:
            raise CrashedError(self._how_it_ended()) from None

    def receive(self) -> Any:
        """The next answer.

        Raises:
            HungError: If there is none by the deadline.
            CrashedError: If the process ended.
            Exception: What went wrong in the process unforeseen, with its trace.
        """
        content = self._part()
        length = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES], "little")
        while len(content) < length:  # a part holds a length at least: it was written at once
            content += self._part()
        answer = pickle.loads(content[LENGTH_BYTES:])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def frames(self, shape: tuple[int, ...]) -> np.ndarray:
        """A copy of the pixels that the process has left in the shared file."""
        return self._pixels.view(shape).copy()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in self._pipes:
            with suppress(BrokenPipeError):  # half a request was left in it
                stream.close()
        os.close(self._pixels.fd)

    def _part(self) -> bytes:
        left = self.deadline - time.monotonic()
        if not self._poll.poll(max(0.0, left * 1000)):
            raise HungError
        part = os.read(self._answers, _PART_BYTES)
        if not part:
            raise CrashedError(self._how_it_ended())
        return part

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"


class DecoderPool:
    """The decoder processes of this process.

    Args:
        backends: What they decode with, in the order of trying.
    """

    def __init__(self, backends: tuple[str, ...]) -> None:
        self.backends = backends
        self._idle: list[DecoderProcess] = []  # its append and pop are atomic
        # Linux takes the end of the thread that started a process for the end of the parent: so this one starts all.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="videmo-decoder-starter")
        self._owner = os.getpid()

    def run(self, job: Callable[[DecoderProcess], T], seconds: float) -> T:
        """Do a job with an idle decoder, or with a new one.

        A decoder that ends on its own gets a second chance in a fresh process: the system may have killed it for
        memory, and the file is blamed if that happens twice only.

        Args:
            job: Sends and receives; what it raises ends the decoder, since nobody knows what it will say next.
            seconds: Time for it.

        Raises:
            HungError: If it takes longer.
            CrashedError: If the decoder ends twice.
        """
        try:
            return self._run(job, seconds)
        except CrashedError:
            return self._run(job, seconds)

    def _run(self, job: Callable[[DecoderProcess], T], seconds: float) -> T:
        try:
            decoder = self._idle.pop()
        except IndexError:
            decoder = self._starter.submit(DecoderProcess, self.backends).result()
        decoder.deadline = time.monotonic() + seconds
        try:
            result = job(decoder)
        except BaseException:
            decoder.kill()
            raise
        self._idle.append(decoder)
        return result

    def close(self) -> None:
        """End all idle decoders."""
        if os.getpid() == self._owner:  # a fork inherits the object, and not the processes
            while self._idle:
                self._idle.pop().kill()


_pools: dict[tuple[int, tuple[str, ...]], DecoderPool] = {}


def decoder_pool(backends: tuple[str, ...]) -> DecoderPool:
    """This process's pool; one that was inherited by a fork stays its parent's."""
    key = (os.getpid(), backends)
    if key not in _pools:
        pool = DecoderPool(backends)
        if _pools.setdefault(key, pool) is pool:
            atexit.register(pool.close)
    return _pools[key]

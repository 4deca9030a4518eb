"""What a process that works for another does at its start: whom it hears signals from, and what it does with freed
memory.
"""

import ctypes
import os
import signal
import sys
from threading import Thread
from typing import BinaryIO

LOOK_SECONDS = 2
_PR_SET_PDEATHSIG = 1  # of prctl.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h


def answers_to_parent(*signals: signal.Signals) -> BinaryIO:
    """The standard output, kept for answers: what a library prints goes to the standard error.

    Args:
        *signals: That reach all processes of a terminal or job, and are the parent's to answer. On Linux the process is
            killed when its parent ends, even inside a library.
    """
    for number in signals:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def set_up_worker(worker: int) -> None:
    """The loader's ``worker_init_fn``."""
    _leave_signals_to_parent()
    keep_freed_memory()


def keep_freed_memory() -> None:
    """glibc gives the frames of a clip back to the kernel as soon as they are cut, and gets the next one's anew, page
    by page: a quarter of a clip's time. Let it keep up to 256 MB; single pieces above 32 MB go back all the same.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc alone has it
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, 256 * 2**20)
        mallopt(_M_MMAP_THRESHOLD, 32 * 2**20)


def _leave_signals_to_parent() -> None:
    """Ctrl-C reaches all processes of a terminal, a scheduler's SIGTERM all of a job; the main one lets a step end, for
    which it needs its workers. Only its own SIGTERM ends one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):  # not on macOS
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()


def _end_with_parent(parent: int) -> None:
    """Also where it was killed: a worker that hands over a large batch then would wait for ever for its reader."""
    while os.getppid() == parent:
        told = signal.sigtimedwait({signal.SIGTERM}, LOOK_SECONDS)
        if told is not None and told.si_pid == parent:
            break
    os._exit(0)

"""Work on pieces of files in several processes, with a progress bar by bytes; the processes die with their parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

Job, Result = TypeVar("Job"), TypeVar("Result")
_SMALL = 2**24  # bytes that are done sooner than a process starts
_PR_SET_PDEATHSIG = 1


def spread(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    sizes: Sequence[int],
    label: str,
    *,
    workers: int | None = None,
    progress: bool = True,
    start: Callable[..., None] | None = None,
    arguments: Iterable = (),
) -> Iterator[Result]:
    """Yield ``function(job)`` for every job, in their order.

    Args:
        function: Importable by name.
        jobs: Picklable.
        sizes: Bytes of each job, for the bar and to tell whether processes are worth while.
        label: What the bar says.
        workers: Processes; by default one a core that this process may use. 1 works in this process.
        progress: Whether to show the bar on the standard error.
        start: Called in every process before its first job, with `arguments`.
    """
    workers = min(workers or available_cores(), len(jobs)) if sum(sizes) > _SMALL else 1
    columns = (TextColumn(label), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not progress) as bar:
        task = bar.add_task("", total=sum(sizes))
        for size, result in zip(sizes, _results(function, jobs, workers, start, tuple(arguments)), strict=True):
            bar.advance(task, size)
            yield result


def available_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def die_with_parent() -> None:
    """Have the system kill this process when its parent is gone (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _results(function, jobs, workers: int, start, arguments) -> Iterator:
    if workers <= 1:
        if start:
            start(*arguments)
        yield from map(function, jobs)
        return
    # Fresh processes: a fork would copy the locks of whatever threads the caller runs.
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin, (start, arguments)) as pool:
        try:
            yield from pool.map(function, jobs)
        finally:
            pool.shutdown(cancel_futures=True)  # after an error or an interrupt nothing that still waits is done


def _begin(start, arguments) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; the parent answers it
    die_with_parent()
    if start:
        start(*arguments)

"""Work on pieces of files in several processes, with a progress bar.

The processes are fresh interpreters that import what their work needs: a fork would copy the locks of whatever threads
the caller runs, and Python's own spawning would run the caller's script again. They talk through pipes and end when
these close, so that none outlives its parent.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from videmo.data.worker import answers_to_parent
from videmo.terminal import watch

Job = TypeVar("Job")
Result = TypeVar("Result")
_SMALL = 2**24  # bytes that are done sooner than a process starts


def spread(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    sizes: Sequence[int],
    label: str,
    *,
    workers: int | None = None,
    progress: bool = True,
) -> Iterator[Result]:
    """Yield ``function(job)`` for every job, in their order.

    Args:
        function: Picklable, as the jobs and results are.
        jobs: What to work on.
        sizes: Bytes of each job, to tell whether processes are worth while.
        label: What the bar says.
        workers: Processes; by default one a core that this process may use. 1 works in this process.
        progress: Whether to show the bar on the standard error.
    """
    workers = min(workers or available_cores(), len(jobs)) if sum(sizes) > _SMALL else 1
    results = _results(function, jobs, workers) if workers > 1 else map(function, jobs)
    yield from watch(label, len(jobs), results, shown=progress)


def available_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _results(function, jobs: Sequence, workers: int) -> Iterator:
    processes = [_Worker(function) for _ in range(workers)]
    idle: SimpleQueue[_Worker] = SimpleQueue()
    for process in processes:
        idle.put(process)

    def run(job):
        process = idle.get()
        try:
            return process.run(job)
        finally:
            idle.put(process)

    pool = ThreadPoolExecutor(workers)  # a thread waits for each process
    try:
        yield from pool.map(run, jobs)
    finally:
        for process in processes:
            process.end()
        pool.shutdown(cancel_futures=True)


class _Worker:
    """A process that runs one function."""

    def __init__(self, function: Callable) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from videmo.data.pool import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
        )
        assert self._process.stdin and self._process.stdout
        self._jobs, self._results = self._process.stdin, self._process.stdout
        self._send(function)

    def run(self, job: object) -> object:
        try:
            self._send(job)
            result, error = pickle.load(self._results)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise RuntimeError(
                "a process that worked on the data was ended; is there memory for all of them?"
            ) from None
        if error is not None:
            raise error
        return result

    def _send(self, value: object) -> None:
        pickle.dump(value, self._jobs)
        self._jobs.flush()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def serve() -> None:
    """What a worker process does: it reads a function, then jobs, and writes (result, error) until its input ends."""
    output = answers_to_parent(signal.SIGINT)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # there is a process for every core
    try:
        function = pickle.load(sys.stdin.buffer)
        while True:
            job = pickle.load(sys.stdin.buffer)
            try:
                answer = function(job), None
            except Exception as error:  # the parent raises it
                answer = None, error
            pickle.dump(answer, output)
            output.flush()
    except (EOFError, BrokenPipeError):
        pass

"""Processes that train together, each forked from one that has imported the libraries and done nothing else."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from socket import SO_REUSEADDR, SOL_SOCKET, socket

import torch

SECONDS = 120


def run_ranks(train: Callable[..., None], arguments: Sequence[tuple]) -> None:
    """Call ``train(rank, *arguments[rank])`` in a process for each, and wait until all have ended well."""
    context = multiprocessing.get_context("forkserver")
    ranks = [context.Process(target=train, args=(rank, *given), daemon=True) for rank, given in enumerate(arguments)]
    for rank in ranks:
        rank.start()
    try:
        for rank in ranks:
            rank.join(SECONDS)
        assert [rank.exitcode for rank in ranks] == [0] * len(ranks)
    finally:
        for rank in ranks:
            rank.kill()


@contextmanager
def free_port() -> Iterator[int]:
    """A port for ranks to meet at. It stays bound, and nobody listens, so that no test beside is given it meanwhile."""
    with socket() as held:
        held.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        held.bind(("localhost", 0))
        yield held.getsockname()[1]


def meet(rank: int, folder: Path) -> None:
    """Join the other of two ranks, over gloo, by a file in a folder."""
    torch.set_num_threads(1)
    meeting = f"file://{folder / 'meet'}"
    torch.distributed.init_process_group("gloo", meeting, timedelta(seconds=SECONDS), world_size=2, rank=rank)

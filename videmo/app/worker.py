"""The one thread that computes: a search shows signs of life while it runs, and can be ended in mid-level."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from torch import nn

T = TypeVar("T")
TICK = 0.5
"""Seconds between two signs of life."""


class Stopped(Exception):
    """A computation was told to end."""


class Worker:
    """Computes with a model what it is given, one after the other.

    Args:
        model: What is computed with; who is told to end does so before its next layer.
    """

    def __init__(self, model: nn.Module) -> None:
        self._pool, self._ended = ThreadPoolExecutor(1, thread_name_prefix="videmo-app"), threading.Event()
        self._told: list[threading.Event] = []  # those that end what is computed now
        layers = [layer for part in model.modules() if isinstance(part, nn.ModuleList) for layer in part]
        self._hooks = [part.register_forward_pre_hook(self._end_if_told) for part in (model, *layers)]

    def run(self, steps: Iterator[T]) -> Iterator[T | None]:
        """What an iterator gives, and None each `TICK` in which it gives nothing.

        Its end, or that of the worker, ends the computation.
        """
        told = threading.Event()
        try:
            while True:
                step = self._pool.submit(self._next, steps, told)
                while not wait([step], TICK).done:
                    yield None
                if (found := step.result()) is None:
                    return
                yield found
        except Stopped:
            return
        finally:
            told.set()

    def close(self) -> None:
        """End what is computed, and wait for that: Python must not end under a thread of torch."""
        self._ended.set()
        self._pool.submit(bool).result()  # it comes after all that was asked for
        for hook in self._hooks:
            hook.remove()

    def _next(self, steps: Iterator[T], told: threading.Event) -> T | None:
        self._told = [told, self._ended]
        try:
            self._end_if_told()
            return next(steps, None)
        finally:
            self._told = []

    def _end_if_told(self, *_) -> None:
        if any(event.is_set() for event in self._told):
            raise Stopped

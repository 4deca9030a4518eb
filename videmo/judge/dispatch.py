"""Requests sent by a few workers at a time, until each has a reply or a reason for none.

A rate limit that one worker meets stops all of them, for as long as the server says; servers' errors, time-outs and
lost connections are tried again after waits that double. Where nothing works any more, the run ends.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Iterator, Sequence

from videmo.errors import InputError
from videmo.judge.cache import Failure, Reply
from videmo.judge.gate import Gate
from videmo.judge.request import Request
from videmo.judge.server import Fault, Server

_LONGEST_BACKOFF = 60.0  # seconds
_LONGEST_PAUSE = 600.0  # seconds that a server may ask to wait; beyond, it means a quota and the run ends
_FIRST_CONTACT = 2  # repetitions before a server that never answered counts as not there
_DEAD = 8  # questions in a row without a reply, however often they were sent
_REFUSING = 64  # the same, refused at once before there was any reply


class Dispatch:
    """Sends requests.

    Args:
        server: Where to; its settings say how many at a time and how patiently.
        take: Called with each request and its outcome, as it comes.
        answered: Keys of requests that had a reply before, and are to have another.
    """

    def __init__(
        self, server: Server, take: Callable[[Request, Reply | Failure], None], answered: Collection[str] = ()
    ) -> None:
        self._server, self._take, self._answered = server, take, answered
        self._settings = server.settings
        self._named = f"the {self._settings.WHO} at {self._settings.base_url}"
        self._gate = Gate(self._settings.requests_per_minute)
        self._left = self._replies = 0

    async def run(self, requests: Sequence[Request]) -> None:
        """
        Raises:
            InputError: If there can be no more replies.
        """
        self._left = len(requests)
        waiting = iter(requests)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._settings.concurrency, len(requests))):
                    group.create_task(self._work(waiting))
        except ExceptionGroup as group:
            if endings := group.subgroup(InputError):
                raise endings.exceptions[0] from None
            raise

    async def _work(self, waiting: Iterator[Request]) -> None:
        for request in waiting:  # of all workers
            self._left -= 1
            self._take(request, await self._outcome(request))

    async def _outcome(self, request: Request) -> Reply | Failure:
        """What becomes of a request, however often it has to be sent."""
        try:
            messages = request.messages if request.pictures is None else await asyncio.to_thread(request.on_the_wire)
        except InputError as error:
            return Failure(str(error))
        once = None if request.key in self._answered else request.key
        attempt = 0
        await self._gate.enter()
        while True:
            replies = self._replies
            try:
                reply = await self._server.ask(messages, request.max_tokens, request.response_format, once)
            except Fault as found:
                fault = found
            else:
                self._server.abilities.reached = True
                self._replies, self._server.abilities.failed_in_a_row = self._replies + 1, 0
                return reply
            self._server.abilities.reached |= not fault.absent
            if not self._server.abilities.reached and attempt >= min(_FIRST_CONTACT, self._settings.max_retries):
                raise InputError(
                    f"no {self._settings.WHO} at {self._settings.base_url}: {fault}. Start the server, or correct "
                    f"{self._settings.option('base_url')}"
                )
            if not fault.again or attempt >= self._settings.max_retries:
                self._count_failure(fault)
                return Failure(str(fault))
            await self._pause(fault, attempt)
            await self._gate.enter()
            # While a limited server answers others, this one only waits for its turn.
            attempt += not (fault.limited and self._replies > replies)

    async def _pause(self, fault: Fault, attempt: int) -> None:
        """Wait before a request is sent again; all wait where the server limits all."""
        # Jitter keeps workers that failed together from failing together again.
        seconds = min(self._settings.backoff * 2**attempt, _LONGEST_BACKOFF) * random.uniform(0.5, 1.5)
        if fault.wait:
            seconds = fault.wait
            if seconds > _LONGEST_PAUSE:
                raise InputError(
                    f"{self._named} asks to wait {seconds / 60:,.0f} minutes ({fault}); "
                    "run the same command again then, what came back is kept"
                )
        if fault.limited or fault.wait:
            self._gate.close(seconds)
        else:
            await asyncio.sleep(seconds)

    def _count_failure(self, fault: Fault) -> None:
        """End the run where nothing works any more, rather than to fail for each question that is left.

        Raises:
            InputError: If so many in a row failed, at least as many as are under way, and more are left.
        """
        self._server.abilities.failed_in_a_row += 1
        in_a_row = self._server.abilities.failed_in_a_row
        if not fault.again and self._replies:
            return  # it answers others, and to be refused costs nothing
        most = max(_DEAD if fault.again else _REFUSING, self._settings.concurrency)
        if self._left and in_a_row >= most:
            raise InputError(
                f"{self._named} gives no replies: {in_a_row} questions in a row failed, the last as "
                f"{fault}. What came back is kept; the same command goes on from there"
            )

"""Requests to a model behind an OpenAI-compatible server, each with what came of it.

Requests that are the same are sent once, what was answered before comes from the disk, and the rest is sent
(`videmo.judge.dispatch`). What cannot work for any (a wrong key, no such model, no server) ends the run with a
sentence; what fails for one is a missing verdict with its reason, and the next run asks it again. A reply that came and
cannot be read stays missing until ``retry_missing``, as a model at temperature 0 would only repeat itself.
"""

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from videmo.errors import InputError
from videmo.judge.cache import Failure, Reply, ReplyCache, reply_key
from videmo.judge.dispatch import Dispatch
from videmo.judge.estimate import Estimate
from videmo.judge.json_values import UnreadableReply
from videmo.judge.prompt import Prompt
from videmo.judge.question import Verdict
from videmo.judge.request import Pictures, Request
from videmo.judge.server import Abilities, Server
from videmo.judge.settings import JudgeSettings
from videmo.terminal import Steps

log = logging.getLogger(__name__)

_COUNTS = "{:,} failed, {:,} cached"
_SHOWN = 5  # reasons for missing verdicts that a warning has


class Client:
    """Asks a model.

    Args:
        settings: The model, its server, and how it is asked.
        tell: Is called with what came of each request that was sent, as it comes; it tells of what is missing, too.

    Raises:
        InputError: If a setting could not work.
    """

    def __init__(self, settings: JudgeSettings, tell: Callable[[Verdict], None] | None = None) -> None:
        settings.check()
        self.settings, self._tell = settings, tell
        self._abilities = Abilities()

    def request(
        self,
        prompt: Prompt,
        texts: Mapping[str, str],
        read: Callable[[str], Any],
        response_format: dict | None = None,
        pictures: Pictures | None = None,
    ) -> Request:
        """What asks about the texts, and perhaps about pictures, by a prompt.

        Args:
            prompt: It is made by.
            texts: The prompt's fields.
            read: A reply's text to its value; raises `UnreadableReply`.
            response_format: What a server may be held to, where the prompt allows it.
            pictures: Shown before the last message's text.
        """
        messages = prompt.messages(texts)
        shown = [{"pictures": pictures.key}] if pictures else []
        key = reply_key(self.settings.model, prompt.hash, [*messages, *shown], self.settings.temperature)
        held = response_format if prompt.structured else None
        return Request(key, prompt, messages, self.settings.max_tokens or prompt.max_tokens, read, held, pictures)

    def plan(self, requests: Sequence[Request]) -> Estimate:
        """What ``ask`` would send; nothing is sent."""
        distinct = _distinct(requests)
        with self._cache() as cache:
            known = self._known(distinct, cache)
        return Estimate.of(requests, distinct, known, self.settings)

    def known(self, requests: Sequence[Request]) -> list[Verdict | None]:
        """What replies on disk say, in the order of the requests; None where they say nothing. Nothing is sent."""
        with self._cache() as cache:
            known = self._known(_distinct(requests), cache)
        return [known.get(request.key) for request in requests]

    def ask(self, requests: Sequence[Request], progress: bool = True) -> list[Verdict]:
        """What came of each request, in their order.

        Args:
            requests: By any prompts; the same one may come several times.
            progress: Whether to show how far it is.

        Raises:
            InputError: If no request could be answered: no server, no such model, a wrong key, a damaged cache. What
                came back before is on disk.
        """
        verdicts: dict[str, Verdict] = {}
        self._find_out(_distinct(requests), verdicts, progress)
        if self._tell is None:
            _tell_missing(self.settings.model, verdicts)
        return [verdicts[request.key] for request in requests]

    def ask_within(self, requests: Sequence[Request], seconds: float) -> list[Verdict]:
        """What came of each request, in their order, for whoever must go on whatever the model does.

        What has no verdict after so many seconds is missing, and so is all that is left where ``ask`` would raise;
        what came back before counts, and is on disk.
        """
        verdicts: dict[str, Verdict] = {}
        distinct, why = _distinct(requests), ""
        try:
            self._find_out(distinct, verdicts, progress=False, seconds=seconds)
        except TimeoutError:
            why = f"no verdict in the {seconds:g} s that all questions had together"
        except InputError as error:
            why = str(error)
        for request in distinct:
            verdicts.setdefault(request.key, Verdict(None, why, None, False))
        _tell_missing(self.settings.model, verdicts)
        return [verdicts[request.key] for request in requests]

    def _find_out(
        self,
        requests: Sequence[Request],
        verdicts: dict[str, Verdict],
        progress: bool,
        seconds: float | None = None,
    ) -> None:
        """Writes the verdicts by key, as they come: those on disk, then those of the server.

        Raises:
            InputError: If no request could be answered.
            TimeoutError: If it takes longer than that.
        """
        with self._cache() as cache:
            verdicts |= self._known(requests, cache)
            rest = [request for request in requests if request.key not in verdicts]
            if not rest:
                return
            with Steps(self.settings.WHO, len(rest), _COUNTS.format(0, len(verdicts)), shown=progress) as bar:
                try:
                    _run(asyncio.wait_for(self._send(rest, cache, bar, verdicts), seconds))
                except KeyboardInterrupt:
                    kept = f"{bar.done:,} of {len(rest):,} questions came back and are kept in {cache.path}"
                    print(
                        f"the {self.settings.WHO} was interrupted: {kept}; the same command goes on from there",
                        file=sys.stderr,
                    )
                    raise

    def _cache(self) -> ReplyCache:
        return ReplyCache(self.settings.cache_file, self.settings.option("cache"))

    async def _send(
        self, requests: Sequence[Request], cache: ReplyCache, bar: Steps, verdicts: dict[str, Verdict]
    ) -> None:
        """Send what has to be sent; each outcome goes to disk as it comes, then into the verdicts."""
        failed, cached = 0, len(verdicts)

        def take(request: Request, outcome: Reply | Failure) -> None:
            nonlocal failed
            cache.put(request.key, self.settings.model, request.prompt.name, outcome)
            verdict = verdicts[request.key] = self._verdict(outcome, request, cached=False)
            failed += verdict.missing is not None
            bar.step(note=_COUNTS.format(failed, cached))
            if self._tell:
                self._tell(verdict)

        async with Server(self.settings, self._abilities) as server:
            answered = {
                key for key, found in cache.find(one.key for one in requests).items() if isinstance(found, Reply)
            }
            await Dispatch(server, take, answered).run(requests)

    def _known(self, requests: Sequence[Request], cache: ReplyCache) -> dict[str, Verdict]:
        """The verdicts that need no request, by key."""
        found = cache.find(request.key for request in requests)
        known = {}
        for request in requests:
            if isinstance(outcome := found.get(request.key), Reply):
                verdict = self._verdict(outcome, request, cached=True)
                is_settled = not self.settings.retry_missing and self.settings.temperature == 0
                if verdict.missing is None or is_settled:
                    known[request.key] = verdict
        return known

    def _verdict(self, reply: Reply | Failure, request: Request, cached: bool) -> Verdict:
        """What a reply says, or why that cannot be told."""
        if isinstance(reply, Failure):
            return Verdict(None, reply.reason, None, cached)
        option, value, missing = self.settings.option, None, None
        if reply.finish == "refusal":
            missing = f"the {self.settings.WHO} declined: {reply.text[:200]}"
        elif reply.finish == "length":
            missing = (
                f"the reply was cut off at its most tokens; raise {option('max_tokens')}, and ask again with "
                f"{option('retry_missing')}"
            )
        elif reply.finish == "content_filter":
            missing = "the server's content filter held the reply back"
        else:
            try:
                value = request.read(reply.text)
            except UnreadableReply as error:
                missing = str(error)
        return Verdict(value, missing, reply.text, cached, reply.prompt_tokens, reply.completion_tokens)


def _distinct(requests: Sequence[Request]) -> list[Request]:
    """Those that differ, in order."""
    return [*{request.key: request for request in reversed(requests)}.values()][::-1]


def _tell_missing(model: str, verdicts: Mapping[str, Verdict]) -> None:
    reasons = Counter(verdict.missing for verdict in verdicts.values() if verdict.missing is not None)
    if not reasons:
        return
    log.warning("%s: %d of %d distinct questions have no verdict:", model, reasons.total(), len(verdicts))
    for reason, count in reasons.most_common(_SHOWN):
        log.warning("%d: %s", count, reason)
    if len(reasons) > _SHOWN:
        log.warning("and %d more reasons", len(reasons) - _SHOWN)


def _run(coroutine: Coroutine) -> None:
    """Run it to its end, in a thread of its own where a loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
        is_running = True
    except RuntimeError:
        is_running = False
    if not is_running:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()

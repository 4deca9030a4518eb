"""The judge: a model behind an OpenAI-compatible server that answers questions about answers.

Questions that are the same are asked once, what was answered before comes from the disk, and the rest is sent
(`videmo.judge.dispatch`). What cannot work for any question (a wrong key, no such model, no server) ends the run with a
sentence; what fails for one is a missing verdict with its reason, and the next run asks it again. A reply that came and
cannot be read stays missing until ``retry_missing``, as a model at temperature 0 would only repeat itself.
"""

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from videmo.errors import InputError
from videmo.judge.cache import Failure, Reply, ReplyCache, reply_key
from videmo.judge.dispatch import Dispatch, Request
from videmo.judge.estimate import Estimate, prompt_tokens
from videmo.judge.json_values import UnreadableReply
from videmo.judge.progress import AskProgress
from videmo.judge.prompt import load_prompts
from videmo.judge.question import Question, Verdict
from videmo.judge.replies import read_reply
from videmo.judge.server import Abilities, Server
from videmo.judge.settings import JudgeSettings

log = logging.getLogger(__name__)

_SHOWN = 5  # reasons for missing verdicts that a warning has


@dataclass
class Spent:
    """What was sent and received, over all calls of ``ask``; tokens as the server counted them."""

    replies: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Judge:
    """Asks a model; ``ask`` is all that callers need (`SupportsAsk`).

    Args:
        settings: The model, its server, and how it is asked.

    Attributes:
        prompts: Use -> its prompt.
        spent: Replies and tokens so far.

    Raises:
        InputError: If a setting could not work, or a prompt is none.
    """

    def __init__(self, settings: JudgeSettings) -> None:
        settings.check()
        self.settings = settings
        self.prompts = load_prompts(settings.prompts)
        self.spent = Spent()
        self._abilities = Abilities()

    @property
    def identity(self) -> dict:
        """Who judges by which prompts, JSON-ready: a part of every result that the verdicts go into."""
        prompts = {use: {"version": prompt.version, "hash": prompt.hash} for use, prompt in self.prompts.items()}
        return {"model": self.settings.model, "temperature": self.settings.temperature, "prompts": prompts}

    def plan(self, questions: Sequence[Question]) -> Estimate:
        """What ``ask`` would send; nothing is sent."""
        requests = self._requests(questions)
        with ReplyCache(self.settings.cache_file) as cache:
            known = self._known(requests, cache)
        asked = [request for request in requests if request.key not in known]
        tokens = sum(prompt_tokens(request.messages) for request in asked)
        most = sum(request.max_tokens for request in asked)
        return Estimate(
            questions=len(questions),
            distinct=len(requests),
            cached=sum(verdict.missing is None for verdict in known.values()),
            missing=sum(verdict.missing is not None for verdict in known.values()),
            calls=len(asked),
            prompt_tokens=tokens,
            max_completion_tokens=most,
            max_cost=self.settings.cost(tokens, most),
        )

    def ask(self, questions: Sequence[Question], progress: bool = True) -> list[Verdict]:
        """A verdict for each question, in their order.

        Args:
            questions: Of any uses; the same one may come several times.
            progress: Whether to show how far it is.

        Raises:
            InputError: If no question could be answered: no server, no such model, a wrong key, a damaged cache. What
                came back before is on disk.
        """
        verdicts: dict[str, Verdict] = {}
        self._find_out(self._requests(questions), verdicts, progress)
        _tell_missing(verdicts)
        return [verdicts[self._key(question)] for question in questions]

    def ask_within(self, questions: Sequence[Question], seconds: float) -> list[Verdict]:
        """A verdict for each question, in their order, for whoever must go on whatever the judge does.

        What has no verdict after so many seconds is missing, and so is all that is left where ``ask`` would raise;
        what came back before counts, and is on disk.
        """
        verdicts: dict[str, Verdict] = {}
        requests, why = self._requests(questions), ""
        try:
            self._find_out(requests, verdicts, progress=False, seconds=seconds)
        except TimeoutError:
            why = f"no verdict in the {seconds:g} s that all questions had together"
        except InputError as error:
            why = str(error)
        for request in requests:
            verdicts.setdefault(request.key, Verdict(None, why, None, False))
        _tell_missing(verdicts)
        return [verdicts[self._key(question)] for question in questions]

    def _find_out(
        self,
        requests: Sequence[Request],
        verdicts: dict[str, Verdict],
        progress: bool,
        seconds: float | None = None,
    ) -> None:
        """Writes the verdicts by key, as they come: those on disk, then those of the server.

        Raises:
            InputError: If no question could be answered.
            TimeoutError: If it takes longer than that.
        """
        with ReplyCache(self.settings.cache_file) as cache:
            verdicts |= self._known(requests, cache)
            rest = [request for request in requests if request.key not in verdicts]
            if not rest:
                return
            with AskProgress(len(rest), len(verdicts), progress) as bar:
                try:
                    _run(asyncio.wait_for(self._send(rest, cache, bar, verdicts), seconds))
                except KeyboardInterrupt:
                    kept = f"{bar.done:,} of {len(rest):,} questions came back and are kept in {cache.path}"
                    print(f"the judge was interrupted: {kept}; the same command goes on from there", file=sys.stderr)
                    raise

    def _requests(self, questions: Sequence[Question]) -> list[Request]:
        """The distinct requests, in order."""
        found: dict[str, Request] = {}
        for question in dict.fromkeys(questions):
            prompt = self.prompts[question.use]
            key = self._key(question)
            if key not in found:
                max_tokens = self.settings.max_tokens or prompt.max_tokens
                found[key] = Request(key, question, prompt, prompt.messages(question), max_tokens)
        return [*found.values()]

    def _key(self, question: Question) -> str:
        prompt = self.prompts[question.use]
        return reply_key(self.settings.model, prompt.hash, prompt.messages(question), self.settings.temperature)

    async def _send(
        self, requests: Sequence[Request], cache: ReplyCache, bar: AskProgress, verdicts: dict[str, Verdict]
    ) -> None:
        """Send what has to be sent; each outcome goes to disk as it comes, then into the verdicts."""

        def take(request: Request, outcome: Reply | Failure) -> None:
            cache.put(request.key, self.settings.model, request.prompt.name, outcome)
            if isinstance(outcome, Reply):
                self.spent.replies += 1
                self.spent.prompt_tokens += outcome.prompt_tokens
                self.spent.completion_tokens += outcome.completion_tokens
            verdict = verdicts[request.key] = _verdict(outcome, request, cached=False)
            bar.step(verdict.missing is not None)

        async with Server(self.settings, self._abilities) as server:
            await Dispatch(server, take).run(requests)

    def _known(self, requests: Sequence[Request], cache: ReplyCache) -> dict[str, Verdict]:
        """The verdicts that need no request, by key."""
        found = cache.find(request.key for request in requests)
        known = {}
        for request in requests:
            if isinstance(outcome := found.get(request.key), Reply):
                verdict = _verdict(outcome, request, cached=True)
                is_settled = not self.settings.retry_missing and self.settings.temperature == 0
                if verdict.missing is None or is_settled:
                    known[request.key] = verdict
        return known


def _verdict(reply: Reply | Failure, request: Request, cached: bool) -> Verdict:
    """What a reply says, or why that cannot be told."""
    if isinstance(reply, Failure):
        return Verdict(None, reply.reason, None, cached)
    if reply.finish == "refusal":
        missing = f"the judge declined: {reply.text[:200]}"
    elif reply.finish == "length":
        missing = (
            "the reply was cut off at its most tokens; raise judge.max_tokens, and ask again with judge.retry_missing"
        )
    elif reply.finish == "content_filter":
        missing = "the server's content filter held the reply back"
    else:
        try:
            return Verdict(read_reply(reply.text, request.prompt, request.question), None, reply.text, cached)
        except UnreadableReply as error:
            missing = str(error)
    return Verdict(None, missing, reply.text, cached)


def _tell_missing(verdicts: Mapping[str, Verdict]) -> None:
    reasons = Counter(verdict.missing for verdict in verdicts.values() if verdict.missing is not None)
    if not reasons:
        return
    log.warning("%d of %d distinct questions have no verdict:", reasons.total(), len(verdicts))
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

"""One request to an OpenAI-compatible server, and what came of it in words.

The openai package speaks on the wire, with its own retries off: how long to wait is decided once for all workers
(`videmo.judge.dispatch`). What a server cannot do (schemas, ``max_tokens``) is found out by asking, once a run.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from videmo.errors import InputError
from videmo.judge.cache import Reply
from videmo.judge.prompt import well_formed
from videmo.judge.settings import JudgeSettings

if TYPE_CHECKING:  # half a second, for those alone who ask a server
    import openai

log = logging.getLogger(__name__)

_AGAIN = {408, 409, 425}  # besides all from 500 on
_HOPELESS = {401, 402, 403, 404, 405}  # for every question alike
_CONNECT = 10.0  # seconds
_SECRET = 8  # characters from which on a key is one; "EMPTY" is what servers without keys are given
_SCHEMA_WORDS = ("response_format", "json_schema", "schema", "guided", "structured", "grammar")


class Fault(Exception):
    """No reply came; the message says why.

    Attributes:
        again: Whether asking again may help.
        wait: Seconds that the server asks everyone to wait; None if it does not say.
        limited: Whether it was a rate limit.
        absent: Whether there was no server at all.
    """

    def __init__(
        self, why: str, again: bool = True, wait: float | None = None, limited: bool = False, absent: bool = False
    ) -> None:
        super().__init__(why)
        self.again, self.wait, self.limited, self.absent = again, wait, limited, absent


@dataclass
class Abilities:
    """What a server was found to do.

    Attributes:
        reached: It has answered at all.
        failed_in_a_row: Questions without a reply since its last one.
        schemas: It takes JSON schemas, as far as is known.
        tokens_name: What it calls the bound on a reply; newer models of OpenAI's want ``max_completion_tokens``.
    """

    reached: bool = False
    failed_in_a_row: int = 0
    schemas: bool = True
    tokens_name: str = "max_tokens"


class Server:
    """A connection for one run; an async context manager.

    Args:
        settings: Where and what to ask.
        abilities: What is known of the server; is written to.
    """

    def __init__(self, settings: JudgeSettings, abilities: Abilities) -> None:
        import openai

        self.settings, self.abilities = settings, abilities
        self._key = settings.key()
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=self._key or "none",
            max_retries=0,
            timeout=openai.Timeout(settings.timeout, connect=min(settings.timeout, _CONNECT)),
        )

    async def __aenter__(self) -> "Server":
        return self

    async def __aexit__(self, *error) -> None:
        await self._client.close()

    async def ask(
        self, messages: Sequence[dict], max_tokens: int, response_format: dict | None, once: str | None = None
    ) -> Reply:
        """The reply to a conversation.

        Args:
            messages: The conversation.
            max_tokens: That the reply may take.
            response_format: What the server may be held to.
            once: Is the same whenever the same is asked again: a server that knows the header Idempotency-Key then
                sends what it sent before, and asks no second payment. Others ignore it.

        Raises:
            Fault: If there is none.
            InputError: If there can be none for any question.
        """
        import openai

        schemas, tokens_name = self.abilities.schemas and response_format is not None, self.abilities.tokens_name
        options: dict[str, Any] = {"model": self.settings.model, "messages": [*messages], tokens_name: max_tokens}
        if self.settings.temperature is not None:
            options["temperature"] = self.settings.temperature
        if schemas:
            options["response_format"] = response_format
        if once:
            options["extra_headers"] = {"Idempotency-Key": once}
        try:
            # Bounds the whole; the client's own time-out starts anew with every byte.
            async with asyncio.timeout(self.settings.timeout):
                raw = await self._client.chat.completions.with_raw_response.create(**options)
            return self._read(raw.content)
        except (TimeoutError, openai.APITimeoutError) as error:
            absent = _came_from(error, "ConnectTimeout")
            raise Fault(f"no reply in {self.settings.timeout:g} s", absent=absent) from None
        except openai.APIStatusError as error:
            fault = self._refused(error, schemas, tokens_name)
        except openai.APIConnectionError as error:
            why = self.scrub(str(error.__cause__ or error) or "connection lost")
            raise Fault(f"the connection failed: {why}", absent=_came_from(error, "ConnectError")) from None
        if fault is not None:
            raise fault
        return await self.ask(messages, max_tokens, response_format, once)  # in the way that the server takes

    def scrub(self, text: str) -> str:
        """The text without the key: servers repeat it in their errors."""
        if self._key and len(self._key) >= _SECRET:
            text = text.replace(self._key, "(key)")
        return text

    def _read(self, content: bytes) -> Reply:
        """The reply in the body of a response of status 200."""
        text = self.scrub(content.decode("utf-8", errors="replace"))
        try:
            data = json.loads(text)
            choice = data["choices"][0]
            message, usage = choice["message"], data.get("usage") or {}
            words, refusal = message.get("content"), message.get("refusal")
            counts = [int(usage.get(name) or 0) for name in ("prompt_tokens", "completion_tokens")]
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
            kind = "a web page" if text.lstrip().startswith("<") else "no chat completion, or a part of one"
            raise Fault(f"the server's answer is {kind}: {_short(text)}") from None
        if not isinstance(words, str | None):
            raise Fault(f"the server's answer has a content that is no text: {_short(str(words))}")
        finish = "refusal" if refusal else str(choice.get("finish_reason") or "stop")
        return Reply(well_formed(str(refusal) if refusal else words or ""), finish, *counts)

    def _refused(self, error: "openai.APIStatusError", schemas: bool, tokens_name: str) -> Fault | None:
        """What an error's status means; None where the server only wanted another way to be asked.

        Raises:
            InputError: If it holds for every question.
        """
        status, body = error.status_code, self.scrub(error.response.text)
        said = f"status {status}: {_short(_message(body))}"
        settings = self.settings
        if status in (400, 422, 501):
            if schemas and any(word in body.lower() for word in _SCHEMA_WORDS):
                if self.abilities.schemas:
                    self.abilities.schemas = False
                    log.warning("the server takes no JSON schema; replies are asked for in words (%s)", said)
                return None
            if tokens_name == "max_tokens" and "max_completion_tokens" in body:
                self.abilities.tokens_name = "max_completion_tokens"
                return None
        if status == 401:
            has = "was refused" if self._key else "is not set, and the server wants a key"
            raise InputError(f"{settings.api_key_env} {has} at {settings.base_url} ({said})")
        if status == 404:
            raise InputError(
                f"no model {settings.model} at {settings.base_url} ({said}); correct {settings.option('model')}, or "
                f"{settings.option('base_url')}, which usually ends in /v1"
            )
        if status in _HOPELESS or (status == 429 and "insufficient_quota" in body):
            raise InputError(f"the {settings.WHO} at {settings.base_url} gives no replies ({said})")
        wait = _retry_after(error.response.headers.get("retry-after"))
        if status == 429:
            return Fault(f"rate limited ({said})", wait=wait, limited=True)
        again = status >= 500 or status in _AGAIN
        return Fault(f"the server {'failed' if again else 'refused the request'} ({said})", again, wait)


def _message(body: str) -> str:
    """What an error's body says, without the JSON around it."""
    try:
        error = json.loads(body)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError, RecursionError):
        return body


def _short(text: str) -> str:
    text = " ".join(text.split())
    return (text if len(text) <= 200 else f"{text[:197]}...") or "nothing"


def _retry_after(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, given as such or as a date; None for none that can be read.

    >>> _retry_after("1.5"), _retry_after("soon"), _retry_after("Wed, 21 Oct 2015 07:28:00 GMT")
    (1.5, None, 0.0)
    """
    try:
        seconds = float(header or "")
    except ValueError:
        try:
            date = parsedate_to_datetime(header or "")
        except ValueError:
            return None
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(seconds, 0.0) if seconds == seconds else None


def _came_from(error: BaseException | None, name: str) -> bool:
    """Whether an exception of that name lies beneath; the names are those of the HTTP client that openai brings."""
    while error is not None:
        if type(error).__name__ == name:
            return True
        error = error.__cause__
    return False

"""What of Gradio's server is open: the routes that the page itself calls, and no file outside one folder.

Gradio serves more than a page needs: a proxy that fetches from other hosts, calls by name, recordings, sources to edit.
Browsers are asked for it by any site that is open in them, perhaps under a name of its own: so names and origins count.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import TypeAdapter
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CALL = "/gradio_api/queue/join"
_ANSWERS = "/gradio_api/queue/data"
_OPEN = (
    *("/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json"),
    *("/gradio_api/startup-events", "/gradio_api/theme.css", _ANSWERS),
    *("/gradio_api/upload", "/gradio_api/upload_progress", "/gradio_api/reset", "/gradio_api/cancel"),
)
_OPEN_BENEATH = ("/assets/", "/static/", "/gradio_api/heartbeat/")
_FILE = "/gradio_api/file="
LOCAL = ("127.0.0.1", "localhost", "::1")
"""What a machine calls itself: who listens there hears nobody else."""
POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'; form-action 'self'"
"""Which browsers hold: nothing is loaded from, or sent to, another host."""
_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


class Gate:
    """Lets through what is open; says 404 to all else, and 403 to what another site asks for.

    Args:
        app: What answers.
        folder: The one whose files may be read.
        calls: Number of a call -> what it takes; Gradio would print a trace for each that is of another form.
        waiting: Holds those who wait for answers, as long as they do.
        local: Whether it answers to names of this machine only.
    """

    def __init__(
        self, app: ASGIApp, folder: Path, calls: Mapping[int, TypeAdapter], waiting: set[int], local: bool
    ) -> None:
        self._app, self._folder, self._calls, self._waiting, self._local = app, folder.resolve(), calls, waiting, local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._is_foreign(Headers(scope=scope), scope["method"]):
            await PlainTextResponse("This page answers to itself only.", 403)(scope, receive, send_with_policy)
        elif scope["path"] == _CALL:
            body = await Request(scope, receive).body()
            answer = self._app if self._is_call(body) else PlainTextResponse("This page makes no such call.", 400)
            await answer(scope, _first(body, receive), send_with_policy)
        elif self._is_open(scope["path"]):
            one = id(scope)
            if scope["path"] == _ANSWERS:
                self._waiting.add(one)
            try:
                await self._app(scope, receive, send_with_policy)
            finally:
                self._waiting.discard(one)
        else:
            await PlainTextResponse("This page has nothing there.", 404)(scope, receive, send_with_policy)

    def _is_foreign(self, headers: Headers, method: str) -> bool:
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._local and _name(host) not in LOCAL:
            return True
        return method != "GET" and origin is not None and origin.partition("://")[2].lower() != host.lower()

    def _is_call(self, body: bytes) -> bool:
        try:
            call = json.loads(body)
            self._calls[call["fn_index"]].validate_python(tuple(call["data"]))
        except (ValueError, KeyError, TypeError):  # pydantic's is a ValueError
            return False
        return isinstance(call.get("session_hash"), str)

    def _is_open(self, path: str) -> bool:
        if path.startswith(_FILE):
            return Path(path.removeprefix(_FILE)).resolve().is_relative_to(self._folder)
        return path in _OPEN or path.startswith(_OPEN_BENEATH)


def _first(body: bytes, receive: Receive) -> Receive:
    """A body that was read already, and then what comes."""
    messages = [{"type": "http.request", "body": body}]

    async def receive_body_first() -> Message:
        return messages.pop() if messages else await receive()

    return receive_body_first


def _name(host: str) -> str | None:
    """Of a host without its port; None where there is none.

    >>> _name("localhost:7860"), _name("[::1]:7860"), _name("[")
    ('localhost', '::1', None)
    """
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None

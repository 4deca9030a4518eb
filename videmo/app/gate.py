"""What of Gradio's server is open: the routes that the page itself calls, and no file outside one folder.

Gradio serves more than a page needs: a proxy that fetches from other hosts, calls by name, recordings, sources to edit.
"""

from pathlib import Path

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OPEN = (
    *("/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json"),
    *("/gradio_api/startup-events", "/gradio_api/theme.css", "/gradio_api/queue/join", "/gradio_api/queue/data"),
    *("/gradio_api/upload", "/gradio_api/upload_progress", "/gradio_api/reset", "/gradio_api/cancel"),
)
_OPEN_BENEATH = ("/assets/", "/static/", "/gradio_api/heartbeat/")
_FILE = "/gradio_api/file="
POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'; form-action 'self'"
"""Which browsers hold: nothing is loaded from, or sent to, another host."""
_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


class Gate:
    """Lets through what is open, and says 404 to all else.

    Args:
        app: What answers.
        folder: The one whose files may be read.
    """

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app, self._folder = app, folder.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._is_open(scope["path"]):
            await self._app(scope, receive, send_with_policy)
        else:
            await PlainTextResponse("This page has nothing there.", 404)(scope, receive, send_with_policy)

    def _is_open(self, path: str) -> bool:
        if path.startswith(_FILE):
            return Path(path.removeprefix(_FILE)).resolve().is_relative_to(self._folder)
        return path in _OPEN or path.startswith(_OPEN_BENEATH)

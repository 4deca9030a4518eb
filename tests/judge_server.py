"""A real HTTP server that answers as a judge does, and fails as scripted."""

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from videmo.judge import Question

KEY = "sk-test-7f3a9c51d2"
Turn = Callable[["_Handler", dict], None]
"""What is done with one request."""


def sample(number: int) -> Question:
    """A question to the caption prompt that the server knows by its number."""
    return Question("caption", {"question": "Describe.", "reference": "A sad man.", "response": f"sample {number:04d}"})


def status(code: int, body: object = None, **headers: str) -> Turn:
    """An error."""
    return lambda handler, request: handler.send(code, json.dumps({"error": {"message": body or "no"}}), **headers)


def says(content: str | None, finish: str = "stop", **message: object) -> Turn:
    """A chat completion."""

    def turn(handler: "_Handler", request: dict) -> None:
        choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        handler.send(200, json.dumps({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}))

    return turn


def raw(body: str, kind: str = "application/json") -> Turn:
    """Any body with status 200."""
    return lambda handler, request: handler.send(200, body, kind=kind)


def silent(seconds: float) -> Turn:
    """Nothing, for so long."""

    def turn(handler: "_Handler", request: dict) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return turn


def cut(handler: "_Handler", request: dict) -> None:
    """A body that ends before the length that its header promised."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"id": "1", "choices": [')
    handler.wfile.flush()
    handler.close_connection = True


GOOD = says('{"score": 85}')


class JudgeServer:
    """Scripted by sample: its turns one after the other, the last for ever; `otherwise` for those without a script.

    Attributes:
        requests: Body, headers and time of all that came, in order.
        most_at_once: Requests that were under way at a time.
    """

    def __init__(self, script: Mapping[int, Sequence[Turn]] | None = None, otherwise: Turn = GOOD) -> None:
        self.script, self.otherwise = dict(script or {}), otherwise
        self.requests: list[dict] = []
        self.most_at_once = self._now = 0
        self._lock = threading.Lock()
        self._tries: dict[int, int] = defaultdict(int)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.judge = self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def asked(self) -> Counter[int]:
        """How often each sample came."""
        return Counter(request["sample"] for request in self.requests)

    def __enter__(self) -> "JudgeServer":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error) -> None:
        self._server.shutdown()
        self._server.server_close()

    def turn(self, request: dict, headers: Mapping[str, str]) -> Turn:
        text = request["messages"][-1]["content"]
        lowered = {name.lower(): value for name, value in headers.items()}
        number = int(text.partition("sample ")[2][:4] or -1)
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            self.requests.append({"sample": number, "body": request, "headers": lowered, "time": time.monotonic()})
            turns = self.script.get(number, [self.otherwise])
            place = min(self._tries[number], len(turns) - 1)
            self._tries[number] += 1
        return turns[place]

    def done(self) -> None:
        with self._lock:
            self._now -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        judge = self.server.judge
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            if self.path != "/v1/chat/completions":
                self.send(404, "{}")
            else:
                judge.turn(request, self.headers)(self, request)
        except (BrokenPipeError, ConnectionResetError):  # a client that gave up
            self.close_connection = True
        finally:
            judge.done()

    def send(self, code: int, body: str, kind: str = "application/json", **headers: str) -> None:
        content = body.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass

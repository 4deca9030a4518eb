"""A real HTTP server that plays vision models over drawn clips whose truth is known, each wrong as often as it is told.

A model believes one answer of each question about a clip, right or wrong, and all that it says follows from that: as an
author it states it, as a voter it accepts what agrees with it and otherwise says what it believes instead. An author
that is told that it was wrong takes what most members said. Beliefs depend on nothing but the model, the clip and the
question, so that any order of requests gives the same replies.
"""

import hashlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import sqrt

from videmo.committee.asking import ACTIONS, ATTRIBUTES, LOOKS
from videmo.committee.author import committee_question
from videmo.synth.asked import ASKED
from videmo.synth.attributes import ATTRIBUTES as FACETS
from videmo.synth.face import Clip
from videmo.tasks import Task, find_task

EMOTIONS = find_task("DFEW_Single-Label-Emotion-Recognition")


@dataclass(frozen=True)
class Fact:
    """One thing that is true of a clip.

    Attributes:
        task: By which it is asked.
        truth: The right answer.
        others: Wrong ones of the same kind.
    """

    task: Task
    truth: str
    others: tuple[str, ...]


def facts_of(clip: Clip) -> dict[str, Fact]:
    """What is true of a drawn clip, by the name by which a model is asked; what it does not show is left out."""
    found = {}
    for name, task in ATTRIBUTES.items():
        for facet in FACETS[name]:
            word = facet.truth(clip)
            group = next((group for group in task.groups.values() if word in group), None)
            if group:
                found[name] = Fact(task, word, tuple(other for other in group if other != word))
                break
    asked = ASKED[EMOTIONS.name]
    if asked.askable(clip):
        label = asked.answer(clip)
        found["emotion"] = Fact(EMOTIONS, label, tuple(other for other in EMOTIONS.labels if other != label))
    return found


@dataclass(frozen=True)
class Beliefs:
    """What models believe.

    Attributes:
        errors: Model -> how often it is wrong.
        rho: Correlation of two models' errors: with probability sqrt(rho) a model believes what all such believe.
        seed: Of all of it.
    """

    errors: Mapping[str, float]
    rho: float = 0.0
    seed: int = 0

    def of(self, model: str, clip: str, name: str, fact: Fact) -> str:
        """What a model believes of a clip."""
        shares = self._uniform("shares", model, clip, name) < sqrt(self.rho)
        who = "all" if shares else model
        if self._uniform("errs", who, clip, name) >= self.errors[model]:
            return fact.truth
        return fact.others[int(self._uniform("which", who, clip, name) * len(fact.others))]

    def _uniform(self, *key: str) -> float:
        digest = hashlib.blake2b("\0".join((str(self.seed), *key)).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64


class SimulatedModels:
    """The server; a context manager.

    Args:
        clips: First picture's data URL -> name of the clip, and what is true of it.
        beliefs: Of the models that it serves.
        fault: Given a request's number, its body and the reply to it, what is sent instead: status and body; or None.
        seconds: That each reply takes.

    Attributes:
        asked: How often each request came, by its Idempotency-Key.
        paid: How often it was paid: once for each key, as what was sent before is sent again.
    """

    def __init__(
        self,
        clips: Mapping[str, tuple[str, Mapping[str, Fact]]],
        beliefs: Beliefs,
        fault: Callable[[int, dict, dict], tuple[int, dict] | None] | None = None,
        seconds: float = 0.0,
    ) -> None:
        self.clips, self.beliefs, self.fault, self.seconds = clips, beliefs, fault, seconds
        self.asked: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self._sent: dict[str, dict] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.models = self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> "SimulatedModels":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: dict, key: str) -> tuple[int, dict]:
        """Status and body of what is sent back."""
        with self._lock:
            self.asked[key] += 1
            number = self.asked.total()
            if key and key in self._sent:
                return 200, self._sent[key]
        time.sleep(self.seconds)
        said = self._say(body)
        text = said if isinstance(said, str) else json.dumps(said)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 1000, "completion_tokens": len(text) // 4}
        reply = {"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}
        status, reply = (self.fault and self.fault(number, body, reply)) or (200, reply)
        if status == 200:
            with self._lock:
                self.paid[key] += 1
                self._sent[key] = reply
        return status, reply

    def _say(self, body: dict) -> dict | str:
        content = body["messages"][-1]["content"]
        name, facts = self.clips[content[0]["image_url"]["url"]]
        text, system, model = content[-1]["text"], body["messages"][0]["content"], body["model"]
        believed = {key: self.beliefs.of(model, name, key, fact) for key, fact in facts.items()}
        if '"votes"' in system:
            return {"votes": [self._vote(number, *pair, facts, believed) for number, pair in _pairs(text).items()]}
        if '"answers"' in system:
            return {"answers": [_again(number, *pair) for number, pair in _pairs(text, objections=True).items()]}
        if '"because"' in system:
            return {"emotion": believed.get("emotion"), "sentiment": None, "because": "The face shows it."}
        if '"action_units"' in system:
            actions = {key: believed.get(key) for key in ACTIONS}
            return {**actions, "action_units": [], "expressions": "The face moves as noted."}
        if '"Eyes"' in system:
            return {key: believed.get(key) for key in LOOKS}
        return "A person is seen before a plain background, and the face shows what was noted."

    def _vote(
        self, number: int, question: str, answer: str, facts: Mapping[str, Fact], believed: Mapping[str, str]
    ) -> dict:
        for name, fact in facts.items():
            if committee_question(fact.task) == question:
                right = fact.task.score(answer, believed[name]) == 1.0
                return {"sample": number, "right": right, "wrong": "" if right else f"It is {believed[name]}."}
        return {"sample": number, "right": True, "wrong": ""}


def _pairs(text: str, objections: bool = False) -> dict[int, tuple]:
    found: dict[int, tuple] = {}
    pattern = r"^(\d+)\. question: (.*)\n   answer: (.*)((?:\n   a member said: .*)*)"
    for number, question, answer, said in re.findall(pattern, text, re.MULTILINE):
        extra = (re.findall(r"It is (.*)\.", said),) if objections else ()
        found[int(number)] = (question, answer, *extra)
    return found


def _again(number: int, question: str, answer: str, said: Sequence[str]) -> dict:
    named = Counter(said).most_common(1)
    return {"sample": number, "answer": named[0][0] if named else answer}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        models = self.server.models
        status, body = models.answer(json.loads(raw), self.headers["Idempotency-Key"] or "")
        content = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):  # a client that is gone
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass

"""A judge's replies on disk, by what was asked: a killed run goes on where it was, and a second one costs nothing.

SQLite with a write-ahead log: each reply is committed as it comes and survives a SIGKILL at any time, and several
processes may share the file. A reply is kept as the text that it was, so that how it is read may improve; a question
that got none is kept with the reason, which lists it and does not answer it.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from videmo.errors import InputError

_APPLICATION = 0x7669646A  # marks the file as ours among SQLite's
_VERSION = 1
_AT_ONCE = 500  # keys in a query; older SQLite takes 999 values
_BUSY = 30.0  # seconds that another process may take to write


@dataclass(frozen=True)
class Reply:
    """What came back for a question.

    Attributes:
        text: What the judge wrote.
        finish: Why it ended, as the server says: ``stop``, ``length``, ``content_filter``, or ``refusal``.
        prompt_tokens, completion_tokens: As the server counted them; 0 where it did not.
    """

    text: str
    finish: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True)
class Failure:
    """A question that got no reply, and why."""

    reason: str


def reply_key(model: str, prompt_hash: str, messages: Sequence[dict], temperature: float | None) -> str:
    """The key of a question: what the reply depends on, wherever the model is served.

    The bound on a reply's tokens is no part of it: a reply that ended before it is the same under any other.
    """
    content = json.dumps([model, prompt_hash, messages, temperature], ensure_ascii=True)
    return hashlib.sha256(content.encode()).hexdigest()


class ReplyCache:
    """The file; a context manager.

    Args:
        path: Is made where it is not there.
        option: By which a user names another.

    Raises:
        InputError: If it cannot be opened or written, is damaged, or is another program's; so do all methods.
    """

    def __init__(self, path: Path, option: str = "judge.cache") -> None:
        self.path, self._option = path, option
        with self._in_words():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        try:
            with self._in_words():
                self._set_up()
        except InputError:
            self._file.close()
            raise

    def __enter__(self) -> "ReplyCache":
        return self

    def __exit__(self, *error) -> None:
        self._file.close()

    def find(self, keys: Iterable[str]) -> dict[str, Reply | Failure]:
        """What is known of the keys; those of which nothing is are left out."""
        keys, found = list(keys), {}
        columns = "key, reply, finish, failure, prompt_tokens, completion_tokens"
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            with self._in_words():
                rows = self._file.execute(f"SELECT {columns} FROM replies WHERE key IN ({marks})", some).fetchall()
            for key, text, finish, failure, prompt_tokens, completion_tokens in rows:
                is_failure = text is None
                found[key] = Failure(failure) if is_failure else Reply(text, finish, prompt_tokens, completion_tokens)
        return found

    def put(self, key: str, model: str, prompt: str, outcome: Reply | Failure) -> None:
        """Write what came of a question; a failure never replaces a reply.

        Args:
            key: Of the question.
            model, prompt: Who was asked by what, for those who look into the file.
            outcome: What came back.
        """
        if isinstance(outcome, Reply):
            values = (outcome.text, outcome.finish, None, outcome.prompt_tokens, outcome.completion_tokens)
        else:
            values = (None, None, outcome.reason, 0, 0)
        with self._in_words():
            self._file.execute(
                "INSERT INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
                "reply = excluded.reply, finish = excluded.finish, failure = excluded.failure, "
                "prompt_tokens = excluded.prompt_tokens, completion_tokens = excluded.completion_tokens, "
                "time = excluded.time WHERE excluded.reply IS NOT NULL OR replies.reply IS NULL",
                (key, model, prompt, *values, time.time()),
            )

    def _set_up(self) -> None:
        """Begin an empty file, or make sure that it is ours."""
        # In write-ahead mode a commit is then safe from a kill, if not from a power cut, and takes no milliseconds.
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.execute("BEGIN")  # so that all is read as of one moment
        marked, version = (self._pragma(name) for name in ("application_id", "user_version"))
        is_empty = not self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        self._file.execute("COMMIT")
        if (marked, version) == (_APPLICATION, _VERSION):
            return
        if not is_empty and marked != _APPLICATION:
            raise InputError(f"{self.path} is another program's database; name another file as {self._option}")
        if version > _VERSION:
            raise InputError(
                f"{self.path} was written by a newer videmo; update, or name another file as {self._option}"
            )
        self._write_ahead()
        self._file.execute("BEGIN IMMEDIATE")  # of several processes that begin it at once, one does
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, model TEXT, prompt TEXT, reply TEXT, "
            "finish TEXT, failure TEXT, prompt_tokens INTEGER, completion_tokens INTEGER, time REAL) WITHOUT ROWID"
        )
        self._file.execute(f"PRAGMA application_id = {_APPLICATION}")
        self._file.execute(f"PRAGMA user_version = {_VERSION}")
        self._file.execute("COMMIT")

    def _write_ahead(self) -> None:
        """Switch the file to its write-ahead log; SQLite does not wait for it while another process is in there."""
        until = time.monotonic() + _BUSY
        while True:
            try:
                self._file.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def _pragma(self, name: str) -> int:
        return self._file.execute(f"PRAGMA {name}").fetchone()[0]

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:  # locked, full, read-only
            raise InputError(
                f"the cache of replies {self.path} cannot be used: {error}; see that it is on a local disk with room "
                f"and may be written, or name another file as {self._option}"
            ) from None
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"the cache of replies {self.path} is damaged ({error}): remove it, and the files -wal and -shm beside "
                f"it, or name another as {self._option}; the replies in it are asked anew"
            ) from None
        except OSError as error:
            raise InputError(
                f"the cache of replies {self.path} cannot be made ({error.strerror}); name another file as "
                f"{self._option}"
            ) from None

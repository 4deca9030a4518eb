"""How a judge is reached and asked: the options of ``--judge``."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from videmo.errors import InputError, check_positive


@dataclass(frozen=True)
class JudgeSettings:
    """A model behind an OpenAI-compatible server. The key is read from the environment, and from nowhere else."""

    WHO: ClassVar[str] = "judge"  # in messages
    base_url: str = ""
    """Of the server: https://api.openai.com/v1, http://localhost:8000/v1 for vLLM, ..."""
    model: str = ""
    """Its name there, such as gpt-4o-2024-08-06: a dated name judges the same tomorrow."""
    api_key_env: str = field(default="OPENAI_API_KEY", repr=False)
    """Environment variable that holds the key; a server of your own may need none."""
    concurrency: int = 8
    """Requests under way at a time."""
    timeout: float = 60.0
    """Seconds a reply may take."""
    max_retries: int = 6
    """How often one question is asked again after a rate limit, a server's error or a time-out."""
    backoff: float = 1.0
    """Seconds before the first of these, doubled for each; a server that says how long to wait is obeyed instead."""
    temperature: float | None = 0.0
    """Of sampling; null sends none, for models that refuse it."""
    max_tokens: int | None = None
    """That a reply may take; each prompt says so itself. Raise it for a model that reasons first."""
    cache: str | None = None
    """SQLite file of replies, which runs may share; judge.sqlite in ~/.cache/videmo by default (or $XDG_CACHE_HOME)."""
    prompts: str | None = None
    """Folder whose labels.yaml, yes_no.yaml, caption.yaml, understanding.yaml, tree.yaml or candidate.yaml replace the
    shipped ones."""
    requests_per_minute: int | None = None
    """No more than these are sent; without it only the server's own limits slow the run."""
    price_in: float | None = None
    """Of a million prompt tokens, in any currency."""
    price_out: float | None = None
    """Of a million reply tokens, in the same."""
    retry_missing: bool = False
    """Ask again what got a reply before that could not be read."""

    def option(self, name: str) -> str:
        """What a setting is called on the command line."""
        return f"{self.WHO}.{name}"

    def check(self) -> None:
        """
        Raises:
            InputError: If an option is none that could work, naming it; a parser of types would bury it, and repeat all
                values, of which one may be a key in the wrong place.
        """
        for name, example in (("base_url", "https://api.openai.com/v1"), ("model", "gpt-4o-2024-08-06")):
            if not getattr(self, name).strip():
                raise InputError(f"a {self.WHO} needs {self.option(name)}, such as {example}")
        _check_url(self.base_url, self.option("base_url"))
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.api_key_env):
            raise InputError(  # it may be the key itself, which no message repeats
                f"{self.option('api_key_env')} is no name of an environment variable. If it is the key itself, put "
                "that into a variable such as OPENAI_API_KEY and give the variable's name"
            )
        for name in ("concurrency", "timeout", "max_tokens", "requests_per_minute"):
            check_positive(self.option(name), getattr(self, name))
        for name in ("max_retries", "backoff", "temperature", "price_in", "price_out"):
            if (value := getattr(self, name)) is not None and not 0 <= value < float("inf"):
                raise InputError(f"{self.option(name)} must be 0 or more, got {value}")
        if (self.price_in is None) != (self.price_out is None):
            raise InputError(f"{self.option('price_in')} and price_out belong together: give both, or neither")

    @property
    def cache_file(self) -> Path:
        """Where replies are kept."""
        if self.cache is not None:
            return Path(self.cache).expanduser()
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "videmo" / "judge.sqlite"

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """Of so many tokens; None without prices.

        >>> JudgeSettings("http://localhost/v1", "m", price_in=2.5, price_out=10).cost(1_000_000, 200_000)
        4.5
        """
        if self.price_in is None or self.price_out is None:
            return None
        return (prompt_tokens * self.price_in + completion_tokens * self.price_out) / 1e6

    def key(self) -> str | None:
        """The key; None where the variable is not set.

        Raises:
            InputError: If it cannot be a key, without repeating it.
        """
        key = os.environ.get(self.api_key_env, "").strip()
        if not key.isascii() or not key.isprintable() or " " in key:
            raise InputError(
                f"the environment variable {self.api_key_env} holds no key: it has spaces or odd characters"
            )
        return key or None


def _check_url(url: str, option: str) -> None:
    """Only a plain address: what it would carry besides could be a secret, which messages and logs would repeat."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, known = None, False
    if parts and ("@" in parts.netloc or parts.query or parts.fragment):
        raise InputError(
            f"{option} carries a user, a query or a fragment; give the plain address, and the key in the environment"
        )
    if parts is None or not known:
        raise InputError(f"{option} must be an address such as http://localhost:8000/v1, got {url!r}")
    if parts.path.rstrip("/").endswith("/chat/completions"):
        raise InputError(f"{option} {url} is too long: leave out /chat/completions, which is added")

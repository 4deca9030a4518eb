"""One thing to ask a model: the conversation, the pictures that go along, and how its reply is read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from videmo.judge.prompt import Prompt


class Pictures(Protocol):
    """Pictures that go along with a question; they are made only where it is sent."""

    @property
    def key(self) -> str:
        """What they depend on: the same key, the same pictures."""

    @property
    def tokens(self) -> int:
        """About how many tokens they are."""

    def urls(self) -> list[str]:
        """The pictures as data URLs, in their order.

        Raises:
            InputError: If they cannot be made.
        """


@dataclass(frozen=True)
class Request:
    """A question as it is sent.

    Attributes:
        key: What its reply depends on; replies are kept under it.
        prompt: It was made by.
        messages: The conversation, texts alone.
        max_tokens: That a reply may take.
        read: A reply's text to its value; raises `UnreadableReply`.
        response_format: What a server may be held to; None for words.
        pictures: Shown before the last message's text.
    """

    key: str
    prompt: Prompt
    messages: list[dict[str, str]]
    max_tokens: int
    read: Callable[[str], Any]
    response_format: dict | None = None
    pictures: Pictures | None = None

    def on_the_wire(self) -> list[dict]:
        """The conversation with its pictures.

        Raises:
            InputError: If they cannot be made.
        """
        if self.pictures is None:
            return self.messages
        *before, last = self.messages
        shown = [{"type": "image_url", "image_url": {"url": url}} for url in self.pictures.urls()]
        return [*before, {**last, "content": [*shown, {"type": "text", "text": last["content"]}]}]

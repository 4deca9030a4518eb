"""What a process that decodes and the one that asks say to each other.

Messages are pickles with their length before them. Requests are ``("probe", path)``, which a ``VideoInfo`` answers, and
``("read", path, settings)``, which a ``Frames`` answers: one message each way, since on a busy machine every change
of process costs a tenth of a millisecond. The pixels stand in a file that both sides hold open. ``Failed`` may come
instead of either; an ``Exception`` is a fault of ours, and carries its trace.
"""

import pickle
from dataclasses import dataclass
from typing import IO, Any

from videmo.data.reader import Unreadable

LENGTH_BYTES = 4


@dataclass(frozen=True)
class Frames:
    """The pixels of the frames asked for are in the shared file.

    Attributes:
        shape: Of the uint8 array.
        sampled_fps: Frames per second that they amount to.
        backend: What has read them.
    """

    shape: tuple[int, int, int, int]
    sampled_fps: float
    backend: str


@dataclass(frozen=True)
class Failed:
    """No backend could read the file.

    Attributes:
        reasons: Of each backend in a few words.
        opened: Whether one opened it at least.
        problem: What kind of file it is to the backend that saw most of it.
    """

    reasons: dict[str, str]
    opened: bool
    problem: type[Unreadable]


class ParentGoneError(Exception):
    """The other side has closed."""


def send(stream: IO[bytes], message: Any) -> None:
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(len(content).to_bytes(LENGTH_BYTES, "little") + content)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next message.

    Raises:
        ParentGoneError: If there is none.
    """
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        raise ParentGoneError
    return pickle.loads(stream.read(int.from_bytes(head, "little")))

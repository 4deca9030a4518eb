"""What a process that decodes and the one that asks say to each other.

Messages are pickles with their length before them. A request is ``("probe", path)``, answered by a ``VideoInfo``, or
``("read", path)``: the answer is an ``Opened``, the reader's word for it the numbers of the pictures, and the answer to
that a ``Frames``, whose pixels stand in the file that both sides hold open. If a backend opens a file and fails to
decode it, another ``Opened`` comes, of the next one. ``Failed`` may come instead of any answer; an ``Exception`` is a
fault of ours, and carries its trace.
"""

import pickle
from dataclasses import dataclass
from typing import Any, BinaryIO

LENGTH_BYTES = 4


@dataclass(frozen=True)
class Opened:
    """A backend has opened the file, which has so many pictures; which of them are wanted?"""

    backend: str
    num_frames: int
    fps: float


@dataclass(frozen=True)
class Frames:
    """The pixels are in the shared file: uint8 of this shape."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class Failed:
    """No backend could read the file.

    Attributes:
        reasons: Of each backend in a few words.
        opened: Whether one opened it at least.
        no_picture_stream: Whether the last one found nothing to look at in it.
        no_frames: Whether it found a picture stream without pictures.
    """

    reasons: dict[str, str]
    opened: bool = False
    no_picture_stream: bool = False
    no_frames: bool = False


class ParentGoneError(Exception):
    """The other side has closed."""


def send(stream: BinaryIO, message: Any) -> None:
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(len(content).to_bytes(LENGTH_BYTES, "little") + content)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """The next message.

    Raises:
        ParentGoneError: If there is none.
    """
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        raise ParentGoneError
    return pickle.loads(stream.read(int.from_bytes(head, "little")))

"""What a backend that reads videos is: opens a file, counts its pictures, and gives the pictures asked for."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

Allocate = Callable[[tuple[int, ...]], np.ndarray]
"""Gives memory for bytes of a shape."""


class Reader(Protocol):
    """One open video file.

    The pictures that a player shows are numbered from 0. All backends count the same, turn pictures as the file says,
    and give the same pixels; a file with which a backend could not do that it refuses by ``Unreadable``.

    Attributes:
        num_frames: Pictures that a player shows.
        fps: Of them a second, on average; 0 or not finite where the file does not say.
    """

    num_frames: int
    fps: float

    def read(self, indices: Sequence[int], allocate: Allocate) -> np.ndarray:
        """The pictures of those numbers, uint8 ``[F, H, W, 3]``, in memory that `allocate` gives."""

    def close(self) -> None: ...


class Unreadable(Exception):
    """A backend cannot read a file; the message says why in a few words."""


class NoPictureStreamError(Unreadable):
    """The file opens, but holds nothing to look at that the backend can decode."""


class OnlySoundError(NoPictureStreamError):
    """The file opens, and holds sound alone."""


class NoFramesError(Unreadable):
    """The file opens and has a picture stream, in which there is nothing."""


class NoRateError(Unreadable):
    """The file opens and has pictures, but does not say how many a second."""

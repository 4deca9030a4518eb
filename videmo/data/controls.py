"""Controls: what a model is shown instead of a video, to see what its score owes to looking.

A score that does not fall on ``blank`` or ``swapped`` videos came from the text; one that does not fall on ``shuffled``
frames or a ``frozen`` one owes nothing to motion, which is as it should be for the colour of hair.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:  # the command line reads names here, and is to start without torch
    from torch import Tensor

Control = Literal["blank", "shuffled", "frozen", "swapped"]
Shown = Control | Literal["none"]
CONTROLS: tuple[Control, ...] = get_args(Control)


def altered_frames(frames: "Tensor", control: Shown, key: str) -> "Tensor":
    """The frames of a video under a control, the same for the same `key`.

    Args:
        frames: As sampled, uint8.  # [F, H, W, 3]
        control: ``none``, ``blank`` and ``swapped`` leave them as they are here.
        key: The video's path.
    """
    if control == "frozen":
        return frames[:1].expand_as(frames)
    if control == "shuffled" and len(frames) > 1:
        rng = np.random.default_rng(list(key.encode()))
        order = np.arange(len(frames))
        while (order == np.arange(len(frames))).all():  # a shuffle that shuffles nothing is none
            order = rng.permutation(len(frames))
        return frames[order]
    return frames


def swaps(paths: Sequence[str], seed: int = 0) -> dict[str, str]:
    """Each video's stand-in under ``swapped``: another of the same videos, each used once.

    Example:
        >>> sorted(swaps(["a", "b", "c"]).items())
        [('a', 'b'), ('b', 'c'), ('c', 'a')]
    """
    shuffled = [paths[place] for place in np.random.default_rng(seed).permutation(len(paths))]
    return dict(zip(shuffled, [*shuffled[1:], *shuffled[:1]], strict=True))

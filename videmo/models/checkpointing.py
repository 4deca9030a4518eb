"""Activation checkpointing of a block: its input is kept, and backward computes the rest once more.

transformers' layers hand what stands below to a function of ours, in training alone. ``torch.compile`` from outside
stops where that function is called, so that next to nothing of the block would be compiled; it must be inside.
"""

from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def checkpoint_block(forward: partial, hidden: Tensor, *args) -> Tensor:
    """What a block makes of its hidden states.

    Args:
        forward: The block's, with all that it takes by name.
        hidden: Its input, which is kept.
        args: What else it takes in order.
    """
    return checkpoint(forward, hidden, *args, use_reentrant=False)


def checkpoint_compiled(forward: partial, hidden: Tensor, *args) -> Tensor:
    """``checkpoint_block`` of a block that is compiled, for any length."""
    compiled = partial(_compiled(forward.func), *forward.args, **forward.keywords)
    return checkpoint_block(compiled, hidden, *args)


@cache
def _compiled(forward: Callable) -> Callable:
    """One for all blocks of a class: their weights are inputs of the graph."""
    return torch.compile(forward, dynamic=True)

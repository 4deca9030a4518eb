"""The reference policy: the weights that reinforcement learning starts from.

Copies of what trains are enough, as all else stays as it is. For a forward of the reference they change places with the
policy's, parameter by parameter and in place, so that sharded strategies, optimizers and adapters notice nothing: with
LoRA the reference is the adapter as it was, and not the base without one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from videmo.errors import InputError
from videmo.models.backbone import Backbone
from videmo.models.encoding import is_wrapped


class Reference:
    """A copy of a backbone's trained weights, of each rank's part where they are sharded.

    Args:
        backbone: The policy, as it is now.

    Raises:
        InputError: If it is sharded in a way in which some weights stay gathered, where none can take their places.
    """

    def __init__(self, backbone: Backbone) -> None:
        if is_wrapped(backbone) or any(hasattr(p, "ds_id") for p in backbone.parameters()):
            raise InputError(
                "the KL penalty compares with the weights that the run starts from, and those cannot take their places "
                "under FSDP 1 and ZeRO-3; use configs/trainer/fsdp2.yaml, or set model.init_args.beta to 0"
            )
        self._backbone = backbone
        self._weights = [own_part(p).detach().clone() for p in _trained(backbone)]

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The backbone is the reference inside the block. No graph of it may be waiting for its backward."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        if isinstance(self._backbone, FSDPModule):
            self._backbone.reshard()  # after a forward without gradients the root's parameters stay gathered
        for number, p in enumerate(_trained(self._backbone)):
            now, other = own_part(p), self._weights[number].to(own_part(p).device)
            kept = now.clone()
            now.copy_(other)
            self._weights[number] = other.copy_(kept)
        torch.clear_autocast_cache()  # it holds the others' weights in lower precision


def own_part(p: nn.Parameter) -> Tensor:
    """What this rank keeps of a parameter, as the storage itself: its part under FSDP2, else all of it."""
    return p.to_local() if isinstance(p, DTensor) else p.data


def _trained(backbone: Backbone) -> list[nn.Parameter]:
    return [p for p in backbone.parameters() if p.requires_grad]

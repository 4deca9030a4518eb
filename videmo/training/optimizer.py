"""The optimizer: AdamW, or Muon for the matrices of a model that is trained from random weights.

Fine-tuning a published checkpoint takes AdamW, as the paper does. From scratch, Muon (Jordan et al. 2024, momentum made
orthogonal before it is applied; torch's own) needs a third of the steps; `docs/log.md` has the curves.
"""

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from videmo.errors import InputError

OptimizerName = Literal["adamw", "muon"]


def make_optimizer(
    named_parameters: Iterable[tuple[str, nn.Parameter]],
    name: OptimizerName,
    *,
    lr: float,
    weight_decay: float,
    beta2: float,
) -> torch.optim.Optimizer:
    """An optimizer of all parameters that require a gradient.

    Args:
        named_parameters: Of the module.
        name: ``muon`` updates matrices by Muon, at a step size matched to AdamW's, and embeddings, output heads and
            vectors by AdamW.
        lr: Learning rate.
        weight_decay: Decoupled, of both.
        beta2: AdamW's second-moment decay.

    Raises:
        InputError: If there are no matrices for Muon.
    """
    trained = [(key, p) for key, p in named_parameters if p.requires_grad]
    matrices = [p for key, p in trained if p.ndim == 2 and "embed" not in key and "head" not in key]
    by_muon = {id(p) for p in matrices} if name == "muon" else set()
    if name == "muon" and not by_muon:
        raise InputError(
            "muon updates whole matrices, and none are to be trained here, or FSDP 1 and DeepSpeed cut them into flat "
            "parts; use model.optimizer=adamw, or configs/trainer/fsdp2.yaml"
        )
    adamw = torch.optim.AdamW(
        [p for _, p in trained if id(p) not in by_muon], lr=lr, weight_decay=weight_decay, betas=(0.9, beta2)
    )
    if not by_muon:
        return adamw
    muon = torch.optim.Muon(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
    return Joined(muon, adamw)


class Joined(torch.optim.Optimizer):
    """Several optimizers of disjoint parameters as one, for a trainer and a scheduler that want one.

    Args:
        parts: The optimizers, of one group of parameters each, which is named after its optimizer in the logs.
    """

    def __init__(self, *parts: torch.optim.Optimizer) -> None:
        self.parts = parts
        for part in parts:
            (group,) = part.param_groups
            group["name"] = type(part).__name__.lower()
        super().__init__([p for part in parts for group in part.param_groups for p in group["params"]], {})
        self.param_groups = [group for part in parts for group in part.param_groups]
        self._share()

    def _share(self) -> None:
        """The parts work on the groups and states that stand here, for schedulers and checkpoints to find."""
        for part, group in zip(self.parts, self.param_groups, strict=True):
            part.param_groups, part.state = [group], self.state

    def step(self, closure=None) -> Tensor | None:
        loss = closure() if closure is not None else None
        for part in self.parts:
            part.step()
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._share()

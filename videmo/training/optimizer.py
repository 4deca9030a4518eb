"""The optimizer: AdamW, in 8 bits where memory is short, or Muon for a model that is trained from random weights.

Fine-tuning a published checkpoint takes AdamW, as the paper does; bitsandbytes keeps its two moments in 8 bits each
(Dettmers et al. 2022), and paged ones move to the host when a GPU is full. From scratch, Muon (Jordan et al. 2024,
momentum made orthogonal before it is applied; torch's own) needs a third of the steps; `docs/log.md` has the curves.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import nn

from videmo.errors import InputError

NOTHING_TRAINS = "nothing trains: set one of model.vision, model.merger and model.language to full or lora"
OptimizerName = Literal["adamw", "adamw_8bit", "paged_adamw_8bit", "muon"]


class Group(NamedTuple):
    """Parameters with a learning rate of their own, and the group's name in the logs."""

    name: str
    learning_rate: float
    named_parameters: Sequence[tuple[str, nn.Parameter]]


def make_optimizer(
    groups: Sequence[Group], name: OptimizerName, *, weight_decay: float, beta2: float
) -> torch.optim.Optimizer:
    """An optimizer of all parameters that require a gradient.

    Args:
        groups: Those without such a parameter are left out.
        name: ``muon`` updates matrices by Muon, at a step size matched to AdamW's, and embeddings, output heads and
            vectors by AdamW; the others update all.
        weight_decay: Decoupled, of both.
        beta2: AdamW's second-moment decay.

    Raises:
        InputError: If nothing trains, the optimizer needs a GPU, or there are no matrices for Muon.
    """
    if not any(p.requires_grad for group in groups for _, p in group.named_parameters):
        raise InputError(NOTHING_TRAINS)
    if name == "paged_adamw_8bit" and not torch.cuda.is_available():
        raise InputError("paged_adamw_8bit moves memory between host and GPU, and there is no GPU; use adamw_8bit")
    matrices = _param_groups(groups, lambda key, p: name == "muon" and _by_muon(key, p))
    others = _param_groups(groups, lambda key, p: name != "muon" or not _by_muon(key, p))
    if name == "muon" and not matrices:
        raise InputError(
            "muon updates whole matrices, and none train here, or FSDP 1 and DeepSpeed cut them into flat parts; use "
            "model.optimizer=adamw, or configs/trainer/fsdp2.yaml"
        )
    parts: list[torch.optim.Optimizer] = []
    if matrices:
        parts.append(torch.optim.Muon(matrices, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"))
    if others:
        parts.append(_adamw(name)(others, weight_decay=weight_decay, betas=(0.9, beta2)))
    return Joined(*parts) if len(parts) > 1 else parts[0]


def _adamw(name: OptimizerName) -> Callable[..., torch.optim.Optimizer]:
    if not name.endswith("_8bit"):
        return _fused_adamw
    import bitsandbytes as bnb  # takes its time

    return {"adamw_8bit": bnb.optim.AdamW8bit, "paged_adamw_8bit": bnb.optim.PagedAdamW8bit}[name]


def _fused_adamw(*args: Any, **options: Any) -> torch.optim.AdamW:
    """One pass over memory, and no copies in it.

    The fused step could divide by a loss scale itself. Lightning clips no gradients of such an optimizer, in bfloat16
    neither, where nothing is scaled; so it says that it cannot, and a scaler divides before the step.
    """
    optimizer = torch.optim.AdamW(*args, fused=True, **options)
    optimizer._step_supports_amp_scaling = False
    return optimizer


def _by_muon(key: str, p: nn.Parameter) -> bool:
    return p.ndim == 2 and "embed" not in key and "head" not in key


def _param_groups(groups: Sequence[Group], chosen: Callable[[str, nn.Parameter], bool]) -> list[dict[str, Any]]:
    """torch's form of the groups, with the chosen ones of the parameters that train."""
    found = [
        {"params": [p for key, p in own if p.requires_grad and chosen(key, p)], "lr": rate, "name": name}
        for name, rate, own in groups
    ]
    return [group for group in found if group["params"]]


class Joined(torch.optim.Optimizer):
    """Several optimizers of disjoint parameters as one, for a trainer and a scheduler that want one.

    Args:
        parts: The optimizers, whose groups bear their name in the logs, too.
    """

    def __init__(self, *parts: torch.optim.Optimizer) -> None:
        self.parts = parts
        for part in parts:
            for group in part.param_groups:
                group["name"] = f"{type(part).__name__.lower()}/{group['name']}"
        super().__init__([p for part in parts for group in part.param_groups for p in group["params"]], {})
        self.param_groups = [group for part in parts for group in part.param_groups]
        self._share()

    def _share(self) -> None:
        """The parts work on the groups and states that stand here, for schedulers and checkpoints to find."""
        groups = iter(self.param_groups)
        for part in self.parts:
            part.param_groups, part.state = [next(groups) for _ in part.param_groups], self.state

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = closure() if closure is not None else None
        for part in self.parts:
            part.step()
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._share()

"""The transformers model that a checkpoint stands for: its base, with the weights that trained in their places."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from transformers import Qwen2_5_VLForConditionalGeneration

from videmo.errors import InputError
from videmo.export.checkpoint import TrainedWeights

SHOWN = 3  # names in a sentence


def put_weights(model: Qwen2_5_VLForConditionalGeneration, trained: TrainedWeights, base: str) -> None:
    """Put a checkpoint's weights into its base; the base keeps those that the checkpoint has none of.

    Args:
        model: The base, of transformers' class and with its names.
        trained: The checkpoint.
        base: What the base is called.

    Raises:
        InputError: If the two do not fit, naming both.
    """
    weights = {name.removeprefix("model."): weight for name, weight in trained.weights.items()}
    own = model.state_dict()
    unknown = [name for name in weights if name not in own]
    if unknown:
        raise InputError(
            f"{trained.path} holds {_some(unknown)}, and {base} has no such weights: it was trained from another "
            "model; name that one with --base"
        )
    for name, weight in weights.items():
        if weight.shape != own[name].shape:
            raise InputError(
                f"{trained.path} holds {name} of shape {tuple(weight.shape)}, in {base} it is "
                f"{tuple(own[name].shape)}: it was trained from another model; name that one with --base"
            )
    _check_tied(own, weights, trained, base)
    given = {own[name].data_ptr() for name in weights}
    missing = [n for n in own if own[n].data_ptr() not in given and not _stayed(n, trained.arguments)]
    if missing:
        raise InputError(
            f"{trained.path} lacks {_some(missing)}, which its run trained and {base} has: the file was cut or "
            "changed; save it again, or choose another"
        )
    with torch.no_grad():
        for name, weight in weights.items():
            own[name].copy_(weight)


def _check_tied(own: Mapping[str, Tensor], weights: Mapping[str, Tensor], trained: TrainedWeights, base: str) -> None:
    """Two names of one weight in the base must have one value in the checkpoint."""
    first: dict[int, str] = {}
    for name in weights:
        other = first.setdefault(own[name].data_ptr(), name)
        if other != name and not torch.equal(weights[other], weights[name]):
            raise InputError(
                f"{trained.path} holds {other} and {name} with different values, and {base} ties the two: it was "
                "trained from another model; name that one with --base"
            )


def _stayed(name: str, arguments: Mapping) -> bool:
    return bool(arguments.get("freeze_vision")) and "visual." in name


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more

"""What a checkpoint stands for, as others know it: a whole transformers model, or the files of a peft adapter.

A whole model is the base with what trained in its places, and with adapters added to the weights, in float32. Under
QLoRA the adapters learnt beside weights of 4 bits, so they are added to what those 4 bits say; and whatever the base's
own type, what did not train is rounded to the one in which training read it (``model.dtype``): the merged model is the
one that trained.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn
from transformers import Qwen2_5_VLForConditionalGeneration

from videmo.errors import InputError
from videmo.export.checkpoint import TrainedWeights
from videmo.models.adapters import Lora, lora_config
from videmo.models.backbone import Backbone
from videmo.models.quantization import unpacked
from videmo.models.scopes import SCOPES, Scope
from videmo.pretrained import base_fingerprint, load_config
from videmo.training.trained import trained_names

SHOWN = 3  # names in a sentence


def has_adapters(arguments: Mapping[str, Any]) -> bool:
    """Whether any scope of a module with these arguments trains by LoRA."""
    return any(scope.mode == "lora" for scope in _training(arguments)[0].values())


def trains_whole(arguments: Mapping[str, Any]) -> bool:
    """Whether every weight trains, so that nothing of the base is left."""
    return all(scope.mode == "full" for scope in _training(arguments)[0].values())


def whole_model(trained: TrainedWeights, base: str) -> Qwen2_5_VLForConditionalGeneration:
    """The trained model without anything of peft's or ours.

    Args:
        trained: The checkpoint.
        base: The model that it was trained from.

    Raises:
        InputError: If the two do not fit, naming both.
    """
    scopes, lora = _training(trained.arguments)
    _check_base(trained, base)
    dtype = trained.arguments.get("dtype", "float32")
    backbone = Backbone.load(base, **trained.where, dtype=dtype, **scopes, lora=lora)
    if trained.arguments.get("quantization"):
        unpack_in_place(backbone.model.model.language_model)
    backbone.load_state_dict(_fitting(backbone, trained, base), strict=False)
    for name, module in list(backbone.model.named_modules()):
        if isinstance(module, BaseTunerLayer):
            module.get_base_layer().float()
            module.merge()
            backbone.model.set_submodule(name, module.get_base_layer())
    return backbone.model


def adapter(trained: TrainedWeights, base: str) -> tuple[LoraConfig, dict[str, Tensor]]:
    """peft's config and weights of the adapters; of the base only the names and shapes are looked at.

    Raises:
        InputError: If the checkpoint does not fit the base, or a scope trained fully that peft cannot keep beside them.
    """
    scopes, lora = _training(trained.arguments)
    if full := [name for name in ("vision", "language") if scopes[name].mode == "full"]:
        raise InputError(
            f"{trained.path} trained the {full[0]} scope fully beside adapters, which an adapter folder does not hold; "
            "export a whole model with --merge"
        )
    _check_base(trained, base)
    config = load_config(base, **trained.where)
    with torch.device("meta"):
        backbone = Backbone(Qwen2_5_VLForConditionalGeneration(config), **scopes, lora=lora)
        model = Qwen2_5_VLForConditionalGeneration(config)
    fitting = _fitting(backbone, trained, base)
    given = lora_config(lora, [name for name in SCOPES if scopes[name].mode == "lora"])
    given.modules_to_save = ["visual.merger"] if scopes["merger"].mode == "full" else None
    peft_model = get_peft_model(model, given)
    weights = {_name_in_peft(name): weight for name, weight in fitting.items()}
    given.inference_mode, given.revision = True, trained.arguments.get("revision")
    # A folder by its whole path: peft looks for it from wherever the adapter is loaded.
    given.base_model_name_or_path = str(Path(base).absolute()) if Path(base).is_dir() else base
    return given, get_peft_model_state_dict(peft_model, state_dict=weights, save_embedding_layers=False)


def _name_in_peft(name: str) -> str:
    name = f"base_model.{name}"
    inside = "model.visual.merger."
    return name.replace(inside, f"{inside}modules_to_save.default.") if inside in name and "lora_" not in name else name


def unpack_in_place(language_model: nn.Module) -> None:
    """Round the weights that QLoRA packs to what their 4 bits say."""
    for name, layer in language_model.named_modules():
        if type(layer) is nn.Linear and "lora_" not in name:
            layer.weight.data = unpacked(layer)


def _training(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], Lora]:
    return {name: Scope(**arguments.get(name, {})) for name in SCOPES}, Lora(**arguments.get("lora", {}))


def _check_base(trained: TrainedWeights, base: str) -> None:
    load_config(base, **trained.where)  # its sentences on what is no model come first
    was, now = trained.base, base_fingerprint(base, **trained.where)
    if was and now and was != now:
        raise InputError(
            f"{trained.path} holds what was trained on {trained.arguments['checkpoint']} (weights {was[:8]}), and "
            f"{base} is another model (weights {now[:8]}); name the former with --base"
        )


def _fitting(backbone: Backbone, trained: TrainedWeights, base: str) -> dict[str, Tensor]:
    """The checkpoint's weights that train in a model; FSDP 1 and DeepSpeed keep the frozen ones, too."""
    own, trains = backbone.state_dict(), trained_names(backbone)
    another = "it was trained from another model; name that one with --base"
    if unknown := [name for name in trained.weights if name not in own]:
        raise InputError(f"{trained.path} holds {_some(unknown)}, for which {base} has no place: {another}")
    given = {name: weight for name, weight in trained.weights.items() if name in trains}
    for name, weight in given.items():
        if weight.shape != own[name].shape:
            shapes = tuple(weight.shape), tuple(own[name].shape)
            raise InputError(
                f"{trained.path} holds {name} of shape {shapes[0]}, in {base} it is {shapes[1]}: {another}"
            )
    if spoilt := next((name for name, weight in given.items() if not weight.isfinite().all()), None):
        raise InputError(
            f"{trained.path} holds NaN or infinite values in {spoilt}: its run had diverged when it was saved; choose "
            "an earlier checkpoint, and train on from there with a lower learning_rate"
        )
    same = _by_parameter(backbone)
    there = {same[name] for name in given}
    if missing := [name for name in own if name in trains and same[name] not in there]:
        raise InputError(
            f"{trained.path} lacks {_some(missing)}, which its run trained and {base} has: the file was cut or "
            "changed; save it again, or choose another"
        )
    first: dict[str, str] = {}
    for name in given:
        other = first.setdefault(same[name], name)
        if other != name and not torch.equal(given[other], given[name]):
            raise InputError(
                f"{trained.path} holds {other} and {name} with different values, and {base} ties the two: {another}"
            )
    return given


def _by_parameter(module: nn.Module) -> Mapping[str, str]:
    """Each name in a state dict -> the first name of the same weight, which tied embeddings share with the head."""
    first: dict[int, str] = {}
    names = {name: first.setdefault(id(p), name) for name, p in module.named_parameters(remove_duplicate=False)}
    return {name: names.get(name, name) for name in module.state_dict()}


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more

"""What a checkpoint holds of a model, the weights that train and no others, and which run they fit.

Whole fine-tuning trains every weight, so its checkpoints are whole. The weights of adapters, or of one scope, mean
something on the base that they were trained beside and in the same places alone, so a checkpoint says what those were.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from torch import Tensor, nn

from videmo.errors import InputError
from videmo.models.backbone import Backbone
from videmo.pretrained import computing_config

SHAPING = ("rank", "alpha", "rslora", "dora")
"""Settings of LoRA that decide what its weights compute; dropout may change."""


def trained_names(module: nn.Module) -> set[str]:
    """The names in a state dict of the weights that train, tied ones under each of theirs, and of buffers."""
    named = module.named_parameters(remove_duplicate=False)
    return {name for name, p in named if p.requires_grad} | {name for name, _ in module.named_buffers()}


def outline(checkpoint: str, backbone: Backbone, tokenizer: str) -> dict[str, Any]:
    """What two runs must share for the weights of one to fit the other; plain values, by the names of the options.

    Args:
        checkpoint: The base as the user names it.
        backbone: The model.
        tokenizer: What tells its tokenizer from others.
    """
    scopes, lora = backbone.scopes, backbone.lora
    adapted = [name for name, scope in scopes.items() if scope.mode == "lora"]
    settings = asdict(lora)
    keys = [*SHAPING, *(f"{name}_targets" for name in adapted)] if adapted else []
    return {
        "checkpoint": checkpoint,
        "base": "" if all(scope.mode == "full" for scope in scopes.values()) else backbone.base,
        "config": computing_config(backbone.config),
        "tokenizer": tokenizer,
        **{f"{name}.mode": scope.mode for name, scope in scopes.items()},
        **{f"lora.{key}": settings[key] for key in keys},
        "quantization": backbone.quantization,
    }


def refuse_other_model(was: Mapping[str, Any], now: Mapping[str, Any], resuming: bool) -> None:
    """Compare outlines.

    Args:
        was: The checkpoint's.
        now: This run's.
        resuming: Training goes on, and so on the same base to the bit; a test may have it in another precision.

    Raises:
        InputError: Naming both sides of what differs.
    """
    config = now["config"]
    for key, value in was.get("config", config).items():
        if value != config.get(key):
            raise InputError(
                f"the checkpoint was saved with a model whose config.json says {key} {value}, and that of "
                f"{now['checkpoint']} says {config.get(key)}; name the one that it was trained from as model.checkpoint"
            )
    if was.get("tokenizer") not in (None, now["tokenizer"]):
        raise InputError(
            f"the checkpoint was saved with another tokenizer or chat template ({was['tokenizer'][:8]}) than "
            f"{now['checkpoint']} has ({now['tokenizer'][:8]}); name the model that it was trained from as "
            "model.checkpoint"
        )
    skip = {"checkpoint", "base", "config", "tokenizer"} | (set() if resuming else {"quantization"})
    for key in [key for key in {**was, **now} if key not in skip]:
        if was.get(key) != now.get(key):
            raise InputError(
                f"the checkpoint was saved in a run with model.{key}={_said(was.get(key))}, this one has "
                f"{_said(now.get(key))}; give this run the same, by that run's configs or --model.init_args.{key}, or, "
                "to train on from what the other learnt, export it (`videmo export`) and name the folder as "
                "model.checkpoint"
            )
    if was.get("base") and now["base"] and was["base"] != now["base"]:
        raise InputError(
            f"the checkpoint holds what was trained on the base {was['checkpoint']} (weights {was['base'][:8]}), and "
            f"this run's base is {now['checkpoint']} (weights {now['base'][:8]}); name the same as model.checkpoint"
        )


def refuse_other_weights(given: Mapping[str, Tensor], trained: Mapping[str, Tensor], known: Collection[str]) -> None:
    """Compare state dicts by names and shapes.

    Args:
        given: The checkpoint's.
        trained: This run's, of what trains.
        known: The names of all weights of this run's model; a sharded checkpoint brings frozen ones, too.

    Raises:
        InputError: Naming a weight that only one side has, or that has two shapes.
    """
    differ = [name for name in trained if name in given and given[name].shape != trained[name].shape]
    if differ:
        sizes = [list(side[differ[0]].shape) for side in (given, trained)]
        raise InputError(
            f"the checkpoint is of another model: {differ[0]} is {sizes[0]} there and {sizes[1]} in this run "
            f"({len(differ)} such weights); name the checkpoint's base as model.checkpoint, and its lora.rank"
        )
    sides = [
        f"{what} {len(names)} weights that {who}, such as {names[0]}"
        for what, names, who in (
            ("it holds", [name for name in given if name not in known], "this run's model lacks"),
            ("this run trains", [name for name in trained if name not in given], "it lacks"),
        )
        if names
    ]
    if sides:
        raise InputError(
            f"the checkpoint does not fit this run: {'; '.join(sides)}. Give model.vision, model.merger, "
            "model.language and model.lora as in the run that saved it"
        )


def _said(value: Any) -> str:
    return "none" if value is None else f"[{','.join(value)}]" if isinstance(value, list) else str(value)

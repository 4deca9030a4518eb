"""``videmo plan``: tokens, steps, memory and time of a run, before it is launched.

videmo plan --config configs/sft.yaml --gpu_memory 80

It takes the options of ``videmo fit`` and a few of its own, builds the model on the meta device, and needs no GPU.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from jsonargparse import ArgumentParser

from videmo.data.datamodule import EmoCFGDataModule
from videmo.errors import InputError, check_positive
from videmo.models.sharding import refuse_what_cannot_be_cut
from videmo.plan.flops import MFU, count_flops, peak_tflops
from videmo.plan.knobs import knobs
from videmo.plan.memory import predict
from videmo.plan.setup import meta_model, setup_of
from videmo.plan.table import Plan, Time, show
from videmo.plan.work import Work
from videmo.plan.workload import from_data, from_settings
from videmo.training.optimizer import NOTHING_TRAINS

DEFAULT_TFLOPS = 312.0
"""An A100's, where the GPU is not known."""


def plan(args: Sequence[str], parse: Callable[[Sequence[str]], Mapping[str, Any]], console) -> int:
    """Print the plan of a run; the status is 1 where it does not fit the GPU.

    Args:
        args: The command line without ``plan``.
        parse: From the options of ``videmo fit`` to their values.
        console: Where the tables go.
    """
    own, fit_args = _own_options(args)
    made = make_plan(parse(fit_args), own.gpu_memory, own.mfu, own.peak_tflops)
    show(made, console)
    if own.json:
        Path(own.json).write_text(json.dumps(_plain(made), indent=1) + "\n", encoding="utf-8")
    return 0 if made.fits else 1


def _own_options(args: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="videmo plan",
        description="What a run needs, before it is launched. All options of `videmo fit` are taken, too.",
        allow_abbrev=False,
    )
    parser.add_argument("--gpu_memory", type=float, help="GB of one GPU; this machine's by default")
    parser.add_argument("--mfu", type=float, default=MFU, help="model FLOPs utilisation to assume; default %(default)s")
    parser.add_argument("--peak_tflops", type=float, help="dense bfloat16 TFLOP/s of a GPU; this machine's by default")
    parser.add_argument("--json", help="a file that everything is written to, too")
    own, fit_args = parser.parse_known_args(args)
    for name in ("gpu_memory", "mfu", "peak_tflops"):
        check_positive(f"--{name}", getattr(own, name))
    if own.mfu > 1:
        raise InputError(f"--mfu is a share of the peak, up to 1; got {own.mfu}")
    return own, fit_args


def make_plan(
    options: Mapping[str, Any], gpu_memory: float | None = None, mfu: float = MFU, tflops: float | None = None
) -> Plan:
    """The plan of a run.

    Args:
        options: Of ``videmo fit``.
        gpu_memory: GB of one GPU.
        mfu: Utilisation to assume.
        tflops: Peak of one GPU.
    """
    trainer, model = options["trainer"], options["model"]["init_args"]
    if "num_generations" in model:
        raise InputError(
            "`videmo plan` knows supervised fine-tuning; what GRPO needs depends on completions yet to be drawn. Plan "
            "the SFT config of the same model: GRPO adds a copy of what trains (beta above 0), and a query is as "
            "long as num_generations completions"
        )
    world, accumulate = devices(trainer), trainer["accumulate_grad_batches"]
    backbone = meta_model(model)
    data = _data_module(options["data"])
    work = (from_data if data.root.is_dir() else from_settings)(data, world, accumulate)
    precision = trainer["precision"] or "bf16-mixed"
    setup = setup_of(backbone, str(precision), model["optimizer"], trainer["strategy"], world, work.largest)
    if setup.sharding in ("fsdp", "fsdp2"):
        refuse_what_cannot_be_cut(backbone.quantization, model["optimizer"], dtensor=setup.sharding == "fsdp2")
    if not setup.trained:
        raise InputError(NOTHING_TRAINS)
    memory = predict(setup)
    checkpointed = predict(replace(setup, checkpointing=frozenset({"vision", "language"})))
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    if gpu_memory is None and device:
        gpu_memory = torch.cuda.get_device_properties(0).total_memory / 1e9
    tflops = tflops or peak_tflops(device) or DEFAULT_TFLOPS
    mean, steps = work.mean, [stage.steps for stage in work.stages]
    computed = Work(work.tokens, work.seen, mean.learned, mean.patches, mean.frames)
    flops = count_flops(setup.shape, computed, {name: own.mode for name, own in setup.computing.items()})
    time = Time(mfu, tflops, flops, flops * work.micro_batches / (tflops * 1e12 * mfu), steps)
    turned = knobs(setup, data.batch_size)
    return Plan(setup, memory, checkpointed, work, time, str(precision), gpu_memory, tuple(turned))


def devices(trainer: Mapping[str, Any]) -> int:
    """Devices of a trainer's options over all machines; those of this one where it says ``auto``.

    Raises:
        InputError: If there are none.

    >>> devices({"devices": "0,1", "num_nodes": 2})
    4
    """
    given, nodes = trainer["devices"], int(trainer["num_nodes"])
    named = given.strip(",").split(",") if isinstance(given, str) and "," in given else given
    if isinstance(named, list):
        count = len(named)
    elif str(named) in ("auto", "-1"):
        count = max(1, torch.cuda.device_count())
    else:
        count = int(named) if str(named).lstrip("-").isdigit() else 0
    if count < 1 or nodes < 1:
        raise InputError(
            "trainer.devices is auto, a number from 1 or a list of devices, and trainer.num_nodes a number from 1; got "
            f"{given} and {nodes}"
        )
    return count * nodes


def _data_module(options: Mapping[str, Any]) -> EmoCFGDataModule:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(EmoCFGDataModule, "data")
    return parser.instantiate_classes(parser.parse_object({"data": dict(options)}))["data"]


def _plain(made: Plan) -> dict[str, Any]:
    """What a plan says, for machines; bytes, tokens and seconds."""
    setup, memory = made.setup, made.memory
    return {
        "trained": {name: part.trained for name, part in setup.weights.items()},
        "parameters": {name: part.total for name, part in setup.weights.items()},
        "memory": {**asdict(memory), "allocated": memory.allocated, "peak": memory.peak},
        "with_checkpointing": {**asdict(made.checkpointed), "peak": made.checkpointed.peak},
        "gpu_memory": made.gpu_memory and made.gpu_memory * 1e9,
        "fits": made.fits,
        "strategy": setup.sharding,
        "devices": setup.world,
        "precision": made.precision,
        "workload": asdict(made.work),
        "time": {**asdict(made.time), "hours": made.time.hours},
        "knobs": {knob.option: knob.memory.peak for knob in made.knobs},
    }

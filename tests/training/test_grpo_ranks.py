"""GRPO by two processes (gloo, on the CPU), whole by DDP and in parts by FSDP2; one is at times without a query."""

import json
import os
from functools import partial
from pathlib import Path

import lightning as L
import pytest
import torch
from grpo_runs import LORA, FixedEngine, Says, Spelling, figures, fit, policy, records, watched
from lightning.pytorch.strategies import DDPStrategy
from ranks import free_port, run_ranks
from torch import Tensor
from torch.distributed.tensor import DTensor

from videmo.errors import InputError
from videmo.training.strategies import FSDP, FSDP2

STRATEGIES = {"ddp": partial(DDPStrategy, process_group_backend="gloo"), "fsdp2": FSDP2, "fsdp": FSDP}
RUNS = {  # the first by a fixed engine, the others by the policy's own draws
    "fixed": {"num_iterations": 2, "mask_truncated_completions": True, "learning_rate": 1e-3},
    "adapters": {"zero_std_retries": 2, "steps_per_generation": 2, **LORA},
    "mixed": {},
    "free": {"beta": 0.0},
}


class Gradients(L.Callback):
    """Of every step, whole, and what it logged."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Tensor]] = []
        self.logged: list[dict[str, float]] = []

    def on_before_optimizer_step(self, trainer, pl_module, optimizer) -> None:
        self.steps.append({n: whole(p.grad).clone() for n, p in pl_module.named_parameters() if p.grad is not None})

    def on_train_batch_end(self, trainer, *args) -> None:
        if not trainer.fit_loop._should_accumulate():
            self.logged.append(figures(trainer))


def whole(tensor: Tensor) -> Tensor:
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def train(
    folder: Path, world: Path, checkpoint: Path, files: list[str], name: str, strategy: str | None = None
) -> dict:
    """Three steps of 4, 4 and 1 query; what a process saw of them."""
    L.seed_everything(0, verbose=False)
    some_equal = Says(lambda c: 0.5 if len(c.text) % 2 else Spelling()([c])[0])
    module = policy(checkpoint, Spelling() if name == "fixed" else some_equal, **RUNS[name])
    if name == "fixed":
        module.engine = FixedEngine()
    precision = "bf16-mixed" if name == "mixed" else "32-true"

    def options(epochs: int) -> dict:
        how = {"devices": 2, "strategy": STRATEGIES[strategy]()} if strategy else {}
        return {"max_epochs": epochs, "max_steps": -1, "precision": precision, **how}

    size = {"train": files, "batch_size": 2, "global_batch_size": 4}
    datamodule = records(world, checkpoint, **size)
    seen = Gradients()
    with watched() as turns:
        trainer = fit(module, datamodule, folder, callbacks=[seen], **options(1))
    kept = []
    if name == "adapters":  # resumed, for one more epoch
        trainer.save_checkpoint(folder / f"{name}.ckpt")
        L.seed_everything(0, verbose=False)
        again = policy(checkpoint, some_equal, **RUNS[name])
        fit(again, records(world, checkpoint, **size), folder, folder / f"{name}.ckpt", **options(2))
        kept = [torch.equal(*pair) for pair in zip(module._reference._weights, again._reference._weights, strict=True)]
    return {
        "reference_kept": kept,
        "step": trainer.global_step,
        "gradients": seen.steps,
        "logged": seen.logged,
        "completions": [len(turn.keep) for turn in turns],
        "first_kl": float(turns[0].terms.kl.abs().sum()),
        "first_ratio_is_1": bool((turns[0].ratio == 1).all()),
        "weights": {name: whole(p).detach().clone() for name, p in module.named_parameters() if p.requires_grad},
    }


def one_rank(rank: int, port: int, strategy: str, folder: Path, *given) -> None:
    """All runs, as one process of two that a scheduler started."""
    os.environ |= {"LOCAL_RANK": str(rank), "MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    for name in RUNS:
        torch.save(train(folder, *given, name, strategy), folder / f"{name}-{rank}.pt")
    if strategy == "fsdp2":
        with pytest.raises(InputError, match=r"under FSDP 1 and ZeRO-3; use configs/trainer/fsdp2.yaml, or set .*beta"):
            train(folder, *given, "mixed", "fsdp")


@pytest.fixture(scope="module")
def given(world, world_checkpoint, tmp_path_factory) -> tuple[Path, Path, list[str]]:
    """The world, its model, and files of 9 records, one of them without a video."""
    text = tmp_path_factory.mktemp("text") / "text.jsonl"
    turns = [{"role": "user", "content": "Is there a face?"}, {"role": "assistant", "content": "Yes"}]
    text.write_text(json.dumps({"messages": turns, "source": "QA_Gender"}) + "\n")
    return world, world_checkpoint, ["jsons/train/attribute/full/MEAD_ID.json", str(text)]


@pytest.fixture(scope="module")
def alone(given, tmp_path_factory) -> dict:
    """The fixed run by a single process, in two micro-batches a step."""
    return train(tmp_path_factory.mktemp("alone"), *given, "fixed")


@pytest.fixture(scope="module", params=["ddp", "fsdp2"])
def ranks(request, given, tmp_path_factory) -> dict[str, list[dict]]:
    """What two processes saw of each run."""
    folder = tmp_path_factory.mktemp(request.param)
    with free_port() as port:
        run_ranks(one_rank, [(port, request.param, folder, *given)] * 2)
    return {name: [torch.load(folder / f"{name}-{rank}.pt") for rank in (0, 1)] for name in RUNS}


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_two_ranks_have_the_gradients_of_two_micro_batches(alone, ranks):
    found = ranks["fixed"]
    assert [run["step"] for run in (alone, *found)] == [6] * 3
    completions = [run["completions"] for run in found]
    assert [sum(turn) for turn in zip(*completions, strict=True)] == [12] * 4 + [3] * 2
    assert 0 in completions[0] + completions[1]  # the last step has one query
    for step in (0, 1, 2):  # later ones have the weights that AdamW made of differences of rounding, too
        expected = alone["gradients"][step]
        largest = max(gradient.abs().max() for gradient in expected.values())
        for run in found:
            assert run["gradients"][step].keys() == expected.keys()
            for name, gradient in expected.items():
                assert (run["gradients"][step][name] - gradient).abs().max() / largest < 1e-3, (step, name)
    for name in ("train/loss", "train/kl", "train/entropy", "train/reward", "train/clip_ratio/region_mean"):
        expected = [logged[name] for logged in alone["logged"]]
        for run in found:
            assert [logged[name] for logged in run["logged"]] == pytest.approx(expected, rel=1e-2, abs=1e-5), name
    assert alone["logged"][0]["train/kl"] == found[0]["logged"][0]["train/kl"] == 0 < alone["logged"][1]["train/kl"]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_what_ranks_draw_themselves_leaves_them_with_one_model(ranks):
    for name, runs in ranks.items():
        steps = 6 if name == "fixed" else 3
        assert [run["step"] for run in runs] == [steps] * 2
        assert runs[0]["logged"] == runs[1]["logged"]
        assert runs[0]["weights"].keys() == runs[1]["weights"].keys()
        for key, weight in runs[0]["weights"].items():
            assert torch.equal(weight, runs[1]["weights"][key]) and weight.isfinite().all(), (name, key)
        assert all(run["first_kl"] == 0 and run["first_ratio_is_1"] for run in runs)
        assert any(logged["train/kl"] for logged in runs[0]["logged"]) == (name != "free")
        first = runs[0]["gradients"][0]
        assert first.keys() == runs[0]["weights"].keys()
        # Rollouts and the reference leave no weight without its gradient, the root's neither. Softmax does not see the
        # bias of a key, and a fresh adapter's first matrix has none.
        still = {key for key, gradient in first.items() if not gradient.any()}
        assert not [key for key in still if not key.endswith("k_proj.bias") and "lora_A" not in key], name


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_reference_outlives_a_resume_on_every_rank(ranks):
    for run in ranks["adapters"]:
        assert run["reference_kept"] and all(run["reference_kept"])

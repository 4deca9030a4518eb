"""SFT through the real trainer: exact token weights over micro-batches and ranks, validation, resuming."""

import json
from itertools import pairwise
from pathlib import Path

import lightning as L
import pytest
import torch
from lightning.pytorch.strategies import DDPStrategy

from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.training import SFTModule

SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)


class KeepGradients(L.Callback):
    """Saves the gradients of the first optimizer step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_before_optimizer_step(self, trainer, pl_module, optimizer) -> None:
        if trainer.global_step == 0 and trainer.is_global_zero:
            torch.save({n: p.grad.clone() for n, p in pl_module.named_parameters() if p.grad is not None}, self.path)


def data(world, checkpoint, **options) -> EmoCFGDataModule:
    options = {"num_workers": 0, "batch_size": 12, **options}
    return EmoCFGDataModule(str(world), str(checkpoint), video=SMALL, **options)


def trainer(folder, **options) -> L.Trainer:
    return L.Trainer(
        **{
            "default_root_dir": folder,
            "accelerator": "cpu",
            "devices": 1,
            "max_steps": 1,
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "limit_val_batches": 0,
            "use_distributed_sampler": False,
            **options,
        }
    )


def gradients(world, checkpoint, folder, batch_size, max_branches=8, **options):
    """Gradients of one optimizer step on the same 12 samples."""
    path = folder / f"{batch_size}-{max_branches}-{options.get('devices', 1)}.pt"
    module = SFTModule(str(checkpoint))
    module.training_step_outputs = []
    run = trainer(folder, callbacks=[KeepGradients(path)], **options)
    run.fit(module, data(world, checkpoint, batch_size=batch_size, global_batch_size=12, max_branches=max_branches))
    return torch.load(path)


def assert_equal_gradients(a, b) -> None:
    assert a.keys() == b.keys()
    for name in a:
        largest = a[name].abs().max()
        if largest > 1e-7:
            assert (a[name] - b[name]).abs().max() / largest < 1e-4, name


def test_accumulation_weights_every_answer_token_alike(world, world_checkpoint, tmp_path):
    whole = gradients(world, world_checkpoint, tmp_path, batch_size=12)
    for batch_size in (1, 3):  # answers of very different lengths fall into different micro-batches
        assert_equal_gradients(whole, gradients(world, world_checkpoint, tmp_path, batch_size=batch_size))


@pytest.mark.slow
def test_two_ranks_give_the_gradients_of_one(world, world_checkpoint, tmp_path):
    whole = gradients(world, world_checkpoint, tmp_path, batch_size=12)
    strategy = DDPStrategy(process_group_backend="gloo", start_method="forkserver")
    two = gradients(world, world_checkpoint, tmp_path, batch_size=3, devices=2, strategy=strategy)
    assert_equal_gradients(whole, two)


def test_a_micro_batch_of_one_token_counts_a_tenth_of_one_of_nine(world, world_checkpoint, tmp_path):
    """The loss that the trainer differentiates, from the two micro-batches' own numbers."""
    module = SFTModule(str(world_checkpoint))
    run = trainer(tmp_path, max_steps=0)
    run.fit(module, data(world, world_checkpoint))
    run.accumulate_grad_batches = 2
    logps = {1: torch.full((1,), -3.0, requires_grad=True), 9: torch.full((9,), -3.0, requires_grad=True)}
    for values in logps.values():
        module.backbone.score = lambda batch, values=values: type(
            "Scores", (), {"logps": values, "correct": values > 0}
        )
        module.log = lambda *args, **kwargs: None
        batch = type("Batch", (), {"num_items_in_batch": 10})
        (module.training_step(batch, 0) / 2).backward()  # Lightning divides by the accumulation
    assert logps[1].grad.sum().item() == pytest.approx(-0.1)
    assert logps[9].grad.sum().item() == pytest.approx(-0.9)


def test_global_batch_size_sets_the_accumulation(world, world_checkpoint, tmp_path):
    run = trainer(tmp_path)
    run.fit(SFTModule(str(world_checkpoint)), data(world, world_checkpoint, batch_size=4, global_batch_size=16))
    assert run.accumulate_grad_batches == 4


def test_learning_rate_warms_up_and_falls_as_a_cosine(world, world_checkpoint, tmp_path):
    seen = []

    class Watch(L.Callback):
        def on_train_batch_start(self, trainer, *args) -> None:
            seen.append(trainer.optimizers[0].param_groups[0]["lr"])

    module = SFTModule(str(world_checkpoint), learning_rate=1.0, warmup_ratio=0.2)
    trainer(tmp_path, max_steps=10, callbacks=[Watch()]).fit(module, data(world, world_checkpoint, batch_size=4))
    assert seen[:3] == pytest.approx([0.5, 1.0, 1.0])
    assert seen[6] == pytest.approx(0.5)
    assert all(b < a for a, b in pairwise(seen[2:]))


@pytest.mark.parametrize(
    ("end", "steps"), [({"max_steps": 8}, 8), ({"max_steps": -1, "max_epochs": 2}, 10)], ids=["steps", "epochs"]
)
def test_resuming_inside_an_epoch_gives_the_weights_of_a_run_that_never_stopped(
    end, steps, world, world_checkpoint, tmp_path
):
    def run(folder, ckpt=None, stop_after=None):
        class Stop(L.Callback):
            def on_train_batch_end(self, trainer, *args) -> None:
                if stop_after and trainer.global_step == stop_after:
                    trainer.save_checkpoint(folder / "stopped.ckpt")
                    trainer.should_stop = True

        L.seed_everything(0)
        module = SFTModule(str(world_checkpoint), learning_rate=1e-3)
        loop = trainer(folder, **end, callbacks=[Stop()], enable_checkpointing=False)
        few = data(  # an epoch of 77 records has 5 steps
            world, world_checkpoint, train=["jsons/train/attribute/full/*.json"], batch_size=8, global_batch_size=16
        )
        loop.fit(module, few, ckpt_path=ckpt, weights_only=True)
        assert stop_after or loop.global_step == steps
        return module.state_dict()

    whole = run(tmp_path)
    run(tmp_path, stop_after=3)
    resumed = run(tmp_path, ckpt=tmp_path / "stopped.ckpt")
    for name in whole:
        assert torch.equal(whole[name], resumed[name]), name


def test_validation_scores_are_those_of_single_samples(world, world_checkpoint, tmp_path):
    module = SFTModule(str(world_checkpoint))
    results = {}
    for batch_size, branches in ((64, 8), (1, 1)):
        datamodule = data(world, world_checkpoint, eval_batch_size=batch_size, max_branches=branches)
        run = trainer(tmp_path, limit_val_batches=1.0)
        results[batch_size] = run.validate(module, datamodule, verbose=False)[0]
    assert results[64] == pytest.approx(results[1], rel=1e-4)
    assert {"val/loss", "val/exact"} < set(results[64])


def test_a_test_writes_predictions_and_scores(world, world_checkpoint, tmp_path):
    module = SFTModule(str(world_checkpoint), max_new_tokens=4, method="tiny")
    trainer(tmp_path).test(module, data(world, world_checkpoint), verbose=False)
    folder = tmp_path / "results" / "tiny"
    assert (folder / "benchmark.json").is_file()
    written = sum(len(f.read_text().splitlines()) for f in folder.glob("*.json") if f.name != "benchmark.json")
    asked = sum(len(f.read_text().splitlines()) for f in world.glob("jsons/test/*/full/*.json"))
    assert written == asked > 0


@pytest.mark.parametrize("branches", [1, 8])
def test_predictions_and_their_order_do_not_depend_on_the_batches(branches, world, world_checkpoint, tmp_path):
    module = SFTModule(str(world_checkpoint), max_new_tokens=3)
    written = []
    for size in (1, 8):
        files = ["jsons/test/attribute/full/MEAD_ID.json", "jsons/test/attribute/full/MEAD_Head-Pose.json"]
        datamodule = data(world, world_checkpoint, test=files, eval_batch_size=size, max_branches=branches)
        module.hparams.results_dir = str(tmp_path / str(size))
        trainer(tmp_path).test(module, datamodule, verbose=False)
        folder = module.results_folder
        lines = {f.name: f.read_text().splitlines() for f in folder.glob("*.json") if f.name != "benchmark.json"}
        written.append({name: [json.loads(line) for line in found] for name, found in lines.items()})
    assert written[0].keys() == written[1].keys() and len(written[0]) == 2
    for name, alone in written[0].items():
        logps = [[line.pop("logprobs") for line in lines] for lines in (alone, written[1][name])]
        assert alone == written[1][name]
        assert logps[0] == pytest.approx(logps[1], abs=1e-4)


def test_a_batch_without_records_counts_nowhere(world, world_checkpoint, tmp_path):
    """A rank without records in the last batch computes one token, to keep in step with the others."""
    datamodule = data(world, world_checkpoint)
    module = SFTModule(str(world_checkpoint))
    run = trainer(tmp_path, limit_val_batches=1.0)
    run.validate(module, datamodule, verbose=False)
    empty = datamodule._dataset("val", with_answer=True).__getitems__([])
    module.on_validation_epoch_start()
    with torch.no_grad():
        module.validation_step(empty, 0)
    assert module._validation == {}
    module.eval()
    assert module.answer(empty) == []
    module.train()
    scores = module.backbone.score(empty)
    scores.logps.sum().backward()
    assert len(scores.logps) == 0


def test_gradients_are_clipped_under_autocast(world, world_checkpoint, tmp_path):
    norms = []

    class Note(L.Callback):
        def on_before_zero_grad(self, trainer, pl_module, optimizer) -> None:
            norms.extend(p.grad.norm() for p in pl_module.parameters() if p.grad is not None)

    options = {"precision": "bf16-mixed", "gradient_clip_val": 1e-3, "max_steps": 2}
    trainer(tmp_path, callbacks=[Note()], **options).fit(
        SFTModule(str(world_checkpoint)), data(world, world_checkpoint)
    )
    assert torch.stack(norms).norm() == pytest.approx(1e-3, rel=1e-3)

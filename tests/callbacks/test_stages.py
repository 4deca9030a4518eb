import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import lightning as L
import pytest
import torch
from rich.console import Console

from callbacks import LastCheckpoint, StageCheckpoint
from callbacks.stages import forgetting_table
from videmo.data.cache import CacheRoom
from videmo.data.curriculum import Stage
from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.training import SFTModule

SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)
STAGES = [
    Stage("attribute", {"head_pose": 1.0}, epochs=2, learning_rate=1e-3),
    Stage("expression", {"emotion_single": 1.0}, epochs=2, replay=0.3, learning_rate=5e-4),
]


class Watcher(L.Callback):
    """Notes each step's stage and rate and each validation's losses, and may stop the run."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.steps, self.losses, self.stop_at = [], [], stop_at

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        if trainer.global_step == self.stop_at:
            trainer.save_checkpoint(Path(trainer.default_root_dir) / "stopped.ckpt")
            raise KeyboardInterrupt
        stage = trainer.datamodule.curriculum.phase(trainer.current_epoch).stage.name
        self.steps.append((stage, trainer.optimizers[0].param_groups[0]["lr"], tuple(r.where for r in batch.records)))

    def on_validation_end(self, trainer, pl_module) -> None:
        stage = trainer.datamodule.curriculum.phase(trainer.current_epoch).stage.name
        loss = float(trainer.callback_metrics[f"val_stage/{stage}_loss"])
        self.losses.append((stage, loss, pl_module.state_dict()["backbone.model.lm_head.weight"].clone()))


def _fit(
    world, checkpoint, folder, stages=STAGES, stop_at=None, ckpt_path=None, seed=0, max_steps=-1, **options
) -> tuple[SFTModule, Watcher, L.Trainer]:
    L.seed_everything(0)
    watcher = Watcher(stop_at)
    trainer = L.Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        callbacks=[watcher, StageCheckpoint(), LastCheckpoint()],
        max_steps=max_steps,
    )
    module = SFTModule(str(checkpoint), **options)
    data = EmoCFGDataModule(
        str(world),
        str(checkpoint),
        video=SMALL,
        batch_size=12,
        num_workers=0,
        curriculum=stages,
        frames_cache=CacheRoom(memory_mb=64),
        seed=seed,
    )
    try:
        trainer.fit(module, data, ckpt_path=ckpt_path, weights_only=True)
    except SystemExit:
        assert stop_at is not None
    return module, watcher, trainer


@pytest.fixture(scope="module")
def whole(world, world_checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, *_fit(world, world_checkpoint, folder)


def test_stages_follow_one_another_with_their_own_rates(whole):
    _, _, watcher, trainer = whole
    phases = trainer.datamodule.curriculum.phases
    assert trainer.max_epochs == trainer.current_epoch == 4
    assert [stage for stage, _, _ in watcher.steps] == [p.stage.name for p in phases for _ in range(p.steps)]
    for phase in phases:
        rates = [rate for _, rate, _ in watcher.steps[phase.first_step : phase.first_step + phase.steps]]
        assert max(rates) == pytest.approx(phase.stage.learning_rate, rel=0.05)
        assert rates[-1] < 0.5 * max(rates)


def test_a_stage_ends_with_its_best_weights(whole):
    folder, module, watcher, _ = whole
    for stage in STAGES:
        best = min((entry for entry in watcher.losses if entry[0] == stage.name), key=lambda entry: entry[1])
        saved = torch.load(folder / "checkpoints" / f"{stage.name}.ckpt", weights_only=True)
        assert saved["stage"] == stage.name
        assert "optimizer_states" not in saved
        assert torch.equal(saved["state_dict"]["backbone.model.lm_head.weight"], best[2])
    assert torch.equal(module.state_dict()["backbone.model.lm_head.weight"], best[2])


def test_curriculum_json_has_every_stages_scores_after_each_stage(whole):
    stages = json.loads((whole[0] / "curriculum.json").read_text())["stages"]
    assert [stage["name"] for stage in stages] == ["attribute", "expression"]
    assert all(set(stage["val"]) == {"attribute", "expression"} for stage in stages)
    assert all(0 <= stage["val"][name]["exact"] <= 1 for stage in stages for name in stage["val"])


def test_a_run_stopped_in_the_second_stage_resumes_there_and_ends_the_same(whole, world, world_checkpoint, tmp_path):
    _, module, watcher, trainer = whole
    stop_at = trainer.datamodule.curriculum.phases[1].first_step + 1
    _fit(world, world_checkpoint, tmp_path, stop_at=stop_at)
    again, resumed, _ = _fit(world, world_checkpoint, tmp_path, ckpt_path=str(tmp_path / "stopped.ckpt"))
    assert resumed.steps == watcher.steps[stop_at:]
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize("epochs", [1, 1.5, 2])
def test_a_run_ended_by_max_steps_goes_on_with_more_of_them_as_if_it_had_not(
    epochs, whole, world, world_checkpoint, tmp_path
):
    _, module, watcher, trainer = whole
    first, all_steps = trainer.datamodule.curriculum.phases[0], trainer.global_step
    _, cut, _ = _fit(world, world_checkpoint, tmp_path, max_steps=int(epochs * first.steps / first.epochs))
    assert (tmp_path / "checkpoints" / "attribute.ckpt").is_file()
    last = str(tmp_path / "checkpoints" / "last.ckpt")
    again, resumed, _ = _fit(world, world_checkpoint, tmp_path, ckpt_path=last, max_steps=all_steps)
    assert cut.steps + resumed.steps == watcher.steps
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), again.parameters(), strict=True))


@pytest.fixture(scope="module")
def stopped(world, world_checkpoint, tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("stopped")
    _fit(world, world_checkpoint, folder, stop_at=1)
    return str(folder / "stopped.ckpt")


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        ([replace(STAGES[0], epochs=3), STAGES[1]], "stage 'attribute' had epochs 2, now 3"),
        ([STAGES[0], replace(STAGES[1], learning_rate=1e-5)], "stage 'expression' had learning_rate 0.0005, now 1e-05"),
        ([STAGES[0], replace(STAGES[1], name="feeling")], "now they are attribute, feeling"),
    ],
)
def test_another_curriculum_does_not_resume(stages, says, stopped, world, world_checkpoint, tmp_path):
    with pytest.raises(InputError, match=says):
        _fit(world, world_checkpoint, tmp_path, stages=stages, ckpt_path=stopped)


def test_another_seed_does_not_resume(stopped, world, world_checkpoint, tmp_path):
    with pytest.raises(InputError, match="in a run with seed 0, this one has 7"):
        _fit(world, world_checkpoint, tmp_path, ckpt_path=stopped, seed=7)


def test_another_learning_rate_does_not_resume(stopped, world, world_checkpoint, tmp_path):
    with pytest.raises(InputError, match=r"with learning_rate 2e-05, this one has 0\.001; resume with"):
        _fit(world, world_checkpoint, tmp_path, ckpt_path=stopped, learning_rate=1e-3)


def test_without_a_curriculum_there_is_nothing_to_keep(world, world_checkpoint, tmp_path):
    with pytest.raises(InputError, match=r"set data\.curriculum"):
        _fit(world, world_checkpoint, tmp_path, stages=None)


def test_the_forgetting_table_shows_what_a_stage_taught_and_what_later_ones_took():
    stages = [
        {"name": "one", "val": {"one": {"exact": 0.8}, "two": {"exact": 0.1}}},
        {"name": "two", "val": {"one": {"exact": 0.7}, "two": {"exact": 0.6}}},
    ]
    console = Console(width=100, file=StringIO(), record=True)
    console.print(forgetting_table(stages))
    text = console.export_text()
    assert "70.0 (-10.0)" in text
    assert "60.0 (+50.0)" in text

"""The curriculum's keeper: each stage ends with its best weights, and with a word on what it made the model forget.

Best is, over the stage's own tasks in validation, the lowest loss, ``val_stage/<stage>_loss``, or of a model that is
rewarded the highest reward, ``val_stage/<stage>_reward``. The weights go on to the next stage and stay as
``checkpoints/<stage>.ckpt``; the validation scores of all stages' tasks under them are printed and written to
``curriculum.json`` in the trainer's ``default_root_dir``.
"""

import json
from pathlib import Path

import lightning as L
from lightning.pytorch.callbacks import RichProgressBar
from rich.console import Console
from rich.table import Table

from videmo.aside import write_atomically
from videmo.data.curriculum import Curriculum, Phase
from videmo.data.datamodule import curriculum_of, data_of
from videmo.errors import InputError
from videmo.report.curriculum import Cell, parse_stage
from videmo.report.curriculum import forgetting_table as change_table
from videmo.training.checkpoints import load_weights, save_whole
from videmo.training.module import epoch_is_cut


class StageCheckpoint(L.Callback):
    """Selects a checkpoint a stage."""

    def __init__(self) -> None:
        self._best: dict[str, dict] = {}  # stage -> epoch, step, and the scores of every stage's tasks

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if stage == "fit" and curriculum_of(trainer) is None:
            raise InputError("callbacks.StageCheckpoint watches a curriculum; set data.curriculum, or leave it out")

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the number of the stage; also before the first epoch and after the last."""
        curriculum = _plan(trainer)
        number = curriculum.stages.index(curriculum.phase(trainer.current_epoch).stage) + 1
        for logger in trainer.loggers:
            logger.log_metrics({"stage": number}, step=trainer.global_step)

    on_train_start = on_train_end = on_train_epoch_start

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        curriculum = _plan(trainer)
        stage = curriculum.phase(trainer.current_epoch).stage.name
        scores = {one.name: found for one in curriculum.stages if (found := self._scores(trainer, one.name))}
        best, figure = self._best.get(stage), pl_module.selected_by
        if figure not in scores.get(stage, {}):
            return
        sign = 1 if pl_module.higher_is_better else -1
        if best is None or sign * scores[stage][figure] > sign * best["val"][stage][figure]:
            self._best[stage] = {"epoch": trainer.current_epoch, "step": trainer.global_step, "val": scores}
            save_whole(trainer, self._file(trainer, stage), weights_only=True)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        phase = _plan(trainer).phase(trainer.current_epoch)
        if epoch_is_cut(trainer) or trainer.current_epoch < phase.first_epoch + phase.epochs - 1:
            return
        best = self._best.get(phase.stage.name)
        if best is None:  # without validation the last weights are all there is
            save_whole(trainer, self._file(trainer, phase.stage.name), weights_only=True)
            return
        if best.get("step") != trainer.global_step:  # an epoch may have several validations
            load_weights(trainer, self._file(trainer, phase.stage.name))
        self._report(trainer, phase)

    def state_dict(self) -> dict:
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict) -> None:
        self._best = state_dict["best"]

    def _scores(self, trainer: L.Trainer, stage: str) -> dict[str, float]:
        names = {kind: f"val_stage/{stage}_{kind}" for kind in ("loss", "reward", "exact")}
        metrics = trainer.callback_metrics
        return {kind: float(metrics[name]) for kind, name in names.items() if name in metrics}

    def _file(self, trainer: L.Trainer, stage: str) -> Path:
        return Path(trainer.default_root_dir) / "checkpoints" / f"{stage}.ckpt"

    def _report(self, trainer: L.Trainer, phase: Phase) -> None:
        if not trainer.is_global_zero:
            return
        ended = [p for p in _plan(trainer).phases if p.first_epoch <= phase.first_epoch and p.stage.name in self._best]
        stages = [
            {
                "name": p.stage.name,
                "first_epoch": p.first_epoch,
                "epochs": p.epochs,
                "first_step": p.first_step,
                "steps": p.steps,
                "best_epoch": self._best[p.stage.name]["epoch"],
                "best_step": self._best[p.stage.name].get("step"),
                "val": self._best[p.stage.name]["val"],
            }
            for p in ended
        ]
        write_atomically(
            Path(trainer.default_root_dir) / "curriculum.json",
            json.dumps({"data": data_of(trainer).fingerprint(), "stages": stages}, indent=2) + "\n",
        )
        Console(stderr=True).print(forgetting_table(stages))


def _plan(trainer: L.Trainer) -> Curriculum:
    """The run's; there is one, or setup had refused it."""
    plan = curriculum_of(trainer)
    assert plan is not None
    return plan


class StageProgressBar(RichProgressBar):
    """Lightning's bar with the name of the stage."""

    def get_metrics(self, trainer: L.Trainer, pl_module: L.LightningModule) -> dict:
        items = super().get_metrics(trainer, pl_module)
        items.pop("v_num", None)  # the version of a logger's folder, which says nothing about the run
        curriculum = curriculum_of(trainer)
        return {"stage": curriculum.phase(trainer.current_epoch).stage.name, **items} if curriculum else items


def forgetting_table(stages: list[dict]) -> Table:
    """Validation answers that are exact after each stage, in per cent, with what changed: in a stage's own column what
    it taught, below that what later stages added or took.

    Args:
        stages: As in curriculum.json.
    """
    table = Table(title=f"after stage {stages[-1]['name']}: exact validation answers, %", title_justify="left")
    table.add_column("after stage")
    names = [stage["name"] for stage in stages]
    columns, rows = change_table([parse_stage(stage, number) for number, stage in enumerate(stages, start=1)])
    for name in names:
        table.add_column(f"{name} tasks", justify="right")
    for after, cells in rows:
        by_column = dict(zip(columns, cells, strict=True))
        table.add_row(after, *(_said(by_column.get(name)) for name in names))
    return table


def _said(cell: Cell | None) -> str:
    if cell is None or cell.exact is None:
        return "-"
    change = "" if cell.change is None else f" [{'green' if cell.change >= 0 else 'red'}]({cell.change:+.1f})[/]"
    return f"{100 * cell.exact:.1f}{change}"

"""The model as a folder, as soon as a run has trained it: `videmo export` at the end of a fit."""

import shutil
from pathlib import Path

import lightning as L
from rich.console import Console

from videmo.export.command import Dtype, check_dtype, export_checkpoint
from videmo.export.folder import check_destination


class Export(L.Callback):
    """Exports the last weights when ``fit`` ends by itself, under any strategy: rank 0 puts them together.

    Args:
        out: The folder to write; ``export`` in the trainer's ``default_root_dir`` by default. An earlier export is
            replaced.
        merge: Adds adapters to the weights of the base.
        dtype: Of a whole model's weights; the base's own by default.
    """

    def __init__(self, out: str | None = None, merge: bool = False, dtype: Dtype | None = None) -> None:
        self.out = out
        self.merge = merge
        self.dtype = dtype

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Refuse a folder that is taken, and a dtype that adapters do not get, before the run, not after it.

        Raises:
            InputError: Naming the folder or the dtype.
        """
        if stage == "fit":
            check_destination(self._folder(trainer))
            check_dtype(pl_module.hparams, self.merge, self.dtype)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        out = self._folder(trainer)
        weights = out.with_name(f".{out.name}.ckpt")
        trainer.save_checkpoint(weights, weights_only=True)
        try:
            if trainer.is_global_zero:
                said = export_checkpoint(weights, out, merge=self.merge, dtype=self.dtype)
                Console(stderr=True).print(said.replace(str(weights), "this run"), highlight=False)
        finally:
            if trainer.is_global_zero:
                shutil.rmtree(weights) if weights.is_dir() else weights.unlink()
            trainer.strategy.barrier("videmo.export")

    def _folder(self, trainer: L.Trainer) -> Path:
        return Path(self.out or Path(trainer.default_root_dir) / "export")

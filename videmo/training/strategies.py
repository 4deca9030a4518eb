"""Lightning's strategies for models that one device does not hold, as this model needs them (configs/trainer/).

    ddp              every rank has the whole model; Lightning's own
    FSDP2            parameters, gradients and optimizer states in parts, by torch's ``fully_shard``; CPU or GPU
    FSDP             the same by torch's older wrapper
    DeepSpeed        ZeRO-2, ZeRO-3 and offload to the CPU

Ranks have different videos, texts and answers, yet every forward is a collective: see ``videmo.models.encoding`` for
the vision tower and ``videmo.models.generation`` for answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.strategies import DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy, Strategy
from torch import nn
from torch.distributed.checkpoint import CheckpointException
from torch.distributed.fsdp import FullyShardedDataParallel, MixedPrecision
from torch.distributed.fsdp.wrap import ModuleWrapPolicy

from videmo.errors import InputError
from videmo.models.sharding import LAYERS, refuse_what_cannot_be_cut
from videmo.token_tree import TreeBatch
from videmo.training.checkpoints import plain_part
from videmo.training.module import VidEmoModule


class _Refusing(Strategy):
    """A strategy whose checkpoints are parts: what lacks or does not fit is a sentence of every rank, and no trace."""

    def load_checkpoint(self, checkpoint_path: str | Path, weights_only: bool | None = None) -> dict[str, Any]:
        """
        Raises:
            InputError: Naming both sides, or what torch says.
        """
        # The parts are read into the model before Lightning lets anyone look at what they are of.
        module = self.lightning_module
        assert isinstance(module, VidEmoModule)
        module.refuse_other(plain_part(checkpoint_path))
        try:
            return super().load_checkpoint(checkpoint_path, weights_only)
        except (CheckpointException, RuntimeError, KeyError, OSError) as error:
            reason = next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), repr(error))
            raise InputError(
                f"{checkpoint_path} cannot be read into this run's model ({reason[:200]}); copy all files of the "
                "folder, and give model and optimizer as in the run that saved it"
            ) from error


class FSDP2(_Refusing, ModelParallelStrategy):
    """Shards over all ranks; ``VidEmoModule.configure_model`` says what is gathered together.

    Args:
        save_distributed_checkpoint: Each rank writes its part, and a checkpoint is a folder. Otherwise the first one
            gathers all and writes one file, which any other strategy can read.
    """

    def __init__(self, save_distributed_checkpoint: bool = True) -> None:
        super().__init__(save_distributed_checkpoint=save_distributed_checkpoint)

    def setup_environment(self) -> None:
        # Lightning's own guess shards between machines and splits matrices within one.
        self._data_parallel_size = self.num_nodes * self.num_processes
        self._tensor_parallel_size = 1
        super().setup_environment()


class FSDP(_Refusing, FSDPStrategy):
    """Lightning's, with norm clipping, rotary frequencies that stay in float32, and CPU ranks for tests."""

    @property
    def mixed_precision_config(self) -> MixedPrecision | None:
        chosen = super().mixed_precision_config
        exact = {"reduce_dtype": torch.float32, "buffer_dtype": torch.float32, "cast_root_forward_inputs": False}
        return replace(chosen, **exact) if chosen else None

    def _setup_model(self, model: nn.Module) -> nn.Module:
        assert isinstance(model, VidEmoModule)
        refuse_what_cannot_be_cut(model.hparams.quantization, model.hparams.optimizer, dtensor=False)
        policy = self.kwargs.pop("auto_wrap_policy", None) or ModuleWrapPolicy(LAYERS)
        root = FullyShardedDataParallel(
            model,
            cpu_offload=self.cpu_offload,
            mixed_precision=self.mixed_precision_config,
            sharding_strategy=self.sharding_strategy,
            device_id=self.root_device,
            auto_wrap_policy=policy,
            **self.kwargs,
        )
        plugin = self.precision_plugin
        # Lightning refuses norm clipping because its plugin does not know the root, which alone sees every shard.
        # Its own takes anything, to refuse it.
        plugin.clip_grad_by_norm = lambda _, clip_val: root.clip_grad_norm_(clip_val)  # pyrefly: ignore[bad-assignment]
        plugin.convert_input = _as_it_is
        return super()._setup_model(root)


class DeepSpeed(DeepSpeedStrategy):
    """Lightning's, for a model that is read from a checkpoint and has rotary frequencies.

    Accumulation and clipping are the trainer's: Lightning writes ``accumulate_grad_batches`` and ``gradient_clip_val``
    into DeepSpeed's config.
    """

    @contextmanager
    def model_sharded_context(self) -> Iterator[None]:
        """Whole weights are read first, and cut when the engine starts: transformers cannot fill parts of them."""
        yield

    def setup(self, trainer: L.Trainer) -> None:
        self.precision_plugin.convert_input = _as_it_is
        exact = {name: buffer.clone() for name, buffer in trainer.lightning_module.named_buffers()}
        super().setup(trainer)
        for name, buffer in trainer.lightning_module.named_buffers():  # the engine rounded them with the weights
            buffer.data = exact[name].to(buffer.device)


def _as_it_is(data: TreeBatch) -> TreeBatch:
    """A batch holds records, into which Lightning would look for numbers to cast; the model casts what it needs."""
    return data

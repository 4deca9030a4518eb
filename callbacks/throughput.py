"""How fast a run trains: samples and answer tokens a second, and what of the GPUs' arithmetic that takes."""

import time

import lightning as L
import torch

from videmo.errors import check_positive
from videmo.plan.flops import count_flops, peak_tflops
from videmo.plan.shape import Shape
from videmo.plan.work import plain_work, tree_work
from videmo.token_tree import TreeBatch
from videmo.training.module import VidEmoModule, logging_is_due


class Throughput(L.Callback):
    """Logs, every ``log_every_n_steps`` optimizer steps and over those, validation and what follows on it left out:

    - ``throughput/samples_per_sec`` and ``throughput/answer_tokens_per_sec``, of all devices;
    - ``throughput/tflops``, a device and second: the model's operations, forward and backward, without what is computed
      twice to save memory, without padding and what trees hide from attention;
    - ``throughput/mfu``, these over the dense bfloat16 peak of the device, where that is known;
    - ``throughput/plain_flops_ratio``, the operations of the same samples each by itself over these.

    Args:
        peak_tflops: Of one device; by default that of its name.
    """

    def __init__(self, peak_tflops: float | None = None) -> None:
        check_positive("Throughput.peak_tflops", peak_tflops)
        self.peak_tflops = peak_tflops
        self._counted = torch.zeros(4, dtype=torch.float64)  # samples, answer tokens, operations, plain operations
        self._seconds = self._since = 0.0
        self._paused = False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        device = pl_module.device
        if self.peak_tflops is None and device.type == "cuda":
            self.peak_tflops = peak_tflops(torch.cuda.get_device_name(device))
        self._counted.zero_()
        self._seconds, self._since, self._paused = 0.0, time.perf_counter(), False

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: TreeBatch, batch_idx: int
    ) -> None:
        if self._paused:  # other callbacks have drawn samples and written checkpoints since
            self._since, self._paused = time.perf_counter(), False

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs, batch: TreeBatch, batch_idx: int
    ) -> None:
        self._counted += self._count(batch, pl_module)
        step = trainer.global_step
        if trainer.fit_loop._should_accumulate() or not logging_is_due(trainer, step):
            return
        self._read_clock(pl_module)
        counted = trainer.strategy.reduce(self._counted.to(pl_module.device), reduce_op="sum")
        samples, tokens, flops, plain = counted.tolist()
        tflops = flops / self._seconds / trainer.world_size / 1e12
        values = {
            "samples_per_sec": samples / self._seconds,
            "answer_tokens_per_sec": tokens / self._seconds,
            "tflops": tflops,
            "plain_flops_ratio": plain / max(1.0, flops),
        }
        if self.peak_tflops:
            values["mfu"] = tflops / self.peak_tflops
        for logger in trainer.loggers:
            logger.log_metrics({f"throughput/{name}": value for name, value in values.items()}, step=step)
        self._counted.zero_()
        self._seconds, self._since = 0.0, time.perf_counter()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.sanity_checking:
            self._read_clock(pl_module)
            self._paused = True

    def _read_clock(self, pl_module: L.LightningModule) -> None:
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)
        now = time.perf_counter()
        self._seconds, self._since = self._seconds + now - self._since, now

    def _count(self, batch: TreeBatch, pl_module: L.LightningModule) -> torch.Tensor:
        """Samples, answer tokens, operations, and those of the plain path."""
        assert isinstance(pl_module, VidEmoModule)
        backbone = pl_module.backbone
        shape = Shape.of(backbone.config)
        modes = {name: scope.mode for name, scope in backbone.scopes.items()}
        done = count_flops(shape, tree_work(batch), modes)
        plain = count_flops(shape, plain_work(batch, backbone.config.video_token_id), modes)
        return torch.tensor((batch.num_samples, batch.num_label_tokens, done, plain), dtype=torch.float64)

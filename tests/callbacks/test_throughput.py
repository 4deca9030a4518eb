"""The rates that a run logs."""

import csv
import time

import lightning as L
import pytest
from lightning.pytorch.loggers import CSVLogger

from callbacks import Throughput
from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.training import SFTModule

SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)


class Dawdle(L.Callback):
    """Takes its time after each validation, as drawing samples does."""

    taken = wall = 0.0

    def on_train_start(self, trainer, pl_module) -> None:
        self.wall = -time.perf_counter()

    def on_validation_end(self, trainer, pl_module) -> None:
        time.sleep(0.5)
        self.taken += 0.5

    def on_train_end(self, trainer, pl_module) -> None:
        self.wall += time.perf_counter()


@pytest.fixture
def logged(world, world_checkpoint, quiet, tmp_path):
    def run(max_branches, *more):
        trainer = L.Trainer(
            **{**quiet, "logger": CSVLogger(tmp_path, name="", version=str(max_branches))},
            default_root_dir=tmp_path,
            max_steps=4,
            accumulate_grad_batches=2,
            log_every_n_steps=2,
            val_check_interval=2,
            limit_val_batches=1,
            num_sanity_val_steps=0,
            callbacks=[Throughput(peak_tflops=0.5), *more],
        )
        options = {"video": SMALL, "batch_size": 16, "num_workers": 0, "max_branches": max_branches}
        trainer.fit(
            SFTModule(str(world_checkpoint)), datamodule=EmoCFGDataModule(str(world), str(world_checkpoint), **options)
        )
        with (tmp_path / str(max_branches) / "metrics.csv").open() as stream:
            rows = [row for row in csv.DictReader(stream) if row.get("throughput/samples_per_sec")]
        return [
            {
                name.removeprefix("throughput/"): float(value)
                for name, value in row.items()
                if name.startswith(("throughput/", "step"))
            }
            for row in rows
        ]

    return run


def test_rates_are_logged_and_sharing_saves_operations(logged):
    shared, plain = logged(8), logged(1)
    for rows in (shared, plain):
        assert [row["step"] for row in rows] == [2, 4]
        for row in rows:
            assert row["answer_tokens_per_sec"] > row["samples_per_sec"] > 0
            assert row["mfu"] == pytest.approx(row["tflops"] / 0.5)
    assert all(1 < row["plain_flops_ratio"] < 1.5 for row in plain)  # logits of all tokens
    assert all(row["plain_flops_ratio"] > 1.5 for row in shared)


def test_what_others_do_after_a_validation_takes_none_of_its_time(logged):
    others = Dawdle()
    rows = logged(8, others)
    seconds = sum(2 * 2 * 16 / row["samples_per_sec"] for row in rows)
    assert others.taken == 4 * 0.5
    assert 0 < seconds < others.wall - others.taken


def test_a_peak_is_above_0():
    with pytest.raises(InputError, match=r"Throughput\.peak_tflops must be above 0, got 0"):
        Throughput(peak_tflops=0)

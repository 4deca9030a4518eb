"""Epochs of different lengths, without a curriculum: every record once in each, in steps that say their size."""

from collections import Counter
from multiprocessing import active_children

import lightning as L
import pytest

from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.training import SFTModule

SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)
EPOCHS = 3


class Watch(L.Callback):
    """Records by epoch; of every step the learned tokens that it said it has, and that came."""

    def __init__(self) -> None:
        self.seen: list[Counter] = []
        self.batches: list[int] = []
        self.steps: dict[int, list[tuple[int, int]]] = {}

    def on_train_epoch_start(self, trainer, *args) -> None:
        self.seen.append(Counter())
        self.batches.append(0)

    def on_train_batch_start(self, trainer, module, batch, *args) -> None:
        self.seen[-1].update(record.where for record in batch.records)
        self.batches[-1] += 1
        counts = batch.num_items_in_batch, batch.num_label_tokens
        self.steps.setdefault(trainer.global_step, []).append(counts)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_every_epoch_has_every_record_once_by_token_budget(num_workers, world, world_checkpoint, quiet, tmp_path):
    watch = Watch()
    trainer = L.Trainer(**quiet, default_root_dir=tmp_path, max_epochs=EPOCHS, limit_val_batches=0, callbacks=[watch])
    data = EmoCFGDataModule(
        str(world),
        str(world_checkpoint),
        train="jsons/train/attribute/full/*.json",
        video=SMALL,
        batch_tokens=130,
        global_batch_size=8,
        num_workers=num_workers,
    )
    before = active_children()
    trainer.fit(SFTModule(str(world_checkpoint)), data)
    assert active_children() == before
    everything = Counter(record.where for record in data.records("train"))
    assert len(set(watch.batches)) > 1, "no test of what it is to test"
    assert watch.seen == EPOCHS * [everything]
    for counts in watch.steps.values():
        promised, came = zip(*counts, strict=True)
        assert set(promised) == {sum(came)}

"""Training on a folder with 60 broken videos and 30 malformed records: the good are all seen, the bad named once."""

import logging
from collections import Counter
from itertools import pairwise
from time import monotonic

import lightning as L
import pytest

from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.decode import VideoError, read_frames
from videmo.data.quarantine import Quarantine
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.training import SFTModule

SETTINGS = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56, decode_timeout=5.0)
EPOCHS = 2


class Watch(L.Callback):
    """Which records each epoch trained on, and when batches came."""

    def __init__(self) -> None:
        self.seen: dict[int, Counter] = {}
        self.times = [monotonic()]

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        epoch = self.seen.setdefault(trainer.current_epoch, Counter())
        epoch.update((record.file, record.line) for record in batch.records)
        self.times.append(monotonic())


@pytest.fixture(scope="module")
def broken(make_broken_world, tmp_path_factory):
    return make_broken_world(tmp_path_factory.mktemp("broken") / "data", seed=0)


def fit(world, checkpoint, folder, **options):
    watch = Watch()
    trainer = L.Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        max_epochs=EPOCHS,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        callbacks=[watch],
    )
    data = EmoCFGDataModule(str(world.root), str(checkpoint), val=[], video=SETTINGS, batch_size=16, **options)
    trainer.fit(SFTModule(str(checkpoint)), data)
    return watch


@pytest.mark.slow
def test_every_good_sample_is_trained_on_once_an_epoch_and_every_bad_one_named_once(
    broken, checkpoint, tmp_path, caplog
):
    with caplog.at_level(logging.WARNING):
        watch = fit(broken, checkpoint, tmp_path, on_bad_sample="skip", num_workers=2)
    readable = {
        video for video in broken.good + broken.damaged + broken.broken if _reads(broken.root / "videos" / video)
    }
    assert set(broken.good) <= readable and not set(broken.broken) & readable
    good = {(str(broken.root / file), line) for (file, line), video in broken.records.items() if video in readable}
    for epoch in range(EPOCHS):
        assert watch.seen[epoch] == dict.fromkeys(good, 1)

    named = Quarantine.read(tmp_path / "quarantine.jsonl", broken.root, broken.root / "videos").faults
    subjects = Counter(fault.video or (fault.file, fault.line) for fault in named)
    assert set(subjects.values()) == {1}
    bad_videos = {video for video in broken.damaged + broken.broken if video not in readable}
    assert bad_videos <= {fault.video for fault in named}
    assert len(named) == len(bad_videos) + len(broken.malformed) + len(broken.special)
    said = [line.getMessage() for line in caplog.records if line.getMessage().startswith("left out: ")]
    assert len(said) == len(set(said))
    assert all(fault.reason for fault in named)
    assert max(b - a for a, b in pairwise(watch.times)) < 30


def test_without_skip_the_first_bad_record_ends_the_run_with_a_sentence(broken, checkpoint, tmp_path):
    with pytest.raises(InputError, match=r"\.json.*bad records.*videmo check.*on_bad_sample=skip"):
        fit(broken, checkpoint, tmp_path, num_workers=0)


def _reads(path) -> bool:
    try:
        read_frames(path, SETTINGS)
    except VideoError:
        return False
    return True

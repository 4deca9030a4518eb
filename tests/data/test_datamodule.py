"""The datamodule on a drawn world: real files through real workers."""

import json
from collections import Counter
from itertools import islice

import lightning as L
import pytest
import torch

from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.token_tree import IGNORE_INDEX

SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)


@pytest.fixture
def datamodule(world, world_checkpoint):
    def make(stage="fit", **options):
        module = EmoCFGDataModule(str(world), str(world_checkpoint), video=SMALL, **{"num_workers": 0, **options})
        module.trainer = L.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, barebones=False)
        module.setup(stage)
        return module

    return make


@pytest.mark.parametrize("num_workers", [0, 2])
def test_an_epoch_holds_every_record_once_for_any_number_of_workers(num_workers, datamodule):
    module = datamodule(num_workers=num_workers, batch_size=32)
    seen = Counter(record.where for batch in module.train_dataloader() for record in batch.records)
    assert seen == Counter(record.where for record in module.records("train"))


def test_batches_do_not_depend_on_the_number_of_workers(datamodule):
    ours, theirs = (datamodule(num_workers=n, batch_size=32).train_dataloader() for n in (0, 2))
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(a.input_ids, b.input_ids)
        assert torch.equal(a.pixel_values_videos, b.pixel_values_videos)


def test_labels_are_the_answers(datamodule):
    module = datamodule(batch_size=16)
    batch = next(iter(module.train_dataloader()))
    tokenizer = module._dataset("train", with_answer=True).tokenizer
    for number, record in enumerate(batch.records):
        labels = batch.labels[batch.sample == number]
        answers = [message.content for message in record.messages if message.role == "assistant"]
        assert tokenizer.decode(labels) == "".join(f"{answer}<|im_end|>" for answer in answers)
    assert (batch.labels != IGNORE_INDEX).sum() == batch.num_items_in_batch


def test_siblings_share_their_video(datamodule):
    plain = next(iter(datamodule(batch_size=64, max_branches=1).train_dataloader()))
    shared = next(iter(datamodule(batch_size=64, max_branches=16).train_dataloader()))
    assert len(plain.video_grid_thw) >= 64
    assert len(shared.video_grid_thw) < 48


def test_a_window_carries_the_token_count_of_its_micro_batches(datamodule):
    module = datamodule(batch_size=4, global_batch_size=12)
    assert module.trainer.accumulate_grad_batches == 3
    batches = list(module.train_dataloader())
    for first in range(0, len(batches), 3):
        window = batches[first : first + 3]
        assert {b.num_items_in_batch for b in window} == {sum(b.num_label_tokens for b in window)}


def test_test_prompts_hold_no_answer(datamodule):
    module = datamodule("test")
    batch = next(iter(module.test_dataloader()[0]))
    assert batch.num_label_tokens == 0
    tokenizer = module._dataset("test", with_answer=False).tokenizer
    row, column = int(batch.leaf_row[0]), int(batch.leaf_column[0])
    assert tokenizer.decode(batch.input_ids[row, : column + 1]).endswith("<|im_start|>assistant\n")


def test_blank_videos_keep_their_shape_and_lose_their_content(datamodule):
    seen, blank, swapped, frozen = (
        next(iter(loader)) for loader in datamodule("test", controls=["blank", "swapped", "frozen"]).test_dataloader()
    )
    assert torch.equal(seen.input_ids, blank.input_ids)
    assert seen.pixel_values_videos.abs().sum() > 0
    assert blank.pixel_values_videos.abs().sum() == 0
    for other in (swapped, frozen):
        assert torch.equal(seen.input_ids, other.input_ids)
        assert not torch.equal(seen.pixel_values_videos, other.pixel_values_videos)


def test_an_unknown_source_names_the_nearest_known_one(world, world_checkpoint, tmp_path):
    record = json.loads((world / "jsons/train/attribute/full/MEAD_Head-Pose.json").read_text())[0]
    (tmp_path / "x.json").write_text(json.dumps([{**record, "source": "MEAD_Headpose"}]))
    module = EmoCFGDataModule(str(world), str(world_checkpoint), train=[str(tmp_path / "x.json")])
    with pytest.raises(InputError, match=r"x.json:1: .*MEAD_Headpose.*MEAD_Head-Pose"):
        module.records("train")


def test_a_video_that_cannot_be_decoded_is_named_by_its_record(world, world_checkpoint, tmp_path, datamodule):
    record = json.loads((world / "jsons/train/attribute/full/MEAD_Head-Pose.json").read_text())[0]
    (tmp_path / "cut.mp4").write_bytes((world / "videos" / record["videos"][0]).read_bytes()[:1500])
    (tmp_path / "x.json").write_text(json.dumps([{**record, "videos": ["cut.mp4"]}]))
    module = datamodule(train=[str(tmp_path / "x.json")], video_root=str(tmp_path), val=[], num_workers=2)
    with pytest.raises(InputError, match=r"x.json:1: .*cut.mp4"):
        list(module.train_dataloader())


@pytest.mark.parametrize("num_workers", [0, 2])
def test_one_stream_of_batches_serves_all_epochs_and_each_is_that_of_a_loader_of_its_own(num_workers, datamodule):
    module = datamodule(num_workers=num_workers, batch_size=32, global_batch_size=64)
    loader = module.train_dataloader()
    streams = 0
    make = loader.loader.__class__.__iter__

    def counted(self):
        nonlocal streams
        streams += self is loader.loader
        return make(self)

    for epoch in range(3):
        loader.sampler.set_epoch(epoch)
        alone = datamodule(num_workers=0, batch_size=32, global_batch_size=64).train_dataloader()
        alone.sampler.set_epoch(epoch)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loader.loader.__class__, "__iter__", counted)
            served = list(islice(loader, len(loader)))  # as Lightning asks: so many, and never for one more
        assert [b.records for b in served] == [b.records for b in alone]
        assert [b.num_items_in_batch for b in served] == [b.num_items_in_batch for b in alone]
    assert streams == 1


def test_an_epoch_that_was_left_in_the_middle_does_not_leak_into_the_next(datamodule):
    module = datamodule(num_workers=2, batch_size=32)
    loader = module.train_dataloader()
    first = next(iter(loader))
    again = next(iter(loader))
    assert first.records == again.records
    loader.sampler.set_epoch(1)
    seen = Counter(record.where for batch in loader for record in batch.records)
    assert seen == Counter(record.where for record in module.records("train"))

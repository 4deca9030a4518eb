"""The datamodule on a drawn world: real files through real workers."""

import json
import math
import os
import shutil
from collections import Counter
from itertools import islice
from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch
from lightning.pytorch.utilities import CombinedLoader

from videmo.data.cache import CacheRoom
from videmo.data.curriculum import Stage
from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.token_tree import IGNORE_INDEX

SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)


@pytest.fixture
def datamodule(world, world_checkpoint, tmp_path):
    loaders = CombinedLoader([])

    class Module(EmoCFGDataModule):
        def train_dataloader(self):
            loaders.flattened.append(loader := super().train_dataloader())
            return loader

    def make(stage="fit", **options):
        module = Module(str(world), str(world_checkpoint), video=SMALL, **{"num_workers": 0, **options})
        module.trainer = L.Trainer(accelerator="cpu", logger=False, default_root_dir=tmp_path)
        module.setup(stage)
        return module

    yield make
    loaders.reset()  # as a trainer does: their workers end


def _warnings(caplog) -> list[str]:
    return [entry.getMessage() for entry in caplog.records if entry.name == "videmo.data.datamodule"]


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


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"train": []}, r"data.train is an empty list; name files, such as jsons/train/\*/full/\*.json"),
        ({"val": "none/*.json"}, r"data.val: no file matches none/\*.json in .*; correct it or leave it out"),
        ({"test": ["none/*.json"]}, r"data.test: no file matches none/\*.json in"),
    ],
)
def test_patterns_that_name_nothing_are_refused_at_the_start(options, says, datamodule):
    with pytest.raises(InputError, match=says):
        datamodule(**options)


def test_a_plain_string_is_one_pattern(world, datamodule, caplog):
    module = datamodule(train="jsons/train/qa/full/QA_Hair.json", val=[])
    (file,) = world.glob("jsons/train/qa/full/QA_Hair.json")
    assert module.records("train").index.files == (str(file),)
    assert not _warnings(caplog)  # no validation was asked for


def test_a_mix_that_names_what_the_data_lacks_is_told_once(datamodule, caplog):
    datamodule(curriculum=[Stage("one", {"head_pose": 1.0, "text": 0.5}, epochs=1)])
    assert _warnings(caplog) == ["stage 'one': an epoch takes none of the 0 records of text"]


def test_a_stage_whose_tasks_are_not_validated_is_told(datamodule, caplog):
    stages = [Stage("one", {"emotion_single": 1.0}, epochs=1), Stage("two", {"hair": 1.0}, epochs=1)]
    datamodule(curriculum=stages, val="jsons/val/qa/full/*Hair.json")
    assert _warnings(caplog) == ["stage 'one': no validation record is of its tasks, so its last weights stay"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seed": -1}, r"data.seed must be 0 or more, got -1"),
        ({"num_workers": -1}, r"data.num_workers must be 0 or more, got -1"),
        ({"batch_size": 2, "batch_tokens": 900, "global_batch_size": 4}, r"--data.batch_size=null takes back"),
        ({"vision_cache": CacheRoom(memory_mb=-1)}, r"data.vision_cache.memory_mb must be .* 0 or more, got -1"),
        ({"vision_cache": CacheRoom(memory_mb=math.inf)}, r"data.vision_cache.memory_mb must be .* got inf"),
        ({"frames_cache": CacheRoom(memory_mb=math.nan)}, r"data.frames_cache.memory_mb must be .* got nan"),
        (
            {"frames_cache": CacheRoom(disk_mb=1)},
            r"data.frames_cache has disk_mb, but no folder; on disk it needs both",
        ),
        ({"frames_cache": CacheRoom(folder="x")}, r"data.frames_cache has a folder, but no disk_mb"),
        ({"vision_cache": CacheRoom(disk_mb=1, folder="")}, r"data.vision_cache.folder is empty, which would be"),
    ],
)
def test_options_that_make_no_sense_are_named(options, says, world, world_checkpoint):
    with pytest.raises(InputError, match=says):
        EmoCFGDataModule(str(world), str(world_checkpoint), **options)


def test_a_cache_folder_that_cannot_be_written_is_named_at_the_start(datamodule, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"data.vision_cache.folder .*file cannot be written .*name a folder"):
        datamodule(vision_cache=CacheRoom(disk_mb=1, folder=str(tmp_path / "file")))


@pytest.mark.parametrize("inside", [".", "videos", "jsons/../videos/"])
def test_a_cache_is_not_kept_among_the_data(inside, datamodule, world):
    room = CacheRoom(disk_mb=1, folder=str(world / inside))
    with pytest.raises(InputError, match=r"data.frames_cache.folder .* holds the data; name a folder of its own"):
        datamodule(frames_cache=room)
    datamodule(frames_cache=CacheRoom(disk_mb=1, folder=str(world / ".videmo" / "frames")))


def test_epochs_of_the_trainer_that_a_curriculum_contradicts_are_refused(world, world_checkpoint, tmp_path):
    stages = [Stage("one", epochs=2)]
    module = EmoCFGDataModule(str(world), str(world_checkpoint), curriculum=stages)
    module.trainer = L.Trainer(max_epochs=5, accelerator="cpu", logger=False, default_root_dir=tmp_path)
    with pytest.raises(InputError, match=r"trainer.max_epochs 5 contradicts data.curriculum, whose stages have 2"):
        module.setup("fit")


def test_a_weight_of_a_file_that_takes_nothing_is_told(datamodule, caplog):
    datamodule(train={"jsons/train/attribute/full/MEAD_Head-Pose.json": 0.001, "jsons/train/emotion/full/*.json": 1.0})
    told = [text for text in _warnings(caplog) if "the weight 0.001 of data.train takes none of the" in text]
    assert len(told) == 1 and told[0].endswith("records of head_pose in an epoch")


def test_a_model_that_was_trained_with_other_videos_is_told(world, world_checkpoint, tmp_path, caplog):
    exported = tmp_path / "model"
    shutil.copytree(world_checkpoint, exported)
    (exported / "videmo.json").write_text(json.dumps({"video": {"fps": 2.0, "max_frames": 4, "max_pixels": 7056}}))
    module = EmoCFGDataModule(str(world), str(exported), video=VideoSettings(max_frames=4))
    module.trainer = L.Trainer(accelerator="cpu", logger=False, default_root_dir=tmp_path)
    module.setup("validate")
    says = f"{exported} was trained in a run with data.video.max_pixels 7056, this one has 100352"
    assert [text for text in caplog.messages if "was trained" in text] == [says]


def test_a_run_without_validation_says_so(datamodule, caplog, tmp_path):
    (tmp_path / "x.json").write_text("")
    datamodule(val=[str(tmp_path / "x.json")], on_bad_sample="skip")
    assert [text.split(":")[0] for text in _warnings(caplog)] == ["no validation"]
    caplog.clear()
    datamodule()
    assert not _warnings(caplog)


def test_records_that_are_too_long_are_told_at_the_start(datamodule, tmp_path):
    whole = datamodule()
    lengths = whole._lengths(whole.records("train"))
    limit = int(np.median(lengths.root + lengths.branch))
    long = int((lengths.root + lengths.branch > limit).sum())
    with pytest.raises(
        InputError, match=rf"tokens are more than data.max_tokens .*{limit}.*\({long} such records in all"
    ):
        datamodule(max_tokens=limit)
    with pytest.raises(InputError, match=r"all \d+ training records are too long: the shortest has \d\d tokens"):
        datamodule(max_tokens=2, on_bad_sample="skip")
    skipping = datamodule(max_tokens=limit, on_bad_sample="skip")
    assert len(skipping.records("train")) == len(whole.records("train")) - long
    manifest = Path(skipping.trainer.default_root_dir) / "quarantine.jsonl"
    assert len(manifest.read_text().splitlines()) == long


def test_a_video_that_cannot_be_read_is_not_called_too_long(world, tmp_path, datamodule):
    record = json.loads((world / "jsons/train/attribute/full/MEAD_Head-Pose.json").read_text())[0]
    (tmp_path / "cut.mp4").write_bytes((world / "videos" / record["videos"][0]).read_bytes()[:1500])
    (tmp_path / "x.json").write_text(json.dumps([{**record, "videos": ["cut.mp4"]}]))
    options = {"train": [str(tmp_path / "x.json")], "video_root": str(tmp_path), "val": []}
    text = datamodule(**options)
    limit = int(sum(text.records("train").index.text_tokens[0])) + 1  # and not one video more
    module = datamodule(max_tokens=limit, **options)
    with pytest.raises(InputError, match=r"x.json:1: .*cut.mp4"):
        list(module.train_dataloader())


def test_a_test_that_meets_broken_training_files_says_what_it_needs_them_for(datamodule, tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(InputError, match=r"x.json.*a test reads the training files, too, for its blind baseline"):
        datamodule("test", train=[str(tmp_path / "x.json")])


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.write_bytes(b"\xff\xfe")])
def test_a_file_of_the_test_that_is_none_does_not_end_the_run_that_skips_it(make, world, datamodule, tmp_path):
    make(tmp_path / "x.json")
    (good,) = world.glob("jsons/test/*/full/QA_test_sampling_all_Hair.json")
    module = datamodule("test", test=[str(good), str(tmp_path / "x.json")], on_bad_sample="skip")
    assert len(module.records("test")) and module.fingerprint()["content"]


def test_a_folder_that_is_named_like_a_video_is_called_one(world, world_checkpoint, tmp_path):
    record = json.loads((world / "jsons/train/attribute/full/MEAD_Head-Pose.json").read_text())[0]
    (tmp_path / "clip.mp4").mkdir()
    (tmp_path / "x.json").write_text(json.dumps([{**record, "videos": ["clip.mp4"]}]))
    module = EmoCFGDataModule(
        str(world), str(world_checkpoint), train=[str(tmp_path / "x.json")], video_root=str(tmp_path)
    )
    with pytest.raises(InputError, match=r"clip.mp4 is a folder, but a video file was expected"):
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

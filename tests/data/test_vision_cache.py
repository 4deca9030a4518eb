"""Encoded videos from memory and disk, through the datamodule, its workers and the trainer."""

import os
import shutil
from functools import partial

import lightning as L
import pytest
import torch

from videmo.data.cache import CacheRoom, TensorStore
from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.dataset import RecordDataset
from videmo.data.sampling import VideoSettings
from videmo.data.video import Video, video_key
from videmo.data.vision_cache import VisionCache
from videmo.errors import InputError
from videmo.models.scopes import Scope
from videmo.token_tree import VideoShape
from videmo.training import SFTModule

FROZEN_TOWER = {"vision": Scope("frozen"), "merger": Scope("frozen")}
SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)
FEATURES = 8 * 64 * 4  # bytes of a clip's 8 tokens of 64 floats
SHAPE = 5 * 8  # bytes of its grid, merge size and seconds


class Watch(L.Callback):
    """What the trainer saw: losses, hit rates, and videos whose pixels came."""

    def __init__(self) -> None:
        self.losses, self.found, self.videos, self.pixels, self.logged = [], [], [], [], set()

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        self.losses.append(outputs["loss"].item())
        self.found.append(len(batch.video_features))
        self.videos.append(batch.videos)
        self.pixels.append(0 if batch.pixel_values_videos is None else len(batch.pixel_values_videos))
        self.logged |= set(trainer.callback_metrics)

    def hit_rate(self, epoch: int, epochs: int) -> float:
        steps = len(self.found) // epochs
        part = slice(epoch * steps, (epoch + 1) * steps)
        return sum(self.found[part]) / sum(map(len, self.videos[part]))


@pytest.fixture(scope="module")
def fit(world, world_checkpoint, tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("fit")

    def run(room=CacheRoom(), epochs=2, num_workers=0, module=None, **options):  # noqa: B008 (frozen)
        L.seed_everything(0)
        watch = Watch()
        module = module or SFTModule(str(world_checkpoint), learning_rate=1e-3, **FROZEN_TOWER)
        data = EmoCFGDataModule(
            str(world),
            str(world_checkpoint),
            train=["jsons/train/attribute/full/MEAD_ID.json"],
            val=["jsons/val/attribute/full/MEAD_ID.json"],
            video=SMALL,
            batch_size=8,
            num_workers=num_workers,
            vision_cache=room,
            **options,
        )
        trainer = L.Trainer(
            default_root_dir=tmp_path,
            accelerator="cpu",
            max_epochs=epochs,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
            callbacks=[watch],
        )
        trainer.fit(module, data)
        return watch, module, data

    return run


@pytest.fixture(scope="module")
def uncached(fit):
    return fit()[:2]


def same_weights(a, b) -> bool:
    one, other = a.state_dict(), b.state_dict()
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_training_is_the_same_to_the_bit_with_and_without_the_cache(num_workers, fit, uncached):
    plain, plain_module = uncached
    cached, module, data = fit(CacheRoom(memory_mb=100), num_workers=num_workers)
    assert cached.losses == plain.losses
    assert same_weights(module, plain_module)
    assert plain.hit_rate(1, 2) == 0 and cached.hit_rate(1, 2) == 1
    steps = len(cached.pixels) // 2
    assert cached.pixels[0] and not any(cached.pixels[steps:])  # the second epoch decodes and encodes nothing
    assert "cache/vision_hit_rate" in cached.logged
    assert not data._vision_store.full


def test_what_fits_is_what_is_hit(fit, uncached):
    room = 4 * (FEATURES + SHAPE)
    with pytest.warns(UserWarning, match=r"the vision cache is full .* data\.vision_cache sets its size"):
        part, _, data = fit(CacheRoom(memory_mb=room / 2**20), num_workers=2)
    assert len(data._vision._known) == 4 and data._vision_store.memory_used == room
    steps = len(part.found) // 2
    asked = [shape.path for videos in part.videos[steps:] for shape in videos]
    assert part.hit_rate(1, 2) == sum(path in data._vision._known for path in asked) / len(asked)
    assert 0 < part.hit_rate(1, 2) < 1
    assert part.losses == uncached[0].losses


@pytest.mark.parametrize("num_workers", [0, 2])
def test_the_next_run_reads_what_this_one_left_on_disk(num_workers, fit, tmp_path):
    room = CacheRoom(disk_mb=100, folder=str(tmp_path / "vision"))
    first, module, _ = fit(room, epochs=1, num_workers=num_workers)
    second, _again, _data = fit(room, epochs=1, num_workers=num_workers)
    assert second.hit_rate(0, 1) == 1 and not any(second.pixels)
    assert second.losses == first.losses
    other = SFTModule(module.hparams.checkpoint, **FROZEN_TOWER)
    other.configure_model()
    with torch.no_grad():
        other.backbone.tower.merger.mlp[2].bias.add_(1.0)
    third, _, _ = fit(room, epochs=1, module=other)
    assert third.found[0] == 0 and third.pixels[0] > 0  # another tower's features are nothing to it


def test_features_read_from_disk_are_promised_from_memory_then(fit, tmp_path):
    fit(CacheRoom(disk_mb=100, folder=str(tmp_path / "vision")), epochs=1)
    watch, _, data = fit(CacheRoom(100, 100, str(tmp_path / "vision")), num_workers=2)
    assert watch.hit_rate(0, 2) == 1
    assert data._vision._known and data._vision_store.memory_used > 0


def test_a_tower_that_trains_is_not_cached(fit, world_checkpoint):
    with pytest.raises(InputError, match=r"model\.vision\.mode and model\.merger\.mode to frozen"):
        fit(CacheRoom(memory_mb=1), module=SFTModule(str(world_checkpoint)))


def test_frames_found_by_workers_are_counted(fit):
    watch, _, _ = fit(frames_cache=CacheRoom(memory_mb=100))
    assert "cache/frames_hit_rate" in watch.logged and "cache/vision_hit_rate" not in watch.logged


def test_a_test_with_controls_answers_alike_with_the_cache(world, world_checkpoint, tmp_path):
    answers = []
    for room in (CacheRoom(), CacheRoom(memory_mb=100)):
        module = SFTModule(str(world_checkpoint), **FROZEN_TOWER, max_new_tokens=3, results_dir=str(tmp_path))
        data = EmoCFGDataModule(
            str(world),
            str(world_checkpoint),
            test=["jsons/test/attribute/full/MEAD_ID.json"],
            video=SMALL,
            num_workers=0,
            controls=["blank", "swapped"],
            vision_cache=room,
        )
        trainer = L.Trainer(
            default_root_dir=tmp_path,
            accelerator="cpu",
            logger=False,
            enable_progress_bar=False,
            use_distributed_sampler=False,
        )
        trainer.test(module, data, verbose=False)
        answers.append({shown: [p.response for p in given] for shown, given in module._predictions.items()})
    assert answers[0] == answers[1] and len(answers[0]) == 3


def test_a_key_follows_the_file_and_what_changes_its_frames(tmp_path):
    file = tmp_path / "a.mp4"
    file.write_bytes(b"one")
    key = video_key(file, SMALL)
    assert video_key(file, VideoSettings(max_frames=4, min_pixels=56**2, max_pixels=56**2, decode_timeout=1)) == key
    others = {video_key(file, VideoSettings()), video_key(file, SMALL, "frozen")}
    stamp = file.stat().st_mtime_ns
    os.utime(file, ns=(stamp, stamp + 1))
    others.add(video_key(file, SMALL))
    file.write_bytes(b"longer")
    os.utime(file, ns=(stamp, stamp))
    others.add(video_key(file, SMALL))
    shutil.copy2(file, tmp_path / "b.mp4")
    others.add(video_key(tmp_path / "b.mp4", SMALL))
    assert len(others) == 5 and key not in others


def test_a_promise_is_not_kept_for_a_file_that_changed():
    cache = VisionCache(TensorStore(10**6), "tower")
    known = {"a.mp4": VideoShape("a.mp4", cache.key("old"), (1, 2, 2), 1.0, 2)}
    assert cache.find("a.mp4", cache.key("new"), known) is None
    promised = cache.find("a.mp4", cache.key("old"), known)
    assert promised.pixel_values is None and promised.features is None and promised.num_tokens == 1


def test_frames_are_decoded_once_while_there_is_room(make_video, monkeypatch, tmp_path):
    loads, video = [], make_video(1, 2, 2)
    size = sum(tensor.nbytes for tensor in video.tensors().values())
    monkeypatch.setattr("videmo.data.dataset.load_video", lambda file, *_: loads.append(file.name) or video)
    data = RecordDataset([], tmp_path, None, None, SMALL, open_frames=partial(TensorStore, 2 * size))
    for name in "abc":
        (tmp_path / name).touch()
    for name in "abaabcca":
        found = data._load(name, {})
        assert torch.equal(found.pixel_values, video.pixel_values)
        assert (found.grid_thw, found.second_per_grid, found.merge_size) == (video.grid_thw, video.second_per_grid, 2)
    assert loads == ["a", "b", "c", "c"]
    assert (data._frames.hits, data._frames.misses) == (4, 4)


def test_a_video_survives_its_tensors():
    video = Video(None, (2, 4, 6), 0.1 + 0.2, 2, torch.rand(12, 8).bfloat16())
    again = Video.from_tensors(video.tensors())
    assert again.second_per_grid == video.second_per_grid  # 64 bits, or positions would differ
    assert again.pixel_values is None and torch.equal(again.features, video.features)

"""The tensor store: what is in stays, bounds hold, nothing half-written or spoiled is ever given out."""

import multiprocessing
import pickle
from pathlib import Path

import pytest
import torch

from videmo.data.cache import ASIDE, TensorStore

SIZE = 1024  # bytes of an entry's tensors
DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.uint8, torch.int64, torch.float64)


def entry(seed: int = 0) -> dict[str, torch.Tensor]:
    return {"values": torch.randn(SIZE // 4, generator=torch.Generator().manual_seed(seed))}


def files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def file_size(tmp_path_factory) -> int:
    folder = tmp_path_factory.mktemp("one")
    TensorStore(0, folder, 10**6).put("a", entry())
    return files(folder)[0].stat().st_size


def equal(found, expected) -> bool:
    return found.keys() == expected.keys() and all(
        found[name].dtype == tensor.dtype and torch.equal(found[name], tensor) for name, tensor in expected.items()
    )


def test_what_is_in_stays_and_what_finds_no_room_is_turned_away():
    store = TensorStore(2 * SIZE)
    for number, key in enumerate("ab"):
        store.put(key, entry(number))
    assert not store.full
    store.put("c", entry(2))
    assert store.full and store.memory_used == 2 * SIZE
    assert equal(store.get("a"), entry(0)) and equal(store.get("b"), entry(1))
    assert store.get("c") is None and "c" not in store
    assert (store.hits, store.misses) == (2, 1)


def test_shuffled_epochs_find_the_share_that_fits():
    """Where the least recently used first out would find the square of it, and in the same order nothing."""
    store, generator = TensorStore(25 * SIZE), torch.Generator().manual_seed(0)
    for epoch in range(4):
        found = 0
        for key in torch.randperm(100, generator=generator).tolist():
            found += store.get(str(key)) is not None
            store.put(str(key), entry(key))
        assert found == (25 if epoch else 0)


def test_nothing_is_kept_without_room():
    store = TensorStore(0)
    store.put("a", entry())
    assert store.get("a") is None and store.full


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 5), (), (0, 4)])
def test_another_store_reads_back_bytes_types_and_shapes_from_disk(dtype, shape, tmp_path):
    tensors = {"x": (torch.rand(shape) * 100).to(dtype), "transposed": torch.rand(4, 6).to(dtype).T}
    TensorStore(0, tmp_path, 10**6).put("a", tensors)
    assert equal(TensorStore(0, tmp_path, 10**6).get("a"), tensors)


def test_what_is_read_from_disk_is_remembered_by_get_and_not_by_read(tmp_path):
    TensorStore(0, tmp_path, 10**6).put("a", entry())
    store = TensorStore(SIZE, tmp_path, 10**6)
    store.read("a")
    assert "a" not in store
    store.get("a")
    assert "a" in store and store.memory_used == SIZE


def test_the_disk_is_bounded_over_runs_and_over_writers(tmp_path, tmp_path_factory):
    one = file_size(tmp_path_factory)
    first = TensorStore(0, tmp_path, 10 * one)
    for key in range(4):
        first.put(f"first {key}", entry(key))
    second = TensorStore(0, tmp_path, 10 * one, writers=2)  # its part: 3 of the 6 that are free
    assert second.disk_used == 4 * one
    for key in range(6):
        second.put(f"second {key}", entry(key))
    assert second.full and not first.full
    assert len(files(tmp_path)) == 7
    assert sum(second.get(f"second {key}") is not None for key in range(6)) == 3


def test_memory_and_disk_are_both_filled(tmp_path, tmp_path_factory):
    store = TensorStore(SIZE, tmp_path, 2 * file_size(tmp_path_factory))
    for key in range(3):
        store.put(str(key), entry(key))
    assert "0" in store and len(files(tmp_path)) == 2 and store.full
    assert [store.get(str(key)) is not None for key in range(3)] == [True, True, False]
    assert TensorStore(0, tmp_path, 10**6).get("0") is not None  # the next run finds what this one had in memory


@pytest.mark.parametrize("damage", ["cut", "emptied", "zeroed", "flipped", "another file"])
def test_a_spoiled_file_is_a_miss_and_is_replaced(damage, tmp_path):
    store = TensorStore(0, tmp_path, 10**6)
    store.put("a", entry())
    (file,) = files(tmp_path)
    content = bytearray(file.read_bytes())
    if damage == "cut":
        content = content[:-100]
    elif damage == "emptied":
        content = content[:0]
    elif damage == "zeroed":  # as after a power cut: the length is there, the data is not
        content[-SIZE:] = bytes(SIZE)
    elif damage == "flipped":
        content[-1] ^= 1
    else:
        content = bytearray(b"not safetensors at all" * 100)
    file.write_bytes(content)
    assert store.get("a") is None
    assert (store.unreadable, store.misses) == (1, 1)
    store.put("a", entry())
    assert equal(store.get("a"), entry()) and store.unreadable == 1


def test_files_of_a_killed_process_count_until_they_are_old_and_then_go(tmp_path, monkeypatch):
    folder = tmp_path / "ab" / "cd"
    folder.mkdir(parents=True)
    (folder / f"x{ASIDE}").write_bytes(bytes(500))
    assert TensorStore(0, tmp_path, 10**6).disk_used == 500
    monkeypatch.setattr("videmo.data.cache.ABANDONED_AFTER", -1.0)
    assert TensorStore(0, tmp_path, 10**6).disk_used == 0
    assert files(tmp_path) == []


def test_links_to_themselves_are_counted_and_not_followed(tmp_path):
    (tmp_path / "ab" / "cd").mkdir(parents=True)
    (tmp_path / "ab" / "cd" / "x").symlink_to("x")
    (tmp_path / "ab" / "ef").symlink_to("ef")
    (tmp_path / "gh").symlink_to("gh")
    assert TensorStore(0, tmp_path, 10**6).disk_used == 1  # the length of its target's name


def test_a_disk_that_cannot_be_written_ends_the_cache_and_not_the_run(tmp_path, monkeypatch):
    store = TensorStore(0, tmp_path, 10**6)

    def no_space(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("videmo.data.cache.os.replace", no_space)
        store.put("a", entry())
    assert store.full and store.get("a") is None and files(tmp_path) == []


def _write_many(folder: Path, barrier) -> None:
    store = TensorStore(0, folder, 10**8, writers=4)
    barrier.wait()
    for key in range(30):
        store.put(str(key), entry(key))
        found = store.get(str(key))
        assert found is not None and equal(found, entry(key))
    assert store.unreadable == 0


def test_processes_may_write_the_same_keys_at_once(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(4)
    writers = [context.Process(target=_write_many, args=(tmp_path, barrier), daemon=True) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert len(files(tmp_path)) == 30


def test_a_pickled_store_has_the_folder_and_an_empty_memory(tmp_path):
    store = TensorStore(10 * SIZE, tmp_path, 10**6)
    store.put("a", entry())
    copy = pickle.loads(pickle.dumps(store))
    assert "a" not in copy and copy.memory_used == 0 and "a" in store
    assert equal(copy.get("a"), entry())


def test_tensors_made_in_inference_mode_can_be_trained_on_later():
    store = TensorStore(10**6)
    with torch.inference_mode():
        store.put("a", {"x": torch.ones(3)})
    weight = torch.ones(3, requires_grad=True)
    (store.get("a")["x"] * weight).sum().backward()
    assert weight.grad.tolist() == [1, 1, 1]


def test_a_view_is_kept_without_the_rest_of_its_storage():
    store, large = TensorStore(10**6), torch.zeros(10**5)
    store.put("a", {"x": large[:10]})
    assert store.get("a")["x"].untyped_storage().nbytes() == store.memory_used == 40

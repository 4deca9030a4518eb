"""Batches: every record once an epoch over all ranks, siblings together, the same order from the same seed."""

from collections import Counter

import pytest

from videmo.data.order import BatchOrder, accumulation_steps
from videmo.errors import InputError

KEYS = [i // 5 for i in range(97)] + [f"single {i}" for i in range(13)]


def epoch(world_size=1, number=0, **options):
    """The batches of all ranks, step by step."""
    orders = [BatchOrder(KEYS, 8, rank=r, world_size=world_size, **options) for r in range(world_size)]
    for order in orders:
        order.set_epoch(number)
    return list(zip(*orders, strict=True))


@pytest.mark.parametrize("world_size", [1, 2, 3, 7])
@pytest.mark.parametrize("max_branches", [1, 3, 8])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_record_once_an_epoch(world_size, max_branches, shuffle):
    steps = epoch(world_size, max_branches=max_branches, shuffle=shuffle)
    learned = Counter(n for step in steps for batch in step for n in batch if n >= 0)
    assert learned == Counter(range(len(KEYS)))


def test_every_rank_has_a_batch_in_every_step_and_fillers_are_marked():
    steps = epoch(7)
    assert all(batch for step in steps for batch in step)
    assert [n for step in epoch(1) for batch in step for n in batch if n < 0] == []


def test_siblings_stand_together_up_to_max_branches():
    for (batch,) in epoch(max_branches=3):
        keys = [KEYS[n] for n in batch]
        for key, count in Counter(keys).items():
            first = keys.index(key)
            assert count > 3 or keys[first : first + count] == [key] * count


def test_order_depends_on_seed_and_epoch_only():
    assert epoch(seed=1) == epoch(seed=1)
    assert epoch(seed=1) != epoch(seed=2)
    assert epoch(seed=1) != epoch(seed=1, number=1)


def test_resuming_passes_over_the_batches_already_seen_once():
    order = BatchOrder(KEYS, 8, seed=3)
    whole = list(order)
    order.start = 5
    assert list(order) == whole[5:]
    assert list(order) == whole


@pytest.mark.parametrize("size", [100, 0, -8])
def test_a_global_batch_that_does_not_divide_is_refused(size):
    with pytest.raises(InputError, match=f"global_batch_size {size} is not a multiple of batch_size 8 x 4"):
        accumulation_steps(size, batch_size=8, world_size=4)


def test_without_a_global_batch_nothing_accumulates():
    assert accumulation_steps(None, batch_size=8, world_size=4) == 1

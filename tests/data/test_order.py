"""Batches: every record once an epoch over all ranks, siblings together, steps of one size, the same from one seed."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from videmo.data.order import BatchOrder, Lengths, accumulation_steps, best_fit, least_loaded
from videmo.errors import InputError

FAMILY = np.array([i // 5 for i in range(97)] + list(range(100, 113)))
LENGTHS = Lengths(FAMILY, np.full(110, 100), np.random.default_rng(0).integers(5, 60, 110))


def epoch(world_size=1, number=0, batch_size=8, **options):
    """The batches of all ranks, side by side."""
    orders = [BatchOrder(LENGTHS, batch_size, rank=r, world_size=world_size, **options) for r in range(world_size)]
    for order in orders:
        order.set_epoch(number)
        assert len(order) == len(list(order))
    return list(zip(*orders, strict=True))


def trees(batch):
    """A batch's runs of siblings."""
    found = []
    for number in batch:
        if found and FAMILY[number] == FAMILY[found[-1][-1]]:
            found[-1].append(number)
        else:
            found.append([number])
    return found


@pytest.mark.parametrize("world_size", [1, 2, 3, 7])
@pytest.mark.parametrize("max_branches", [1, 3, 8])
@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_record_once_an_epoch(world_size, max_branches, window, shuffle):
    side_by_side = epoch(world_size, max_branches=max_branches, window=window, shuffle=shuffle)
    assert Counter(n for step in side_by_side for batch in step for n in batch) == Counter(range(len(FAMILY)))


@pytest.mark.parametrize("limits", [{"max_tokens": 250}, {"batch_tokens": 500, "global_batch_size": 24}])
@pytest.mark.parametrize("world_size", [1, 3])
def test_every_record_once_an_epoch_under_limits(limits, world_size):
    side_by_side = epoch(world_size, max_branches=8, window=4, **limits)
    assert Counter(n for step in side_by_side for batch in step for n in batch) == Counter(range(len(FAMILY)))


def test_a_rank_without_records_has_an_empty_batch():
    side_by_side = epoch(7, batch_size=15)
    assert [len(batch) for batch in side_by_side[-1]].count(0) == 2  # 110 records are 105 and 5
    assert all(batch for step in epoch(1) for batch in step)


@pytest.mark.parametrize("world_size", [1, 2])
def test_a_step_has_its_samples_exactly(world_size):
    window = 3
    side_by_side = epoch(world_size, batch_size=4, window=window, max_branches=4)
    sizes = [sum(map(len, step)) for step in side_by_side]
    steps = [sum(sizes[i : i + window]) for i in range(0, len(sizes), window)]
    assert steps[:-1] == [4 * window * world_size] * (len(steps) - 1)


def test_families_are_torn_at_a_steps_end_only():
    """97 records of 20 families and 13 singles are 33 trees; 24 a step are 5 steps, so at most 4 are torn."""
    batches = [batch for (batch,) in epoch(batch_size=8, window=3, max_branches=5)]
    assert sum(len(trees(batch)) for batch in batches) <= 33 + 4


def test_micro_batches_have_about_as_many_tokens():
    for step in range(4):
        batches = [batch for (batch,) in epoch(batch_size=8, window=3, max_branches=5)][3 * step : 3 * step + 3]
        tokens = [sum(100 + LENGTHS.branch[tree].sum() for tree in trees(batch)) for batch in batches]
        assert max(tokens) - min(tokens) < 350  # the longest tree


def test_siblings_stand_together_up_to_max_branches():
    for (batch,) in epoch(max_branches=3):
        keys = [FAMILY[n] for n in batch]
        for key, count in Counter(keys).items():
            first = keys.index(key)
            assert count > 3 or keys[first : first + count] == [key] * count


@pytest.mark.parametrize("world_size", [1, 2])
def test_an_evaluation_tears_no_family_and_begins_with_the_longest(world_size):
    steps = epoch(world_size, batch_size=8, max_branches=8, shuffle=False)
    batches = [batch for step in steps for batch in step]
    found = [tree for batch in batches for tree in trees(batch)]
    assert len(found) == len(set(FAMILY.tolist()))
    assert all(tree == sorted(tree) for tree in found)
    tokens = [sorted(100 + LENGTHS.branch[tree].sum() for batch in step for tree in trees(batch)) for step in steps]
    assert all(later[-1] <= earlier[0] for earlier, later in pairwise(tokens))
    sizes = [sum(map(len, step)) for step in steps]
    assert max(sizes) <= 8 * world_size
    assert sum(len(step) for step in steps) <= 1.5 * len(FAMILY) / 8 + world_size


def test_an_evaluation_tears_a_family_that_no_batch_holds():
    batches = [batch for step in epoch(batch_size=3, max_branches=3, shuffle=False) for batch in step]
    assert max(map(len, batches)) == 3
    assert [len(tree) for batch in batches for tree in trees(batch)].count(3) == 19  # 19 families of 5, one of 2


def test_no_tree_is_longer_than_max_tokens():
    order = BatchOrder(LENGTHS, 8, max_branches=8, max_tokens=180)
    laid_out = order._epoch(0)
    sizes = np.diff(laid_out.start)
    assert (laid_out.tokens[sizes > 1] <= 180).all()
    assert sizes.max() > 1


def test_no_micro_batch_is_longer_than_batch_tokens_and_few_are_needed():
    order = BatchOrder(LENGTHS, 8, max_branches=8, batch_tokens=420, global_batch_size=30)
    order.window = order.plan_window(5)
    for number in range(5):
        order.set_epoch(number)
        tokens = [sum(100 + LENGTHS.branch[tree].sum() for tree in trees(batch)) for batch in order]
        assert max(tokens) <= 420
    per_step = (LENGTHS.branch.sum() + 100 * 40) / 4
    assert order.window <= 1.5 * per_step / 420 + 1


def test_order_depends_on_seed_and_epoch_only():
    assert epoch(seed=1) == epoch(seed=1)
    assert epoch(seed=1) != epoch(seed=2)
    assert epoch(seed=1) != epoch(seed=1, number=1)


def test_ranks_and_windows_share_the_same_steps():
    """Two ranks with one micro-batch, or one rank with two, see the same samples in every optimizer step."""
    two = [sorted(n for batch in step for n in batch) for step in epoch(2, batch_size=4, seed=1)]
    one = [batch for (batch,) in epoch(1, batch_size=4, window=2, seed=1)]
    assert two == [sorted(a + b) for a, b in zip(one[::2], one[1::2], strict=True)]


@pytest.mark.parametrize("done", [3, 5])
def test_resuming_passes_over_the_batches_already_seen_once(done):
    order = BatchOrder(LENGTHS, 8, window=3, seed=3)
    whole = list(order)
    order.start = done
    iter(order)  # as a loader with workers does, before the iterator that it uses
    assert list(order) == whole[done:]
    assert list(order) == whole


def test_an_epoch_takes_what_is_chosen():
    order = BatchOrder(LENGTHS, 8, chosen=lambda epoch: np.array([1, 1, 2, 50 + epoch]))
    assert sorted(n for batch in order for n in batch) == [1, 1, 2, 50]
    order.set_epoch(1)
    assert sorted(n for batch in order for n in batch) == [1, 1, 2, 51]


def test_an_epoch_of_nothing_has_no_batch():
    order = BatchOrder(LENGTHS, 8, chosen=lambda epoch: np.zeros(0, int))
    assert len(order) == 0 and list(order) == []


@pytest.mark.parametrize("size", [100, 0, -8])
def test_a_global_batch_that_does_not_divide_is_refused(size):
    with pytest.raises(InputError, match=f"global_batch_size {size} is not a multiple of batch_size 8 x 4"):
        accumulation_steps(size, batch_size=8, world_size=4)


def test_both_ways_to_fill_bins_hold_every_item_once():
    weights = np.random.default_rng(1).integers(1, 50, 60)
    fitted, dealt = best_fit(weights, 60), least_loaded(weights, 7)
    for bins in (fitted, dealt):
        assert sorted(item for items in bins for item in items) == list(range(60))
    assert max(weights[items].sum() for items in fitted) <= 60
    assert len(fitted) <= 1.25 * weights.sum() / 60
    loads = [weights[items].sum() for items in dealt]
    assert max(loads) - min(loads) < 50

import math

import pytest
import torch

from videmo.metrics import bootstrap_interval, paired_bootstrap


def test_the_interval_of_many_coin_flips_is_the_normal_one():
    scores = torch.tensor([0.0, 1.0]).repeat(500)
    half = 1.96 * 0.5 / math.sqrt(1000)
    assert bootstrap_interval(scores) == pytest.approx((0.5 - half, 0.5 + half), abs=0.004)


def test_the_same_scores_give_the_same_interval():
    scores = torch.rand(50, generator=torch.Generator().manual_seed(0))
    assert bootstrap_interval(scores) == bootstrap_interval(scores) != bootstrap_interval(scores, seed=1)


def test_files_weigh_the_same_whatever_their_size():
    assert bootstrap_interval(torch.ones(10), torch.zeros(1000)) == (0.5, 0.5)


def test_two_files_vary_less_than_one():
    low, high = bootstrap_interval(torch.tensor([0.0, 1.0]).repeat(50), torch.tensor([0.0, 1.0]).repeat(50))
    low_of_one, high_of_one = bootstrap_interval(torch.tensor([0.0, 1.0]).repeat(50))
    assert (high - low) / (high_of_one - low_of_one) == pytest.approx(math.sqrt(0.5), abs=0.08)


def test_no_scores_have_no_interval():
    assert all(math.isnan(bound) for bound in bootstrap_interval(torch.zeros(0)))


def test_what_makes_a_sample_hard_for_both_methods_cancels():
    hard = torch.rand(50, generator=torch.Generator().manual_seed(0)).double()
    difference, low, high, p_value = paired_bootstrap([hard + 0.1], [hard])
    assert (difference, low, high) == pytest.approx((0.1, 0.1, 0.1))
    assert p_value == 2 / 2001  # as small as 2000 resamples can say


def test_a_difference_is_that_of_means_of_file_means_and_turns_with_the_methods():
    a, b = [torch.tensor([1.0]), torch.tensor([1.0, 0.0, 1.0, 0.0])], [torch.tensor([0.0]), torch.tensor([0.0] * 4)]
    found, turned = paired_bootstrap(a, b), paired_bootstrap(b, a)
    assert found.difference == (1.0 + 0.5) / 2  # over all five samples it would be 0.6
    assert turned.difference == -found.difference
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert turned.p_value == found.p_value


def test_a_method_does_not_differ_from_itself():
    scores = torch.rand(30, generator=torch.Generator().manual_seed(0))
    assert paired_bootstrap([scores], [scores]) == (0.0, 0.0, 0.0, 1.0)


def test_p_values_worked_by_hand():
    # Of 1 and -1, three resamples in four are at or beyond 0 on either side: twice that is more than 1.
    assert paired_bootstrap([torch.tensor([1.0, 0.0])], [torch.tensor([0.0, 1.0])]).p_value == 1.0
    # Of 1, 1 and -1/2, the 6 in 27 with the last twice are at 0, and the one with nothing else is beyond.
    found = paired_bootstrap([torch.tensor([1.0, 1.0, 0.0])], [torch.tensor([0.0, 0.0, 0.5])], num_resamples=10_000)
    assert found.p_value == pytest.approx(2 * 7 / 27, abs=0.02)


def test_intervals_cover_the_true_difference_and_p_values_are_small_as_seldom_as_they_say():
    generator = torch.Generator().manual_seed(0)
    covered = rejected = 0
    for seed in range(150):
        files_a, files_b = [], []
        for size in (30, 45):
            hard = torch.rand(size, generator=generator)  # both methods find the same samples hard
            noise_a, noise_b = torch.rand(2, size, generator=generator)
            files_a.append((hard + noise_a > 0.9).double())
            files_b.append((hard + noise_b > 0.9).double())
        found = paired_bootstrap(files_a, files_b, num_resamples=300, seed=seed)
        covered += found.low <= 0 <= found.high
        rejected += found.p_value <= 0.05
    assert 0.91 <= covered / 150 <= 0.98
    assert 0.02 <= rejected / 150 <= 0.09


def test_samples_that_only_one_method_has_are_refused():
    with pytest.raises(ValueError, match=r"files of \[3, 2\] and \[2, 3\] scores"):
        paired_bootstrap([torch.ones(3), torch.ones(2)], [torch.ones(2), torch.ones(3)])
    with pytest.raises(ValueError, match="1 samples lack a score"):
        paired_bootstrap([torch.tensor([1.0, math.nan])], [torch.zeros(2)])


def test_no_pairs_have_no_difference():
    assert all(math.isnan(value) for value in paired_bootstrap([], []))
    assert all(math.isnan(value) for value in paired_bootstrap([torch.zeros(0)], [torch.zeros(0)]))

import math

import pytest
import torch

from videmo.metrics import bootstrap_interval


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

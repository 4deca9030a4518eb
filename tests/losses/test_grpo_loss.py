"""GRPO's advantages and losses against the papers' formulas in loops, and against pencil and paper."""

import math

import numpy as np
import pytest
import torch
from grpo_formulas import Completion, Objective, objective
from grpo_formulas import group_advantages as reference_advantages

from videmo.losses.grpo import group_advantages, grpo_loss

LOSS_TYPES = ("grpo", "dr_grpo", "dapo")


def flat(completions: list[Completion], name: str) -> torch.Tensor:
    values = [value for completion in completions for value in getattr(completion, name)]
    return torch.tensor(values, dtype=torch.float64)


def ours(completions: list[Completion], parts: int = 1, **options) -> Objective:
    """The loss of videmo in so many micro-batches, with its gradients."""
    kept = [completion for completion in completions if completion.keep]
    totals = {"num_sequences": len(kept), "num_tokens": sum(len(completion.logps) for completion in kept)}
    loss, kls, clips, gradients = 0.0, [], [], []
    for numbers in np.array_split(np.arange(len(completions)), parts):
        some = [completions[number] for number in numbers]
        sample = torch.tensor([place for place, one in enumerate(some) for _ in one.logps], dtype=torch.long)
        keep = torch.tensor([one.keep for one in some], dtype=torch.bool)
        logps = flat(some, "logps").requires_grad_()
        terms = grpo_loss(
            logps,
            flat(some, "old_logps"),
            flat(some, "ref_logps") if options["beta"] else None,
            torch.tensor([one.advantage for one in some], dtype=torch.float64),
            sample,
            keep=keep,
            **totals,
            **options,
        )
        terms.loss.backward()
        loss += terms.loss.item()
        counts = keep[sample]
        kls += terms.kl[counts].tolist()
        clips += (terms.clipped_low | terms.clipped_high)[counts].tolist()
        gradients += [part.tolist() for part in logps.grad.split([len(one.logps) for one in some])]
    return Objective(loss, gradients, float(np.mean(kls)) if kls else 0.0, float(np.mean(clips)) if clips else 0.0)


def random_completions(rng: np.random.Generator, *, masks: bool = True) -> list[Completion]:
    """Of lengths from 1 to 6, under three policies that are near one another, or far enough apart to be clipped."""
    completions = []
    apart = rng.choice([0.05, 0.5])
    for _ in range(rng.integers(1, 9)):
        logps = -rng.exponential(2.0, rng.integers(1, 7))
        others = [(logps + apart * rng.standard_normal(len(logps))).tolist() for _ in range(2)]
        advantage = float(rng.choice([0.0, rng.standard_normal()], p=[0.1, 0.9]))
        completions.append(Completion(logps.tolist(), *others, advantage, not masks or bool(rng.random() < 0.8)))
    return completions


def assert_close(found: Objective, expected: Objective) -> None:
    assert found.loss == pytest.approx(expected.loss, abs=1e-10)
    assert found.clipped == expected.clipped
    for mine, theirs in zip(found.gradients, expected.gradients, strict=True):
        assert mine == pytest.approx(theirs, abs=1e-10)


@pytest.mark.parametrize("loss_type", LOSS_TYPES)
@pytest.mark.parametrize("beta", [0.0, 0.04, 1.0])
@pytest.mark.parametrize("epsilon_high", [None, 0.28])
def test_values_and_gradients_are_those_of_the_formulas(loss_type, beta, epsilon_high):
    rng = np.random.default_rng([LOSS_TYPES.index(loss_type), int(100 * beta), epsilon_high is None])
    options = {"epsilon": 0.2, "epsilon_high": epsilon_high, "beta": beta, "max_completion_length": 6}
    clipped = 0.0
    for _ in range(40):
        completions = random_completions(rng)
        expected = objective(completions, loss_type=loss_type, **options)
        found = ours(completions, loss_type=loss_type, **options)
        assert_close(found, expected)
        if beta:
            assert found.kl == pytest.approx(expected.kl, abs=1e-10)
        clipped += found.clipped
    assert clipped > 0  # some tokens were outside


@pytest.mark.parametrize("loss_type", LOSS_TYPES)
def test_the_parts_of_micro_batches_add_up(loss_type):
    rng = np.random.default_rng(1)
    options = {"epsilon": 0.2, "epsilon_high": None, "beta": 0.04, "max_completion_length": 6}
    for parts in (2, 3, 8):  # some are empty
        completions = random_completions(rng)
        assert_close(
            ours(completions, parts, loss_type=loss_type, **options),
            objective(completions, loss_type=loss_type, **options),
        )


@pytest.mark.parametrize("loss_type", LOSS_TYPES)
def test_nothing_kept_is_a_loss_of_zero_and_not_nan(loss_type):
    options = {"loss_type": loss_type, "epsilon": 0.2, "epsilon_high": None, "beta": 0.04, "max_completion_length": 6}
    masked = [Completion([-1.0, -2.0], [-1.5, -1.0], [-1.0, -1.0], 1.0, keep=False)]
    for completions in ([], masked):
        found = ours(completions, **options)
        assert found.loss == 0 and all(slope == 0 for slopes in found.gradients for slope in slopes)


@pytest.mark.parametrize("loss_type", LOSS_TYPES)
def test_what_a_masked_completion_says_changes_nothing(loss_type):
    options = {"loss_type": loss_type, "epsilon": 0.2, "epsilon_high": None, "beta": 0.04, "max_completion_length": 6}
    kept = Completion([-1.0, -2.0], [-1.5, -1.0], [-1.0, -1.0], 1.0)
    far = Completion([-1.0, -9.0], [-9.0, -1.0], [-1.0, -1.0], -1.0, keep=False)
    found, expected = ours([kept, far], **options), objective([kept], **options)
    assert found.loss == pytest.approx(expected.loss, abs=1e-10)
    assert found.gradients[0] == pytest.approx(expected.gradients[0], abs=1e-10)
    assert found.gradients[1] == [0.0, 0.0]


def test_the_reference_s_gradients_are_the_slopes_of_its_loss():
    rng = np.random.default_rng(2)
    options = {"epsilon": 0.2, "epsilon_high": 0.28, "beta": 0.5, "max_completion_length": 6}
    step = 1e-6
    for loss_type in LOSS_TYPES:
        completions = random_completions(rng)
        slopes = objective(completions, loss_type=loss_type, **options).gradients
        for number, one in enumerate(completions):
            for place in range(len(one.logps)):
                losses = []
                for away in (step, -step):
                    moved = [logp + away * (place == other) for other, logp in enumerate(one.logps)]
                    changed = Completion(moved, one.old_logps, one.ref_logps, one.advantage, one.keep)
                    others = [*completions[:number], changed, *completions[number + 1 :]]
                    losses.append(objective(others, loss_type=loss_type, **options).loss)
                assert slopes[number][place] == pytest.approx((losses[0] - losses[1]) / (2 * step), abs=1e-7)


# Two queries, two completions of each, lengths 1, 2 and 3, 1. Rewards 1, 0 and 0.25, 0.75, so that without division the
# advantages are 1/2, -1/2 and -1/4, 1/4. The ratios are 3/2 | 1, 1/2 | 1, 1, 3/2 | 1: with epsilon 1/4 the first is cut
# to 5/4, as A > 0, the third to 3/4, as A < 0, and the last 3/2 is not, as it is A < 0 that wants it lower.
#   surrogates    5/8 | -1/2, -3/8 | -1/4, -1/4, -3/8 | 1/4
#   k3            the reference says twice as much of the second token: 2 - log 2 - 1, and elsewhere the same: 0
HALF, ONE_AND_A_HALF = math.log(0.5), math.log(1.5)
BY_HAND = [
    Completion([ONE_AND_A_HALF - 3], [-3.0], [ONE_AND_A_HALF - 3], 0.5),
    Completion([-2.0, HALF - 1], [-2.0, -1.0], [math.log(2) - 2, HALF - 1], -0.5),
    Completion([-1.0, -2.0, ONE_AND_A_HALF - 3], [-1.0, -2.0, -3.0], [-1.0, -2.0, ONE_AND_A_HALF - 3], -0.25),
    Completion([-4.0], [-4.0], [-4.0], 0.25),
]
K3 = 1 - math.log(2)


@pytest.mark.parametrize("loss", [ours, objective])
@pytest.mark.parametrize(
    "loss_type, expected",
    [
        # (5/8 - 7/16 - 7/24 + 1/4) / 4 = (30 - 21 - 14 + 12) / 192 = 7/192; the KL is half of one sequence of four
        ("grpo", -7 / 192 + 0.1 * K3 / 8),
        # (5/8 - 7/8 - 7/8 + 1/4) / (4 * 4) = -7/128
        ("dr_grpo", 7 / 128 + 0.1 * K3 / 16),
        # -7/8 over 7 tokens
        ("dapo", 1 / 8 + 0.1 * K3 / 7),
    ],
)
def test_two_groups_of_two_by_hand(loss, loss_type, expected):
    options = {"epsilon": 0.25, "epsilon_high": None, "beta": 0.1, "max_completion_length": 4}
    found = loss(BY_HAND, loss_type=loss_type, **options)
    assert found.loss == pytest.approx(expected, abs=1e-12)
    assert found.kl == pytest.approx(K3 / 7, abs=1e-12)
    assert found.clipped == pytest.approx(2 / 7)


def test_a_higher_upper_bound_lets_the_first_token_pull_further():
    """By hand: 3/2 is now inside 1 + 1/2, so the first surrogate is 3/4 instead of 5/8."""
    options = {"epsilon": 0.25, "beta": 0.0, "max_completion_length": 4, "loss_type": "dapo"}
    low, high = (ours(BY_HAND, epsilon_high=bound, **options).loss for bound in (None, 0.55))
    assert low - high == pytest.approx(1 / 8 / 7)


def test_advantages_of_two_groups_by_hand():
    """Away from the mean by 1/2, of a sample's standard deviation 1/sqrt(2); and the missing one is nowhere."""
    rewards = torch.tensor([[1.0, 0.0, torch.nan], [0.25, 0.75, 0.5]]).double()
    assert group_advantages(rewards, False).tolist() == [[0.5, -0.5, 0.0], [-0.25, 0.25, 0.0]]
    scaled = 0.5 / (math.sqrt(0.5) + 1e-4)
    assert group_advantages(rewards)[0].tolist() == pytest.approx([scaled, -scaled, 0.0], abs=1e-12)
    assert group_advantages(rewards)[1].tolist() == pytest.approx([-0.25 / 0.2501, 0.25 / 0.2501, 0.0], abs=1e-12)


@pytest.mark.parametrize("scale_rewards", [True, False])
def test_advantages_are_those_of_the_formula(scale_rewards):
    rng = np.random.default_rng(3)
    for _ in range(200):
        rewards = rng.choice([0.0, 0.5, 1.0, rng.random()], (rng.integers(1, 5), rng.integers(2, 9)))
        rewards[rng.random(rewards.shape) < rng.choice([0.0, 0.3, 0.9])] = np.nan
        expected = reference_advantages(rewards.tolist(), scale_rewards)
        assert group_advantages(torch.tensor(rewards), scale_rewards).numpy() == pytest.approx(
            np.array(expected), abs=1e-10
        )


def test_equal_rewards_and_lonely_ones_give_zero_advantage_to_the_bit():
    """0.1 eight times has a float mean beside 0.1, and divided by a tiny deviation that would be a lesson."""
    nan = math.nan
    for group in ([0.1] * 8, [0.1, nan, 0.1, 0.1], [0.7, nan, nan], [nan, nan]):
        for dtype in (torch.float32, torch.float64):
            assert not group_advantages(torch.tensor([group], dtype=dtype)).any()

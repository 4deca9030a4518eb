"""Our loss beside that of TRL's GRPOTrainer, on the same tensors, where TRL is installed.

They are equal with TRL's ``use_bias_correction_kl`` off. On, its default, it multiplies the KL by the ratio, which is
DeepSeek-V3.2's objective and not the paper's.
"""

from collections import defaultdict
from types import SimpleNamespace

import pytest
import torch

from videmo.losses.grpo import group_advantages, grpo_loss

pytest.importorskip("trl")
from accelerate import Accelerator
from trl import GRPOTrainer
from trl.trainer.utils import nanstd

LONGEST = 7
LENGTHS = torch.tensor([3, 7, 1, 4, 6, 2])
MASK = (torch.arange(LONGEST) < LENGTHS[:, None]).long()  # [K, T]


def policies(seed: int) -> tuple[torch.Tensor, ...]:
    """Log-probabilities under the policy, the old one and the reference, each [K, T], and advantages, [K]."""
    generator = torch.Generator().manual_seed(seed)
    logps = -3 * torch.rand(MASK.shape, generator=generator, dtype=torch.float64)
    old, ref = (logps + 0.4 * torch.randn(MASK.shape, generator=generator, dtype=torch.float64) for _ in range(2))
    return logps, old, ref, torch.randn(len(MASK), generator=generator, dtype=torch.float64)


def theirs(seed: int, loss_type: str, beta: float, epsilon_high: float, keep: torch.Tensor):
    """The loss and gradients of TRL's own method, which is given log-probabilities instead of a model to ask."""
    logps, old, ref, advantages = policies(seed)
    logps.requires_grad_()
    mask = MASK * keep[:, None]
    trainer = SimpleNamespace(
        model=SimpleNamespace(training=True),
        args=SimpleNamespace(use_bias_correction_kl=False, delta=None, steps_per_generation=1),
        accelerator=Accelerator(cpu=True),
        beta=beta,
        epsilon_low=0.2,
        epsilon_high=epsilon_high,
        loss_type=loss_type,
        max_completion_length=LONGEST,
        importance_sampling_level="token",
        off_policy_mask_threshold=None,
        top_entropy_quantile=1.0,
        current_gradient_accumulation_steps=1,
        use_vllm=False,
        aux_loss_enabled=False,
        _entropy_bonus_enabled=False,
        _metrics=defaultdict(lambda: defaultdict(list)),
        _get_per_token_logps_and_entropies=lambda *args, **kwargs: (logps, torch.zeros_like(logps), None),
    )
    tokens = torch.ones(MASK.shape, dtype=torch.long)
    batch = {
        "prompt_ids": tokens,
        "prompt_mask": tokens,
        "completion_ids": tokens,
        "completion_mask": mask,
        "advantages": advantages,
        "old_per_token_logps": old,
        "ref_per_token_logps": ref,
        "num_items_in_batch": mask.sum(),
    }
    loss = GRPOTrainer._compute_loss(trainer, trainer.model, batch)
    loss.backward()
    return loss.item(), logps.grad[MASK.bool()]


def ours(seed: int, loss_type: str, beta: float, epsilon_high: float, keep: torch.Tensor):
    logps, old, ref, advantages = policies(seed)
    real = MASK.bool()
    mine = logps[real].requires_grad_()
    terms = grpo_loss(
        mine,
        old[real],
        ref[real] if beta else None,
        advantages,
        torch.nonzero(real)[:, 0],
        keep=keep,
        num_sequences=int(keep.sum()),
        num_tokens=int(LENGTHS[keep].sum()),
        max_completion_length=LONGEST,
        loss_type=loss_type,
        epsilon_high=epsilon_high,
        beta=beta,
    )
    terms.loss.backward()
    return terms.loss.item(), mine.grad


@pytest.mark.parametrize(
    "name, of_theirs", [("grpo", "grpo"), ("dr_grpo", "dr_grpo"), ("dapo", "dapo"), ("dapo", "bnpo")]
)
@pytest.mark.parametrize("beta", [0.0, 0.04])
@pytest.mark.parametrize("epsilon_high", [0.2, 0.28])
def test_the_loss_is_trl_s(name, of_theirs, beta, epsilon_high):
    """``bnpo`` averages over the tokens of a micro-batch: ``dapo`` where that is the whole step."""
    everything = torch.ones(len(MASK), dtype=torch.bool)
    for seed in range(5):
        loss, gradients = ours(seed, name, beta, epsilon_high, everything)
        other_loss, other_gradients = theirs(seed, of_theirs, beta, epsilon_high, everything)
        assert loss == pytest.approx(other_loss, abs=1e-12)
        torch.testing.assert_close(gradients, other_gradients, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name, factor", [("grpo", 4 / 6), ("dr_grpo", 4 / 6), ("dapo", 1.0)])
def test_trl_counts_masked_completions_among_the_sequences_and_we_do_not(name, factor):
    keep = torch.tensor([True, False, True, True, False, True])
    loss, gradients = ours(0, name, 0.04, 0.2, keep)
    other_loss, other_gradients = theirs(0, name, 0.04, 0.2, keep)
    assert loss * factor == pytest.approx(other_loss, abs=1e-12)
    torch.testing.assert_close(gradients * factor, other_gradients, atol=1e-12, rtol=0)


def test_advantages_are_scaled_by_trl_s_standard_deviation():
    rewards = torch.rand(5, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rewards[0, 3] = rewards[1, :6] = rewards[2, 1:] = torch.nan  # seven, two and one are left
    away = rewards - rewards.nanmean(1, keepdim=True)
    expected = (away / (nanstd(rewards, dim=1, keepdim=True) + 1e-4)).nan_to_num(0.0)
    torch.testing.assert_close(group_advantages(rewards), expected)

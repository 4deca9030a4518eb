"""The GRPO objective (paper, section 3.2; Shao et al. 2024): group-relative advantages, and the clipped surrogate with
a penalty for leaving the reference.

Shapes: Q queries, G completions of each, K completions of a micro-batch, N tokens of theirs.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

LossType = Literal["grpo", "dr_grpo", "dapo"]
"""How tokens are averaged: ``grpo`` over each completion, then over these (the paper's); ``dr_grpo`` over completions
of a fixed length, so that no length is favoured (Liu et al. 2025); ``dapo`` over all tokens (Yu et al. 2025)."""

_EPS = 1e-4


class GRPOTerms(NamedTuple):
    """What a micro-batch adds to its step.

    Attributes:
        loss: Its part of the step's loss; the parts of all micro-batches and ranks add up.
        kl: The estimate of KL(policy || reference) at every token, [N]; zeros without a reference.
        clipped_low, clipped_high: Which tokens pull nowhere, as their ratio left the trust region that way, [N].
    """

    loss: Tensor
    kl: Tensor
    clipped_low: Tensor
    clipped_high: Tensor


def group_advantages(rewards: Tensor, scale_rewards: bool = True) -> Tensor:
    """How much better each completion is than those of its group.

    Args:
        rewards: [Q, G], NaN where one is missing: it is no part of its group.
        scale_rewards: Whether to divide by the group's standard deviation, too; without, easy and hard queries weigh
            what their rewards differ by (Liu et al. 2025).

    Returns:
        [Q, G], 0 where a reward is missing, or all of the group are equal.

    >>> group_advantages(torch.tensor([[1.0, 0.0, torch.nan], [0.5, 0.5, 0.5]]), scale_rewards=False)
    tensor([[ 0.5000, -0.5000,  0.0000],
            [ 0.0000,  0.0000,  0.0000]])
    """
    known = ~rewards.isnan()
    count = known.sum(1, keepdim=True)
    mean = rewards.nansum(1, keepdim=True) / count.clamp(min=1)
    equal = rewards.nan_to_num(nan=torch.inf).amin(1) == rewards.nan_to_num(nan=-torch.inf).amax(1)  # to the bit
    away = torch.where(known & ~equal[:, None], rewards - mean, 0.0)
    if scale_rewards:
        away = away / ((away.square().sum(1, keepdim=True) / (count - 1).clamp(min=1)).sqrt() + _EPS)
    return away


def grpo_loss(
    logps: Tensor,
    old_logps: Tensor,
    ref_logps: Tensor | None,
    advantages: Tensor,
    sample: Tensor,
    *,
    keep: Tensor,
    num_sequences: int,
    num_tokens: int,
    max_completion_length: int,
    loss_type: LossType = "grpo",
    epsilon: float = 0.2,
    epsilon_high: float | None = None,
    beta: float = 0.04,
) -> GRPOTerms:
    """A micro-batch's part of the step's objective, negated.

    Args:
        logps: Log-probabilities of the tokens under the policy, [N].
        old_logps: Under the policy that drew them, [N].
        ref_logps: Under the reference, [N]; None with ``beta`` 0.
        advantages: Of the completions, [K].
        sample: Which completion each token is of, [N].
        keep: Which completions count, [K]: the others are in no sum and no denominator.
        num_sequences: Completions that count in the whole step, over its micro-batches and ranks.
        num_tokens: Their tokens.
        max_completion_length: Tokens that a completion could have (``dr_grpo``).
        loss_type: How tokens are averaged.
        epsilon: How far the ratio to the old policy may fall below 1 before a token pulls no more.
        epsilon_high: How far it may rise; ``epsilon`` where not given (clip-higher, Yu et al. 2025).
        beta: Weight of the KL penalty.
    """
    high = epsilon if epsilon_high is None else epsilon_high
    advantage = advantages[sample]
    ratio = torch.exp(logps - old_logps)
    surrogate = torch.minimum(ratio * advantage, ratio.clamp(1 - epsilon, 1 + high) * advantage)
    kl = torch.zeros_like(logps)
    if beta:
        assert ref_logps is not None, "the penalty is for leaving a reference"
        kl = torch.exp(ref_logps - logps) - (ref_logps - logps) - 1  # k3 (Schulman 2020): never negative
    if loss_type == "dapo":
        denominator = max(1, num_tokens)
    elif loss_type == "dr_grpo":
        denominator = max(1, num_sequences) * max_completion_length
    else:
        denominator = max(1, num_sequences) * torch.bincount(sample, minlength=len(advantages))[sample]  # [N]
    weight = keep[sample].to(logps) / denominator  # [N]
    loss = -(weight * (surrogate - beta * kl)).sum()
    low, above = (ratio < 1 - epsilon) & (advantage < 0), (ratio > 1 + high) & (advantage > 0)
    return GRPOTerms(loss, kl.detach(), low, above)

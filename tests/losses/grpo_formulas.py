"""GRPO written out in loops over groups, sequences and tokens: the formulas of the papers in float64, slow and plain.

A completion is the list of its tokens' log-probabilities; nothing is packed, padded or summed in parts. The sources:

    advantages   DeepSeekMath (Shao et al., 2024), outcome supervision; the standard deviation is the sample's (n - 1)
                 and has 1e-4 added, as in TRL; without division as in Dr. GRPO (Liu et al., 2025)
    ratio, clip  DeepSeekMath's objective, with DAPO's (Yu et al., 2025) upper bound of its own
    KL           DeepSeekMath's unbiased estimator, Schulman's k3
    means        ``grpo``: of sequences' means (DeepSeekMath); ``dr_grpo``: over sequences times the longest that a
                 completion may be (Dr. GRPO); ``dapo``: over all tokens (DAPO)

A completion that is masked, because it was cut short or has no reward, is in no sum and in no denominator.
"""

from dataclasses import dataclass

import numpy as np

Tokens = list[float]


def group_advantages(rewards: list[list[float]], scale_rewards: bool = True) -> list[list[float]]:
    """Advantages of groups of completions; NaN is a missing reward."""
    found = []
    for group in rewards:
        scored = [np.float64(reward) for reward in group if not np.isnan(reward)]
        mean = sum(scored) / len(scored) if scored else 0.0
        alone = len(scored) < 2  # there is nobody to compare it with
        std = 0.0 if alone else np.sqrt(sum((reward - mean) ** 2 for reward in scored) / (len(scored) - 1))
        advantages = []
        for reward in group:
            if np.isnan(reward) or alone or all(other == scored[0] for other in scored):
                advantages.append(0.0)
            else:
                advantages.append((reward - mean) / (std + 1e-4 if scale_rewards else 1.0))
        found.append(advantages)
    return found


@dataclass(frozen=True)
class Completion:
    """A completion under three policies.

    Attributes:
        logps, old_logps, ref_logps: Of its tokens, under the policy, the one that wrote it, and the reference.
        advantage: One for all of its tokens.
        keep: Whether it counts.
    """

    logps: Tokens
    old_logps: Tokens
    ref_logps: Tokens
    advantage: float
    keep: bool = True


@dataclass(frozen=True)
class Objective:
    """What is minimised, and its parts.

    Attributes:
        loss: The policy's part and beta times the KL, averaged over tokens and sequences.
        gradients: Of the loss with respect to every log-probability, by completion.
        kl: The k3 estimates averaged over all tokens that count.
        clipped: The share of those tokens whose ratio is cut off.
    """

    loss: float
    gradients: list[Tokens]
    kl: float
    clipped: float


def objective(
    completions: list[Completion],
    *,
    loss_type: str,
    epsilon: float,
    epsilon_high: float | None,
    beta: float,
    max_completion_length: int,
) -> Objective:
    """The loss of a whole optimizer step."""
    high = epsilon if epsilon_high is None else epsilon_high
    kept = [completion for completion in completions if completion.keep]
    num_tokens = sum(len(completion.logps) for completion in kept)
    loss, kls, clips, gradients = np.float64(0.0), [], [], []
    for completion in completions:
        slopes: Tokens = []
        for logp, old, ref in zip(completion.logps, completion.old_logps, completion.ref_logps, strict=True):
            if not completion.keep:
                slopes.append(0.0)
                continue
            weight = {
                "grpo": 1 / (len(completion.logps) * len(kept)),
                "dr_grpo": 1 / (len(kept) * max_completion_length),
                "dapo": 1 / num_tokens,
            }[loss_type]
            ratio = np.exp(np.float64(logp) - old)
            clip = min(max(ratio, 1 - epsilon), 1 + high)
            free, bounded = ratio * completion.advantage, clip * completion.advantage
            kl = np.exp(np.float64(ref) - logp) - (ref - logp) - 1
            loss += weight * (-min(free, bounded) + beta * kl)
            # The ratio's slope is the ratio; where the bounded term is the smaller one, it does not move.
            slope = -free if free <= bounded else 0.0
            slopes.append(weight * (slope + beta * (1 - np.exp(np.float64(ref) - logp))))
            kls.append(kl)
            clips.append(bounded < free)
        gradients.append(slopes)
    return Objective(
        float(loss), gradients, float(np.mean(kls)) if kls else 0.0, float(np.mean(clips)) if clips else 0.0
    )

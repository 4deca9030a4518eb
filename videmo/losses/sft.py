"""The SFT loss: cross-entropy of answer tokens, averaged over all of them in an optimizer step (paper, stage 1)."""

from torch import Tensor


def sft_loss(per_token_logps: Tensor, num_items_in_batch: int) -> Tensor:
    """This micro-batch's part of the step's mean; the parts of all micro-batches and ranks add up to the mean.

    Args:
        per_token_logps: Log-probabilities of the answer tokens of one micro-batch, [N].
        num_items_in_batch: Answer tokens of all micro-batches and ranks of the step.

    >>> import torch
    >>> round(float(sft_loss(torch.tensor([-5.0]), 10) + sft_loss(torch.full((9,), -1.0), 10)), 6)  # 0.1 * 5 + 0.9 * 1
    1.4
    """
    return -per_token_logps.sum() / num_items_in_batch

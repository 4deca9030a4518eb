"""What the model says of learned tokens, without ever holding all their logits.

152,000 logits a token are the largest thing that training would make: 8,192 learned tokens have 5 GB of them in
float32, and log-softmax and the two gradients are as large again. So the hidden states pass the head in chunks, and
each chunk's logits are made once more in backward. The head is called as the module that it is: with LoRA, in 4 bits,
tied to the embeddings, or gathered by a sharded strategy's root, its gradients are those of one call.

Kernel libraries do not fit: liger-kernel's fused loss makes its gradients for one scalar, and GRPO weighs every token;
cut-cross-entropy takes a plain weight where adapters need their module; neither tells the greedy choice. The products
with the head are most of the work either way.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from videmo.models.encoding import is_sharded, largest
from videmo.models.sampling import Distribution

CHUNK_LOGITS = 2**26
"""Logits that exist at a time: 256 MB in float32, 441 rows of a published model."""


class TokenScores(NamedTuple):
    """What the model says of the learned tokens, in row-major order.

    Attributes:
        logps: Log-probabilities in float32, [N].
        correct: Whether greedy decoding would have chosen the token, [N].
        entropy: Of the distribution that the token was drawn from, in nats and without a gradient, [N]; empty where no
            distribution was asked for.
    """

    logps: Tensor
    correct: Tensor
    entropy: Tensor


def score_tokens(
    hidden: Tensor,
    head: nn.Linear,
    labels: Tensor,
    distribution: Distribution | None = None,
    chunk_logits: int = CHUNK_LOGITS,
) -> TokenScores:
    """Score tokens by the hidden states that predict them.

    Args:
        hidden: [N, hidden].
        head: From hidden states to logits, [n, hidden] -> [n, vocabulary].
        labels: The tokens, [N].
        distribution: Which log-probabilities are meant; by default those of the logits as they are.
        chunk_logits: Logits that may exist at a time.
    """
    rows = max(1, chunk_logits // head.out_features)
    chunks = max(1, -(-len(hidden) // rows))
    if is_sharded(head):  # each call gathers the head from all processes, which may have other numbers of tokens
        chunks = largest(chunks, hidden.device)
    if chunks == 1:
        return TokenScores(*_score(hidden, head, labels, distribution))
    pieces = zip(hidden.tensor_split(chunks), labels.tensor_split(chunks), strict=True)
    scores = [checkpoint(_score, states, head, tokens, distribution, use_reentrant=False) for states, tokens in pieces]
    return TokenScores(*map(torch.cat, zip(*scores, strict=True)))


def _score(
    hidden: Tensor, head: nn.Module, labels: Tensor, distribution: Distribution | None
) -> tuple[Tensor, Tensor, Tensor]:
    device = hidden.device.type
    # Chunks that shared autocast's copy of the weight would add up its gradient in that copy's precision.
    with torch.autocast(
        device,
        enabled=torch.is_autocast_enabled(device),
        dtype=torch.get_autocast_dtype(device),
        cache_enabled=False,
    ):
        logits = head(hidden).float()  # [n, vocabulary]
    entropy = logits.new_zeros(0)
    if distribution is not None:
        logits = distribution(logits)
        with torch.no_grad():
            entropy = torch.special.entr(logits.softmax(-1)).sum(-1)
    logps = -nn.functional.cross_entropy(logits, labels, reduction="none")
    return logps, logits.argmax(-1) == labels, entropy  # the last two are not needed again: recomputation ends before

"""How answers are drawn, and which distribution their log-probabilities are of."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import LogitsProcessorList, TopKLogitsWarper, TopPLogitsWarper

from videmo.errors import InputError, check_positive


@dataclass(frozen=True)
class Sampling:
    """What tokens are drawn from.

    Attributes:
        temperature: Divides the logits; below 1 likely tokens are drawn more often, above 1 less.
        top_p: Draws from the likeliest tokens only that together have this probability.
        top_k: Draws from so many of the likeliest tokens only; 0 draws from all.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0

    def check(self) -> None:
        """
        Raises:
            InputError: If a value makes no sense.
        """
        check_positive("temperature", self.temperature)
        if not 0 < self.top_p <= 1:
            raise InputError(f"top_p is a share of the probability, above 0 and up to 1; got {self.top_p}")
        if self.top_k < 0:
            raise InputError(f"top_k must be 0, for all tokens, or more; got {self.top_k}")

    def draw(self, scores: Tensor, by: Tensor | None = None) -> Tensor:
        """One token a row.

        Args:
            scores: Log-probabilities or logits at the temperature, [N, vocabulary].
            by: What decides each row's draw, from 0 to below 1, [N]: the same takes the same token, whatever else is
                drawn beside it. By default torch's global generator does.

        Returns:
            [N].
        """
        warpers = LogitsProcessorList()
        if self.top_k:
            warpers.append(TopKLogitsWarper(self.top_k))
        if self.top_p < 1:
            warpers.append(TopPLogitsWarper(self.top_p))
        if not len(scores):
            return torch.zeros(0, dtype=torch.long, device=scores.device)
        probabilities = warpers(None, scores).softmax(-1)  # pyrefly: ignore[bad-argument-type]  (no prompt is looked at)
        if by is None:
            return torch.multinomial(probabilities, 1)[:, 0]
        reached = probabilities.double().cumsum(-1)  # [N, vocabulary]
        return torch.searchsorted(reached, by.double()[:, None] * reached[:, -1:], right=True)[:, 0]


class Distribution(NamedTuple):
    """What log-probabilities are of: the softmax of logits over a temperature, some tokens left out.

    It is what ``Sampling`` draws from before top-p and top-k. Those cut what is drawn, and are not in it (as in TRL).

    Attributes:
        temperature: Divides the logits.
        banned: Tokens of probability 0, [n].
    """

    temperature: float
    banned: Tensor

    def __call__(self, logits: Tensor) -> Tensor:
        """Logits of the distribution, in float32, [N, vocabulary]."""
        return logits.float().index_fill(1, self.banned, -math.inf) / self.temperature

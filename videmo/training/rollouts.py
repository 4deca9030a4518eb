"""Completions: how they are drawn, and what of them is learned from.

A rollout engine is one method, so that others than the shared tree of `TreeEngine` can stand in its place, such as a
server of a faster inference library.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from videmo.models.backbone import Backbone
from videmo.models.generation import Generation, generate
from videmo.models.sampling import Sampling
from videmo.token_tree import IGNORE_INDEX, TreeBatch
from videmo.tree_growth import grow, with_features


class RolloutEngine(Protocol):
    """Draws completions."""

    def generate(
        self,
        prompts: TreeBatch,
        *,
        num_generations: int,
        max_completion_length: int,
        sampling: Sampling | None,
        samples: Tensor | None = None,
    ) -> list[Generation]:
        """Completions by the policy as it is now.

        Args:
            prompts: Trees whose leaves end with the generation prompt.
            num_generations: Completions of each.
            max_completion_length: Tokens that one may have, the stop token included.
            sampling: How tokens are drawn; the most likely ones are taken where not given.
            samples: Numbers of the prompts to answer; all by default.

        Returns:
            The completions of each prompt, one prompt after the other.
        """


@dataclass(frozen=True)
class TreeEngine:
    """The policy itself, on the shared tree: one prefill for a video, its questions and all their completions.

    Attributes:
        backbone: The policy, in ``eval()`` when it is called.
        eos_token_id: The stop token.
    """

    backbone: Backbone
    eos_token_id: int

    def generate(self, prompts, *, num_generations, max_completion_length, sampling, samples=None) -> list[Generation]:
        return generate(
            self.backbone,
            prompts,
            max_new_tokens=max_completion_length,
            eos_token_id=self.eos_token_id,
            sampling=sampling,
            num_generations=num_generations,
            samples=samples,
        )


@dataclass
class Rollout:
    """A micro-batch of completions to learn from.

    Attributes:
        batch: Trees with the completions grown beneath their questions, K of them with N tokens.
        advantages: [K].
        keep: Which completions count, [K].
        num_sequences: Of those in the whole optimizer step, over micro-batches and ranks.
        num_tokens: Their tokens.
        ref_logps: Under the reference, [N]; None where no KL is asked for.
        old_logps: Under the policy that drew them, [N]; None until that is asked for.
    """

    batch: TreeBatch
    advantages: Tensor
    keep: Tensor
    num_sequences: int = 0
    num_tokens: int = 0
    ref_logps: Tensor | None = None
    old_logps: Tensor | None = None

    @property
    def sample(self) -> Tensor:
        """The completion that each token is of, [N]."""
        return self.batch.sample[self.batch.labels != IGNORE_INDEX]


@contextmanager
def answering(backbone: Backbone) -> Iterator[None]:
    """The policy in ``eval()`` and without gradients; of what it computed there, autocast keeps nothing.

    Autocast keeps weights in lower precision for the forwards to come, and those made here know of no gradient.
    """
    was = backbone.training
    backbone.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        torch.clear_autocast_cache()
        backbone.train(was)


@contextmanager
def features_kept(backbone: Backbone, batch: TreeBatch) -> Iterator[tuple[TreeBatch, dict[int, Tensor]]]:
    """Collects what a frozen tower makes of a batch's videos, so that they are encoded once for all that follows.

    Yields:
        The batch to give to the backbone, and by the videos' numbers their features, of which more come with each use;
        those of a tower that trains change, and are not kept.
    """
    found, keep = dict(batch.video_features), backbone.keep_features

    def collect(number: str, features: Tensor) -> None:
        found[int(number)] = features
        if keep is not None and (key := batch.videos[int(number)].key):
            keep(key, features)

    backbone.keep_features = collect
    try:
        yield replace(batch, videos=tuple(v._replace(key=str(n)) for n, v in enumerate(batch.videos))), found
    finally:
        backbone.keep_features = keep


def cut(
    prompts: TreeBatch,
    generations: Sequence[Generation],
    advantages: Tensor,
    keep: Tensor,
    features: Mapping[int, Tensor],
    eos_token_id: int,
) -> list[Rollout]:
    """A rollout for each micro-batch of a round.

    Args:
        prompts: The round's, as ``features_kept`` gave them.
        generations: Those of each prompt, one prompt after the other, K.
        advantages: [K].
        keep: Which of them count, [K].
        features: What is known of the round's videos, by their numbers.
        eos_token_id: The stop token, which is learned where a completion came that far.
    """
    stop = torch.tensor([eos_token_id])
    answers = [torch.cat((one.tokens, stop[: int(one.finished)])) for one in generations]
    device, size = prompts.input_ids.device, len(answers) // max(1, prompts.num_samples)
    rollouts, sample, video = [], 0, 0
    for part in prompts.parts:
        own = prompts.videos[video : video + len(part.videos)]
        part = replace(part, videos=own)
        if known := {n: features[video + n] for n in range(len(own)) if video + n in features}:
            part = with_features(part, known)
        first, last = sample * size, (sample + part.num_samples) * size
        groups = [answers[start : start + size] for start in range(first, last, size or 1)]
        rollouts.append(Rollout(grow(part, groups), advantages[first:last].to(device), keep[first:last].to(device)))
        sample, video = sample + part.num_samples, video + len(own)
    return rollouts

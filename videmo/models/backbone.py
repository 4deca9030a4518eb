"""The Qwen2.5-VL backbone that SFT, GRPO, search and the benchmark share.

Everything enters through one ``forward``, because sharded strategies gather parameters only inside the root's forward:
vision encoding, tree attention, the projection to the vocabulary, and the log-probabilities of the answers.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import AutoConfig, Cache, DynamicCache, Qwen2_5_VLForConditionalGeneration

from videmo.errors import InputError
from videmo.models.tree_attention import additive, tree_mask
from videmo.models.vision import speed_up
from videmo.pixels import normalise
from videmo.token_tree import IGNORE_INDEX, TreeBatch


class TokenScores(NamedTuple):
    """What the model says of the learned tokens, in row-major order.

    Attributes:
        logps: Log-probabilities in float32, [N].
        correct: Whether greedy decoding would have chosen the token, [N].
    """

    logps: Tensor
    correct: Tensor


class Backbone(nn.Module):
    """``Qwen2_5_VLForConditionalGeneration`` over token trees.

    Args:
        model: The transformers model, as ``load`` returns it.
    """

    def __init__(self, model: Qwen2_5_VLForConditionalGeneration) -> None:
        super().__init__()
        self.model = model

    @classmethod
    def load(cls, checkpoint: str, attn_implementation: str = "sdpa") -> "Backbone":
        """Load a checkpoint in float32; the trainer's precision casts what it computes with.

        Args:
            checkpoint: A Hugging Face folder or hub id of a Qwen2.5-VL model.
            attn_implementation: ``sdpa`` or ``eager``; FlashAttention cannot express a tree mask.

        Raises:
            InputError: If it is no such checkpoint.
        """
        if attn_implementation not in ("sdpa", "eager"):
            raise InputError(f"attn_implementation {attn_implementation!r} cannot attend over trees; use sdpa or eager")
        looks_local = checkpoint.startswith((".", "/", "~")) or checkpoint.count("/") > 1
        if looks_local and not (Path(checkpoint) / "config.json").is_file():
            raise InputError(
                f"no model at {checkpoint}: expected a folder with config.json, or a hub id such as "
                "Qwen/Qwen2.5-VL-3B-Instruct; `videmo tiny` makes a small one"
            )
        try:
            config = AutoConfig.from_pretrained(checkpoint)
        except OSError:
            raise InputError(
                f"no model {checkpoint}: there is no such folder here, and no hub to fetch it from answered; "
                "`videmo tiny` makes a small one"
            ) from None
        if config.model_type != "qwen2_5_vl":
            raise InputError(f"{checkpoint} is a {config.model_type} model; videmo trains Qwen2.5-VL (qwen2_5_vl)")
        model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
            checkpoint, config=config, dtype=torch.float32, attn_implementation=attn_implementation
        )
        speed_up(model.model.visual)
        return cls(model).train()

    @property
    def config(self):
        return self.model.config

    def new_cache(self) -> DynamicCache:
        return DynamicCache(config=self.model.config.text_config)

    def forward(
        self,
        input_ids: Tensor,
        position_ids: Tensor,
        mask: Tensor,
        at: tuple[Tensor, Tensor],
        *,
        labels: Tensor | None = None,
        pixel_values_videos: Tensor | None = None,
        video_grid_thw: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor | TokenScores:
        """Next-token logits at chosen places, or the scores of the tokens that stand there; no others are projected.

        Args:
            input_ids: [B, S].
            position_ids: [3, B, S].
            mask: What each of the S tokens sees of the cached ones and of these, boolean [B, S, cached + S].
            at: Rows and columns of the hidden states to project, two tensors [N].
            labels: The tokens to score there, [N].
            pixel_values_videos: [P, patch], for the video placeholders among the tokens.
            video_grid_thw: [V, 3].
            cache: Keys and values of earlier tokens; these are appended.

        Returns:
            Logits [N, vocabulary], or with ``labels`` their ``TokenScores``.
        """
        hidden = self.model.model(
            input_ids=input_ids,
            position_ids=position_ids,
            attention_mask=additive(mask, self.model.dtype),
            pixel_values_videos=None if pixel_values_videos is None else normalise(pixel_values_videos),
            video_grid_thw=video_grid_thw,
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state  # [B, S, hidden]
        logits = self.model.lm_head(hidden[at])
        if labels is None:
            return logits
        logits = logits.float()
        logps = -nn.functional.cross_entropy(logits, labels, reduction="none")
        return TokenScores(logps, logits.argmax(-1) == labels)

    def score(self, batch: TreeBatch) -> TokenScores:
        """Score the learned tokens of a batch, [N] of them in row-major order."""
        rows, columns = torch.nonzero(batch.labels != IGNORE_INDEX, as_tuple=True)
        return self(
            batch.input_ids,
            batch.position_ids,
            tree_mask(batch.subtree_end),
            (rows, batch.predecessor[rows, columns]),
            labels=batch.labels[rows, columns],
            pixel_values_videos=batch.pixel_values_videos,
            video_grid_thw=batch.video_grid_thw,
        )

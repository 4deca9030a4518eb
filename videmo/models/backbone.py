"""The Qwen2.5-VL backbone that SFT, GRPO, search and the benchmark share.

Everything enters through one ``forward``, because sharded strategies gather parameters only inside the root's forward:
vision encoding, tree attention, the projection to the vocabulary, and the log-probabilities of the answers.

Shapes: B rows, S tokens a row, P patches, V videos, N places.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import AutoConfig, Cache, DynamicCache, Qwen2_5_VLForConditionalGeneration

from videmo.errors import InputError
from videmo.hub import find_model
from videmo.models.encoding import encode, encode_nothing, in_step, most_calls, weights_hash
from videmo.models.tree_attention import additive, tree_mask
from videmo.models.vision import speed_up
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
        freeze_vision: Leaves the vision tower and its merger as they are, without gradients and in ``eval()``.

    Attributes:
        keep_features: Where the features of every video go that a frozen tower encodes, with the video's key.
    """

    def __init__(self, model: Qwen2_5_VLForConditionalGeneration, freeze_vision: bool = False) -> None:
        super().__init__()
        self.model = model
        self.freeze_vision = freeze_vision
        self.keep_features: Callable[[str, Tensor], None] | None = None
        if freeze_vision:
            self.tower.requires_grad_(False)

    @classmethod
    def load(cls, checkpoint: str, attn_implementation: str = "sdpa", freeze_vision: bool = False) -> "Backbone":
        """Load a checkpoint in float32; the trainer's precision casts what it computes with.

        Args:
            checkpoint: A Hugging Face folder or hub id of a Qwen2.5-VL model.
            attn_implementation: ``sdpa`` or ``eager``; FlashAttention cannot express a tree mask.
            freeze_vision: Leaves the vision tower as it is.

        Raises:
            InputError: If it is no such checkpoint.
        """
        if attn_implementation not in ("sdpa", "eager"):
            raise InputError(f"attn_implementation {attn_implementation!r} cannot attend over trees; use sdpa or eager")
        find_model(checkpoint)
        config = AutoConfig.from_pretrained(checkpoint)
        if config.model_type != "qwen2_5_vl":
            raise InputError(f"{checkpoint} is a {config.model_type} model; videmo trains Qwen2.5-VL (qwen2_5_vl)")
        model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
            checkpoint, config=config, dtype=torch.float32, attn_implementation=attn_implementation
        )
        speed_up(model.model.visual)
        return cls(model, freeze_vision).train()

    @property
    def config(self):
        return self.model.config

    def new_cache(self) -> DynamicCache:
        return DynamicCache(config=self.model.config.text_config)

    @property
    def tower(self) -> nn.Module:
        """The vision tower with its merger."""
        return self.model.model.visual

    def vision_fingerprint(self) -> str:
        """A hash of the tower's weights: features of one tower are nothing to another. Collective where sharded."""
        return weights_hash(self.tower)

    def train(self, mode: bool = True) -> "Backbone":
        super().train(mode)
        if self.freeze_vision:
            self.tower.eval()
        return self

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
        video_features: Mapping[int, Tensor] | None = None,
        video_keys: Sequence[str] = (),
        cache: Cache | None = None,
    ) -> Tensor | TokenScores:
        """Next-token logits at chosen places, or the scores of the tokens that stand there; no others are projected.

        Args:
            input_ids: [B, S].
            position_ids: [3, B, S].
            mask: What each of the S tokens sees of the cached ones and of these, boolean [B, S, cached + S].
            at: Rows and columns of the hidden states to project, two tensors [N].
            labels: The tokens to score there, [N].
            pixel_values_videos: [P, patch], of the videos whose features are not given, in order.
            video_grid_thw: [V, 3], of all videos, in the order of their placeholders by row and column.
            video_features: By the video's number, what a frozen tower made of it before, [tokens, hidden].
            video_keys: What ``keep_features`` is told of each video, V of them; nothing where one is empty.
            cache: Keys and values of earlier tokens; these are appended.

        Returns:
            Logits [N, vocabulary], or with ``labels`` their ``TokenScores``.
        """
        # In the later steps of generation no process has a video, and how many there are differs between processes.
        collective = (cache is None or cache.get_seq_length() == 0) and in_step(self.tower)
        grids = [] if video_grid_thw is None else video_grid_thw.tolist()
        encode_all = self._encode_frozen if self.freeze_vision else self._encode
        features, nothing = encode_all(pixel_values_videos, grids, video_features or {}, video_keys, collective)
        embeds = self.model.get_input_embeddings()(input_ids)  # [B, S, hidden]
        if features:
            videos = torch.cat([feature.to(embeds) for feature in features])
            embeds = embeds.masked_scatter((input_ids == self.config.video_token_id)[..., None], videos)
        hidden = self.model.model(
            inputs_embeds=embeds if nothing is None else embeds + nothing,
            position_ids=position_ids,
            attention_mask=additive(mask, self.model.dtype),
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state  # [B, S, hidden]
        logits = self.model.lm_head(hidden[at])
        if labels is None:
            return logits
        logits = logits.float()
        logps = -nn.functional.cross_entropy(logits, labels, reduction="none")
        return TokenScores(logps, logits.argmax(-1) == labels)

    def _encode(self, patches, grids, known, keys, collective) -> tuple[list[Tensor], Tensor | None]:
        """Features of all videos, in order; and a 0 to add where others wait for gradients of the tower."""
        assert not known, "features of a tower that trains are not to be kept"
        if grids:
            return encode(self.tower, patches, grids), None
        return [], encode_nothing(self.tower) if collective else None

    @torch.no_grad()
    def _encode_frozen(self, patches, grids, known, keys, collective) -> tuple[list[Tensor], None]:
        """Features of all videos, in order: those that are known, the others encoded each by itself and kept."""
        missing = [number for number in range(len(grids)) if number not in known]
        calls = most_calls(len(missing), self.model.device) if collective else len(missing)
        sizes = [math.prod(grids[number]) for number in missing]
        pieces = patches.split(sizes) if missing else ()
        features = dict(known)
        for number, piece in zip(missing, pieces, strict=True):
            (features[number],) = encode(self.tower, piece, [grids[number]])
            if self.keep_features is not None and keys[number]:
                self.keep_features(keys[number], features[number])
        for _ in range(calls - len(missing)):
            encode_nothing(self.tower)
        return [features[number] for number in range(len(grids))], None

    def score(self, batch: TreeBatch) -> TokenScores:
        """Score the learned tokens of a batch, [N] of them in row-major order."""
        rows, columns = torch.nonzero(batch.labels != IGNORE_INDEX, as_tuple=True)
        return self(
            batch.input_ids,
            batch.position_ids,
            tree_mask(batch.subtree_end),
            (rows, batch.predecessor[rows, columns]),
            labels=batch.labels[rows, columns],
            **batch.vision,
        )

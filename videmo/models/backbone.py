"""The Qwen2.5-VL backbone that SFT, GRPO, search and the benchmark share.

Everything enters through one ``forward``, because sharded strategies gather parameters only inside the root's forward:
vision encoding, tree attention, the projection to the vocabulary, and the log-probabilities of the answers.

Shapes: B rows, S tokens a row, P patches, V videos, N places.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.attention.flex_attention import BlockMask
from transformers import Cache, Qwen2_5_VLForConditionalGeneration
from transformers.utils import is_flash_attn_2_available

from videmo.errors import InputError, in_words
from videmo.models.adapters import Lora, add_adapters
from videmo.models.checkpointing import checkpoint_block, checkpoint_compiled
from videmo.models.encoding import encode, encode_nothing, in_step, largest, weights_hash
from videmo.models.quantization import pack
from videmo.models.sampling import Distribution
from videmo.models.scopes import Scope, ScopeName, Scopes, scope_of
from videmo.models.token_scores import TokenScores, score_tokens
from videmo.models.tree_attention import FLEX, additive, attend_over_trees, block_mask, bucket, tree_mask
from videmo.models.vision import Tower, speed_up
from videmo.pretrained import RANDOM, Size, base_fingerprint, load_config, published_config, random_size
from videmo.token_tree import IGNORE_INDEX, TreeBatch

Dtype = Literal["float32", "bfloat16"]
Quantization = Literal["nf4"]
FULL = Scope()
FLASH = "flash_attention_2"


class Backbone(nn.Module):
    """``Qwen2_5_VLForConditionalGeneration`` over token trees.

    Args:
        model: The transformers model.
        vision: How the blocks of the vision tower train.
        merger: How the tower's merger trains, which joins its patches to the language model's tokens.
        language: How the language model trains, with its embeddings and its output head.
        lora: The adapters of scopes that train by them.
        quantization: ``nf4`` packs the linear layers of a language model that is not trained fully into 4 bits.
        attention: ``flex_attention`` or ``flash_attention_2``, as ``load`` has them; others are the model's own.
        compile: Whether each block is compiled by ``torch.compile``, for any length; one under activation checkpointing
            in training alone.

    Attributes:
        flex: Whether batches are scored by FlexAttention.
        scopes: The three by name.
        lora: As given.
        quantization: As given.
        base: Which weights the model started from (``base_fingerprint``).
        keep_features: Where the features of every video go that a frozen tower encodes, with the video's key.
    """

    def __init__(
        self,
        model: Qwen2_5_VLForConditionalGeneration,
        vision: Scope = FULL,
        merger: Scope = FULL,
        language: Scope = FULL,
        lora: Lora = Lora(),  # noqa: B008 (frozen)
        quantization: Quantization | None = None,
        attention: str = "sdpa",
        compile: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.scopes: Scopes = {"vision": vision, "merger": merger, "language": language}
        self.lora, self.quantization, self.base = lora, quantization, ""
        self.keep_features: Callable[[str, Tensor], None] | None = None
        self.flex = attention in (FLEX, FLASH)
        if attention != "eager":
            attend_over_trees(model)
        if attention == FLASH:
            self.tower.config._attn_implementation = FLASH
        speed_up(self.tower)
        if quantization:
            if language.mode == "full":
                raise InputError(
                    "quantization packs weights that do not train, and the language model trains fully; set "
                    "model.language.mode to lora"
                )
            pack(model)
        if adapted := [name for name, scope in self.scopes.items() if scope.mode == "lora"]:
            add_adapters(model, lora, adapted)
        for name, p in model.named_parameters():
            p.requires_grad_(self.scopes[scope_of(name)].mode == "full" or ".lora_" in name)
        self._keep_what_trains_in_float32()
        blocks: dict[ScopeName, Iterable[Any]] = {
            "vision": self.tower.blocks,
            "language": model.model.language_model.layers,
        }
        for scope, own in blocks.items():
            for block in own:
                block.gradient_checkpointing = self.scopes[scope].activation_checkpointing
                block._gradient_checkpointing_func = checkpoint_compiled if compile else checkpoint_block
                if compile and not block.gradient_checkpointing:
                    block.compile(dynamic=True)
        self.train()

    @classmethod
    def load(
        cls,
        checkpoint: str,
        *,
        revision: str | None = None,
        local_files_only: bool = False,
        dtype: Dtype = "float32",
        attn_implementation: str = "sdpa",
        **training,
    ) -> "Backbone":
        """Load a checkpoint; the trainer's precision casts what it computes with. On ``torch.device("meta")`` its
        weights are not read, only their shapes.

        Args:
            checkpoint: A Hugging Face folder or hub id of a Qwen2.5-VL model, or ``random:3b`` or ``random:7b``.
            revision: A branch, tag or commit on the hub.
            local_files_only: Asks no hub, and takes what was downloaded before.
            dtype: In which the weights are read, and kept where they do not train; what trains is float32.
            attn_implementation: ``sdpa``, ``eager``, or ``flex_attention``, which leaves out what a tree hides;
                FlashAttention cannot express that, so ``flash_attention_2`` is it for the windows of the vision tower,
                and FlexAttention for the language model.
            training: What trains and how, as ``Backbone`` takes it.

        Raises:
            InputError: If it is no such checkpoint.
        """
        if size := random_size(checkpoint):
            return cls.random(size, dtype=dtype, attn_implementation=attn_implementation, **training)
        config = load_config(checkpoint, revision, local_files_only)
        kind = {"dtype": getattr(torch, dtype), "attn_implementation": _backend(attn_implementation)}
        if torch.get_default_device().type == "meta":
            model = Qwen2_5_VLForConditionalGeneration._from_config(config, **kind)
        else:
            source = {"config": config, "revision": revision, "local_files_only": local_files_only}
            model = _read(checkpoint, **source, **kind)
        backbone = cls(model, attention=attn_implementation, **training)
        with torch.device("cpu"):
            backbone.base = base_fingerprint(checkpoint, revision, local_files_only)
        return backbone

    @classmethod
    def random(
        cls, size: Size, *, dtype: Dtype = "float32", attn_implementation: str = "sdpa", **training
    ) -> "Backbone":
        """Random weights of a published size: for benchmarks, and on ``torch.device("meta")`` for counting."""
        config = published_config(size)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = Qwen2_5_VLForConditionalGeneration._from_config(
                config, dtype=getattr(torch, dtype), attn_implementation=_backend(attn_implementation)
            )
        backbone = cls(model, attention=attn_implementation, **training)
        backbone.base = f"{RANDOM}{size}"
        return backbone

    def _keep_what_trains_in_float32(self) -> None:
        """Steps of 1e-5 vanish in bfloat16; a module that reads float32 is float32, too, or it could not be called."""
        for module, scope in (
            (self.tower, "vision"),
            (self.model.model.language_model, "language"),
            (self.model.lm_head, "language"),
        ):
            if self.scopes[scope].mode == "full":
                module.float()
        for p in self.parameters():
            if p.requires_grad:
                p.data = p.data.float()

    @property
    def config(self):
        return self.model.config

    @property
    def tower(self) -> Tower:
        """The vision tower with its merger."""
        return self.model.model.visual

    def drawn(self, temperature: float) -> Distribution:
        """What answers are drawn from at a temperature: never a vision placeholder, for which the next forward would
        look for features to put there.
        """
        names = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
        banned = [getattr(self.config, name) for name in names]
        return Distribution(temperature, torch.tensor(banned, device=self.model.device))

    def vision_fingerprint(self) -> str:
        """A hash of the tower's weights: features of one tower are nothing to another. Collective where sharded."""
        return weights_hash(self.tower)

    @property
    def tower_is_frozen(self) -> bool:
        """Whether nothing of the tower trains, so that what it makes of a video stays the same."""
        return self.scopes["vision"].mode == self.scopes["merger"].mode == "frozen"

    def train(self, mode: bool = True) -> "Backbone":
        super().train(mode)
        for module, scope in (
            (self.tower, "vision"),
            (self.tower.merger, "merger"),
            (self.model.model.language_model, "language"),
        ):
            module.train(mode and self.scopes[scope].mode != "frozen")
        return self

    def forward(
        self,
        input_ids: Tensor,
        position_ids: Tensor,
        mask: Tensor | BlockMask,
        at: tuple[Tensor, Tensor],
        *,
        labels: Tensor | None = None,
        distribution: Distribution | None = None,
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
            mask: What each of the S tokens sees of the cached ones and of these, boolean [B, S, cached + S]; or the
                blocks of it, where they are scored by FlexAttention.
            at: Rows and columns of the hidden states to project, two tensors [N].
            labels: The tokens to score there, [N].
            distribution: Which log-probabilities of theirs are meant; by default those of the logits as they are.
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
        encode_all = self._encode_frozen if self.tower_is_frozen else self._encode
        features, nothing = encode_all(pixel_values_videos, grids, video_features or {}, video_keys, collective)
        residual = self.model.model.language_model.norm.weight.dtype
        embeds = self.model.get_input_embeddings()(input_ids).to(residual)  # [B, S, hidden]
        if features:
            videos = torch.cat([feature.to(embeds) for feature in features])
            embeds = embeds.masked_scatter((input_ids == self.config.video_token_id)[..., None], videos)
        hidden = self.model.model(
            inputs_embeds=embeds if nothing is None else embeds + nothing,
            position_ids=position_ids,
            attention_mask=additive(mask, residual) if isinstance(mask, Tensor) else mask,
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state  # [B, S, hidden]
        head = self.model.lm_head
        states = hidden[at].to(head.weight.dtype)  # [N, hidden]
        return head(states) if labels is None else score_tokens(states, head, labels, distribution)

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
        calls = largest(len(missing), self.model.device) if collective else len(missing)
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

    def score(self, batch: TreeBatch, distribution: Distribution | None = None) -> TokenScores:
        """Score the learned tokens of a batch, [N] of them in row-major order.

        Args:
            batch: The trees.
            distribution: Which log-probabilities are meant; by default those of the logits as they are.
        """
        if self.flex:
            batch = batch.in_one_row(bucket(batch.input_ids.numel()))
        rows, columns = torch.nonzero(batch.labels != IGNORE_INDEX, as_tuple=True)
        return self(
            batch.input_ids,
            batch.position_ids,
            (block_mask if self.flex else tree_mask)(batch.subtree_end),
            (rows, batch.predecessor[rows, columns]),
            labels=batch.labels[rows, columns],
            distribution=distribution,
            **batch.vision,
        )


def _read(checkpoint: str, **options) -> Qwen2_5_VLForConditionalGeneration:
    """A model with all its weights.

    Raises:
        InputError: If they are not whole, or do not fit the config.
    """
    try:
        model, found = Qwen2_5_VLForConditionalGeneration.from_pretrained(  # pyrefly: ignore[not-iterable]  (a pair)
            checkpoint, **options, output_loading_info=True
        )
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # whatever transformers and safetensors say of files that are broken
        raise InputError(
            f"the weights of {checkpoint} cannot be read ({in_words(error)}); get its files again"
        ) from error
    if missing := sorted(found["missing_keys"]):
        raise InputError(
            f"{checkpoint} lacks {len(missing)} weights of its model, such as {missing[0]}; get its files again"
        )
    return model


def check_attention(attn_implementation: str) -> None:
    """Refuse what cannot attend over trees.

    Raises:
        InputError: If it is none of those that can.
    """
    if attn_implementation not in ("sdpa", "eager", FLEX, FLASH):
        raise InputError(
            f"attn_implementation {attn_implementation!r} cannot attend over trees; use sdpa, {FLEX}, {FLASH} or eager"
        )


def _backend(attn_implementation: str) -> str:
    """What transformers is told; FlexAttention and FlashAttention concern a part of the model, and come later.

    Raises:
        InputError: If it cannot attend over trees, or is not installed.
    """
    check_attention(attn_implementation)
    if attn_implementation == FLASH and not is_flash_attn_2_available():
        raise InputError(
            f"attn_implementation {FLASH} needs a GPU and the package flash-attn (`pip install flash-attn "
            f"--no-build-isolation`); {FLEX} needs no package"
        )
    return "eager" if attn_implementation == "eager" else "sdpa"

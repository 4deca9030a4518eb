"""The sizes of a Qwen2.5-VL that its parameters, activations and operations follow from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """Widths and depths, as in a model's config.

    Attributes:
        hidden: Width of the language model, of ``heads`` heads, ``kv_heads`` of keys and values.
        intermediate: Width inside its MLPs.
        width: Of the vision tower; of ``depth`` blocks ``full_blocks`` see the whole frame, the others windows.
        patch: Values of a patch.
        window: Patches along a window's side.
    """

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    intermediate: int
    vocabulary: int
    tied: bool
    width: int
    depth: int
    vision_heads: int
    vision_intermediate: int
    full_blocks: int
    patch: int = 3 * 2 * 14 * 14
    window: int = 8
    merge: int = 4

    @classmethod
    def of(cls, config) -> "Shape":
        """Of a ``Qwen2_5_VLConfig``."""
        text, vision = config.text_config, config.vision_config
        return cls(
            hidden=text.hidden_size,
            layers=text.num_hidden_layers,
            heads=text.num_attention_heads,
            kv_heads=text.num_key_value_heads,
            intermediate=text.intermediate_size,
            vocabulary=text.vocab_size,
            tied=config.tie_word_embeddings,
            width=vision.hidden_size,
            depth=vision.depth,
            vision_heads=vision.num_heads,
            vision_intermediate=vision.intermediate_size,
            full_blocks=len(vision.fullatt_block_indexes),
            patch=vision.in_channels * vision.temporal_patch_size * vision.patch_size**2,
            window=vision.window_size // vision.patch_size,
            merge=vision.spatial_merge_size**2,
        )

    @property
    def kv_width(self) -> int:
        return self.kv_heads * (self.hidden // self.heads)

    @property
    def layer_widths(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of the linear layers of one layer of the language model."""
        h, k, i = self.hidden, self.kv_width, self.intermediate
        return {
            "q_proj": (h, h),
            "k_proj": (h, k),
            "v_proj": (h, k),
            "o_proj": (h, h),
            "gate_proj": (h, i),
            "up_proj": (h, i),
            "down_proj": (i, h),
        }

    @property
    def layer_weights(self) -> int:
        """Their weights."""
        return sum(into * out for into, out in self.layer_widths.values())

    @property
    def block_weights(self) -> int:
        """Weights of the linear layers of one block of the vision tower: qkv, proj, gate, up and down."""
        return self.width * (3 * self.width + self.width + 3 * self.vision_intermediate)

    @property
    def merger_weights(self) -> int:
        """Weights of the merger's two linear layers."""
        inner = self.merge * self.width
        return inner * inner + inner * self.hidden

    @property
    def head(self) -> int:
        """Weights from hidden states to logits."""
        return self.vocabulary * self.hidden

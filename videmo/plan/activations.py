r"""What autograd keeps of a forward for its backward, in bytes a token: derived, and counted in the tests.

Let ``c`` be the bytes of a number in matrix products (2 in bfloat16), ``r`` those of the residual stream (4 where
autocast computes on float32 weights, else ``c``), H the width, I the MLP's. A layer of the language model keeps

- of each norm its input in float32 and the root of its mean square, 4 H + 4, and where the norm's weight trains, what
  the weight multiplies, r H;
- of each linear layer that trains, its input. q, k and v share one, gate and up another, c H each; but autocast from a
  float32 stream makes each its own copy, 5 c H together. What enters o and down is kept anyway as what attention
  gives, and as the product, c I. A frozen linear layer keeps nothing. An adapter keeps its input and what its first
  matrix makes of it, c (in + rank), under autocast in a copy of its own: it reads float32; dropout makes a copy, too,
  and keeps a mask, 1 byte a value;
- of attention, q, k, v and its output, 4 c H (k and v repeated to all heads, since there is a mask), 4 bytes a head of
  log-sum-exp, and the mask, c times the row's length (the kernels pad it, so each layer has its own); FlexAttention has
  no mask, a row of 0 here, and repeats nothing;
- of the MLP, what gate and up give and silu's value, 3 c I.

Full fine-tuning under autocast: (16 + 5 c + 4 c) H + 4 c I = 34 H + 8 I bytes; everything in bfloat16: 24 H + 8 I.
LoRA on bfloat16 weights: 8 H + 5 c H + c H + 4 c H + 4 c I = 28 H + 8 I.

A block of the vision tower is the same with biases, qkv as one linear layer, and no mask. In a block that sees whole
frames v keeps the product qkv as a whole, 6 c W instead of 4 c W; windows of several lengths are copied by length and
put together again, 5 c W. The merger keeps its norm, the input of each of its linear layers that trains, and what GELU
takes, c W a patch each.

The first block that learns keeps less, since no gradient passes on from it; that is left out here.
With activation checkpointing a block keeps its input alone, r H, and one block at a time has what is above.
DoRA keeps more; it is not counted.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from videmo.plan.shape import Shape

Mode = Literal["full", "lora", "frozen"]


@dataclass(frozen=True)
class Computing:
    """How a scope computes.

    Attributes:
        mode: How it trains.
        compute: Bytes of a number in matrix products.
        residual: Bytes of a number in the residual stream.
        autocast: Whether products are cast for, from weights of another type.
        rank: Of the adapters.
        adapted: Linear layers that have one, as ``Shape`` names them.
        dropout: Bytes a value that their dropout keeps: 1 on a GPU, 0 without dropout.
    """

    mode: Mode
    compute: int
    residual: int
    autocast: bool
    rank: int = 0
    adapted: Collection[str] = ()
    dropout: int = 0

    @property
    def _norm(self) -> int:
        """Bytes a value that a norm keeps."""
        return 4 + (self.residual if self.mode == "full" else 0)

    def _inputs(self, names: Collection[str], width: int, kept: bool = False) -> int:
        """Bytes a token of the inputs of linear layers that read the same; `kept` where another keeps them anyway."""
        trained = len(names) if self.mode == "full" else len(set(names) & set(self.adapted))
        if not trained:
            return 0
        if self.mode == "full":
            copies = 0 if kept else trained if self.autocast and self.residual != self.compute else 1
            return copies * self.compute * width
        copies = trained if self.autocast or self.dropout else 0 if kept else 1
        return copies * self.compute * width + trained * (self.compute * self.rank + self.dropout * width)


def layer_bytes(shape: Shape, computing: Computing, tokens: int, row: int) -> int:
    """What one layer of the language model keeps of rows of `row` tokens, `tokens` in all."""
    c, h, i = computing.compute, shape.hidden, shape.intermediate
    norms = 2 * (computing._norm * h + 4)
    attention = 2 * c * (h + (h if row else shape.kv_width)) + 4 * shape.heads + c * row
    inputs = computing._inputs(("q_proj", "k_proj", "v_proj"), h) + computing._inputs(("gate_proj", "up_proj"), h)
    inputs += computing._inputs(("o_proj",), h, kept=True) + computing._inputs(("down_proj",), i)
    return tokens * (norms + attention + inputs + 3 * c * i)


def block_bytes(shape: Shape, computing: Computing, patches: int, windows: bool) -> int:
    """What one block of the vision tower keeps of `patches` patches."""
    c, w, i = computing.compute, shape.width, shape.vision_intermediate
    norms = 2 * (computing._norm * w + 4)
    attention = (4 if windows else 6) * c * w + 4 * shape.vision_heads
    inputs = computing._inputs(("attn.qkv",), w) + computing._inputs(("gate_proj", "up_proj"), w)
    inputs += computing._inputs(("attn.proj",), w, kept=not windows) + computing._inputs(("down_proj",), i)
    return patches * (norms + attention + inputs + 3 * c * i)


def merger_bytes(shape: Shape, computing: Computing, patches: int, passes: bool = True) -> int:
    """What the merger keeps of `patches` patches; its norm's input only where gradients pass on to the blocks."""
    c, w = computing.compute, shape.width
    merged = shape.merge * w
    inputs = computing._inputs(("mlp.0",), merged) + computing._inputs(("mlp.2",), merged)
    norm = computing._norm * w + 4 - (0 if passes else 4 * w + 4)
    return patches * norm + patches // shape.merge * (c * merged + inputs)


def language_bytes(
    shape: Shape, computing: Computing, tokens: int, row: int, learned: int, checkpointing: bool = False
) -> int:
    """What the language model keeps up to the hidden states of the learned tokens, which the loss projects."""
    h = shape.hidden
    layer = layer_bytes(shape, computing, tokens, row)
    layers = shape.layers * tokens * computing.residual * h + layer if checkpointing else shape.layers * layer
    return layers + tokens * (computing._norm * h + 4) + learned * computing.residual * h


def vision_bytes(shape: Shape, computing: Computing, patches: int, checkpointing: bool = False) -> int:
    """What the blocks of the vision tower keep, and the patches where their embedding trains."""
    whole, windows = (block_bytes(shape, computing, patches, windows=own) for own in (False, True))
    blocks = shape.full_blocks * whole + (shape.depth - shape.full_blocks) * windows
    if checkpointing:
        blocks = shape.depth * patches * computing.residual * shape.width + max(whole, windows)
    return blocks + patches * shape.patch * computing.compute * (computing.mode == "full")

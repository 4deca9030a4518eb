"""The peak of a GPU's memory in training, by part: arithmetic from sizes, scopes, batch and strategy.

- Weights: what trains in float32, the rest in the type it was read in, or in nf4 with double quantisation: 4 bits a
  weight, an 8-bit scale for 64 of them, a 32-bit one for 256 of those, 0.5159 bytes. DeepSpeed computes on bfloat16
  copies and keeps float32 masters among its optimizer states.
- Gradients: as the weights that train. They are there in forward too: Lightning clears them just before backward.
- Optimizer states: AdamW two numbers a weight in float32, or in 8 bits with a scale for 256; Muon one.
- Activations: ``videmo.plan.activations``, and under autocast a bfloat16 copy of each float32 matrix that gradients
  pass.
- Loss: one chunk of logits in backward (log-softmax, its gradient and theirs: 12 bytes, and one in compute type), the
  head cast, and its gradient in both types.
- Buffers: the mask, the patches, gradients inside one layer, a layer gathered by FSDP or ZeRO-3 with the next one, the
  root (embeddings, head) that FSDP gathers for the whole step, buckets of DDP and ZeRO.

The peak lies at the start of backward: the optimizers update in place, AdamW by its fused kernels.
Fragmentation is an allowance: 5% of activations, loss and buffers, and 0.6 GB of the CUDA context and its workspaces.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from videmo.models.scopes import ScopeName
from videmo.models.token_scores import CHUNK_LOGITS
from videmo.plan.activations import Computing, language_bytes, merger_bytes, vision_bytes
from videmo.plan.shape import Shape

NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)
"""Of a weight in 4 bits with double quantisation."""
STATES = {"adamw": 2, "muon": 1}
"""Numbers that an optimizer keeps of a weight; in the weight's own type."""
STATE_BYTES = {"adamw_8bit": 2 + 8 / 256, "paged_adamw_8bit": 0.0}
"""Bytes, where they are not; paged ones move to the host when the GPU is full."""
CONTEXT_BYTES = 600_000_000
FRAGMENTED = 0.05
BUCKET_BYTES = {"zero2": 2 * 500_000_000, "zero3": 2 * 500_000_000}

Sharding = Literal["none", "ddp", "fsdp", "fsdp2", "zero2", "zero3"]


@dataclass(frozen=True)
class Weights:
    """How many weights a scope has.

    Attributes:
        total: Without adapters.
        trained: Those that train, adapters included.
        adapters: Those of adapters.
        matrices: Weights of linear layers among `total`, which autocast casts.
        packed: Of those, in 4 bits.
    """

    total: int
    trained: int
    adapters: int = 0
    matrices: int = 0
    packed: int = 0


@dataclass(frozen=True)
class Batch:
    """A micro-batch of one rank.

    Attributes:
        rows: Rows of trees.
        row: Tokens a row, padding included.
        learned: Learned tokens.
        patches: Of its videos, to be encoded.
        frames: Temporal steps of its videos, within which the tower's blocks see.
    """

    rows: int
    row: int
    learned: int
    patches: int
    frames: int = 1

    @property
    def tokens(self) -> int:
        return self.rows * self.row


@dataclass(frozen=True)
class Setup:
    """All that the peak follows from.

    Attributes:
        shape: Of the model.
        weights: By scope.
        computing: By scope.
        held: Bytes of a weight that does not train, by scope.
        trained_bytes: Of a weight that does: 4, or 2 where the precision is bf16-true.
        batch: The largest.
        optimizer: As ``model.optimizer`` names it.
        sharding: How the strategy shares the model out.
        world: Ranks that share it.
        offload_optimizer: Whether its states are in the machine's memory.
        offload_parameters: Likewise parameters and gradients.
        checkpointing: Scopes whose blocks keep their inputs alone.
        flex: Whether FlexAttention makes no mask.
    """

    shape: Shape
    weights: Mapping[ScopeName, Weights]
    computing: Mapping[ScopeName, Computing]
    held: Mapping[ScopeName, int]
    batch: Batch
    trained_bytes: int = 4
    optimizer: str = "adamw"
    sharding: Sharding = "none"
    world: int = 1
    offload_optimizer: bool = False
    offload_parameters: bool = False
    checkpointing: frozenset[ScopeName] = frozenset()
    flex: bool = False

    @property
    def deepspeed(self) -> bool:
        return self.sharding.startswith("zero")

    @property
    def copies(self) -> bool:
        """Whether the strategy makes the bfloat16 copies that it computes on, and gathers those."""
        return self.deepspeed or self.sharding == "fsdp"

    @property
    def trained(self) -> int:
        return sum(part.trained for part in self.weights.values())

    @property
    def tower_learns(self) -> bool:
        return any(self.computing[name].mode != "frozen" for name in ("vision", "merger"))

    @property
    def language_learns(self) -> bool:
        """Whether gradients pass the language model: to its own weights, or to features of videos."""
        return self.computing["language"].mode != "frozen" or self.tower_learns


@dataclass(frozen=True)
class Memory:
    """Bytes of one rank at its peak.

    Attributes:
        weights, gradients, optimizer: Kept between steps.
        vision, language: Activations.
        casts: Copies of weights in the type of matrix products.
        loss: A chunk of logits, and the head's.
        buffers: Mask, patches, gathered layers, buckets.
        fragmentation: The allowance.
    """

    weights: float
    gradients: float
    optimizer: float
    vision: float
    language: float
    casts: float
    loss: float
    buffers: float
    fragmentation: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fragmentation", CONTEXT_BYTES + FRAGMENTED * self.backward)

    @property
    def kept(self) -> float:
        return self.weights + self.gradients + self.optimizer

    @property
    def backward(self) -> float:
        """What a forward adds until its backward begins."""
        return self.vision + self.language + self.casts + self.loss + self.buffers

    @property
    def allocated(self) -> float:
        """The peak that ``torch.cuda.max_memory_allocated`` would say."""
        return self.kept + self.backward

    @property
    def peak(self) -> float:
        """What the GPU must have."""
        return self.allocated + self.fragmentation


def predict(setup: Setup) -> Memory:
    """The peak of a rank."""
    trained = setup.trained
    shared = setup.world if setup.sharding in ("fsdp", "fsdp2", "zero3") else 1
    states_shared = setup.world if setup.sharding == "zero2" else shared
    number = 4 if setup.deepspeed else setup.trained_bytes  # of what the optimizer keeps and updates
    state = STATE_BYTES.get(setup.optimizer, number * STATES.get(setup.optimizer, 0)) + 4 * setup.deepspeed
    weights = sum(_weight_bytes(setup, name) for name in setup.weights) / shared
    gradients = (2 if setup.deepspeed else number) * trained / states_shared
    states = state * trained / states_shared
    if setup.offload_parameters:
        weights, gradients = 0.0, 0.0
    if setup.offload_optimizer:
        states = 0.0
    vision, language = _activations(setup)
    return Memory(
        weights=weights,
        gradients=gradients,
        optimizer=states,
        vision=vision,
        language=language,
        casts=_casts(setup),
        loss=_loss(setup),
        buffers=_buffers(setup),
    )


def _weight_bytes(setup: Setup, name: ScopeName) -> float:
    part, held = setup.weights[name], 2 if setup.deepspeed else setup.held[name]
    trained = 2 if setup.deepspeed else setup.trained_bytes
    if setup.computing[name].mode == "full":
        return trained * part.total
    return held * (part.total - part.packed) + NF4_BYTES * part.packed + trained * part.adapters


def _activations(setup: Setup) -> tuple[float, float]:
    """Of the vision tower with its merger, and of the language model."""
    shape, batch, computing = setup.shape, setup.batch, setup.computing
    vision = 0
    if computing["vision"].mode != "frozen":
        vision += vision_bytes(shape, computing["vision"], batch.patches, "vision" in setup.checkpointing)
    if setup.tower_learns:
        passes = computing["vision"].mode != "frozen"
        vision += merger_bytes(shape, computing["merger"], batch.patches, passes)
    if not setup.language_learns:
        return vision, 0
    checkpointing = "language" in setup.checkpointing
    return vision, language_bytes(
        shape,
        computing["language"],
        batch.tokens,
        0 if setup.flex else batch.row,
        batch.learned,
        checkpointing=checkpointing,
    )


def _casts(setup: Setup) -> float:
    """Copies of float32 matrices in bfloat16, until backward has passed them."""
    found = 0
    for name, part in setup.weights.items():
        computing = setup.computing[name]
        learns = setup.language_learns if name == "language" else computing.mode != "frozen"
        held = setup.trained_bytes if computing.mode == "full" else setup.held[name]
        if computing.autocast and learns:
            cast = part.adapters + (part.matrices - part.packed if held == 4 else 0)
            found += computing.compute * cast
    return found


def _loss(setup: Setup) -> float:
    shape, computing, learned = setup.shape, setup.computing["language"], setup.batch.learned
    rows = max(1, CHUNK_LOGITS // shape.vocabulary)
    chunk = -(-learned // max(1, -(-learned // rows)))  # chunks are even
    logits = chunk * shape.vocabulary * (12 + computing.compute)
    trains = computing.mode == "full"
    held = setup.trained_bytes if trains else setup.held["language"]
    cast = computing.compute if computing.autocast and held == 4 else 0
    gradient = 0 if not trains else 2 if setup.copies else held + cast
    return logits + shape.head * (cast + gradient)


def _buffers(setup: Setup) -> float:
    shape, batch, computing = setup.shape, setup.batch, setup.computing["language"]
    c, r = computing.compute, computing.residual
    mask = 0 if setup.flex else batch.rows * batch.row**2 * (1 + setup.held["language"])
    patches = batch.patches * shape.patch * (1 + 4 + c)
    inside = batch.tokens * (3 * c * shape.intermediate + 3 * r * shape.hidden)
    unpacked = c * shape.hidden * shape.intermediate if setup.weights["language"].packed else 0
    return mask + patches + inside + unpacked + _gathered(setup) + BUCKET_BYTES.get(setup.sharding, 0)


def _gathered(setup: Setup) -> float:
    """Parameters of other ranks: two layers with a layer's gradient, and in FSDP the root's for the whole step."""
    if setup.sharding not in ("fsdp", "fsdp2", "zero3") or setup.world == 1:
        return 0
    shape = setup.shape
    full = setup.computing["language"].mode == "full"
    each = 2 if setup.copies else setup.trained_bytes if full else setup.held["language"]
    root = shape.head * (1 if shape.tied else 2)
    return each * ((2 + full) * shape.layer_weights + root * (1 + full))

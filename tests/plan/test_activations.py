"""The formulas of what autograd keeps, against the bytes that it keeps."""

from dataclasses import replace

import pytest
import torch
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from videmo.models.adapters import Lora
from videmo.models.backbone import Backbone
from videmo.models.scopes import Scope
from videmo.models.vision import Stretches
from videmo.plan.activations import block_bytes, layer_bytes, merger_bytes
from videmo.plan.memory import Batch
from videmo.plan.setup import setup_of

ROWS, ROW, PATCHES = 2, 48, 384
CONFIG = {
    "text_config": {
        "vocab_size": 320,
        "hidden_size": 96,
        "intermediate_size": 224,
        "num_hidden_layers": 2,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]},
        "bos_token_id": None,
        "eos_token_id": 1,
        "pad_token_id": 0,
    },
    "vision_config": {
        "depth": 2,
        "hidden_size": 80,
        "intermediate_size": 144,
        "num_heads": 5,
        "out_hidden_size": 96,
        "fullatt_block_indexes": [1],
        "window_size": 112,
    },
}
CASES = {  # mode, type of the weights, precision
    "full, mixed": ("full", "float32", "bf16-mixed"),
    "full, bfloat16": ("full", "bfloat16", "bf16-true"),
    "full, float32": ("full", "float32", "32-true"),
    "LoRA on bfloat16": ("lora", "bfloat16", "bf16-mixed"),
    "LoRA on float32": ("lora", "float32", "bf16-mixed"),
    "LoRA in float32": ("lora", "float32", "32-true"),
}


def kept(compute, parameters, besides=()):
    """Bytes of the storages that autograd keeps, without parameters and what is shared between blocks."""
    ours = {t.untyped_storage().data_ptr() for t in (*parameters, *besides)}
    seen, alive = {}, []

    def pack(t):
        alive.append(t)  # a freed storage's address would come again
        storage = t.untyped_storage()
        if storage.data_ptr() not in ours:
            seen[storage.data_ptr()] = storage.nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        output = compute()
    assert output.requires_grad
    return sum(seen.values())


class Case:
    def __init__(self, name, dropout=0.0):
        self.mode, dtype, self.precision = CASES[name]
        torch.manual_seed(0)
        model = Qwen2_5_VLForConditionalGeneration._from_config(
            Qwen2_5_VLConfig(**CONFIG), dtype=getattr(torch, dtype), attn_implementation="sdpa"
        )
        scope = Scope(self.mode)
        self.backbone = Backbone(model, vision=scope, merger=scope, language=scope, lora=Lora(rank=4, dropout=dropout))
        batch = Batch(ROWS, ROW, 10, PATCHES)
        self.setup = setup_of(self.backbone, self.precision, "adamw", "auto", 1, batch)
        if self.precision == "bf16-true":
            self.backbone.bfloat16()

    def stream(self, scope, *shape):
        """An input of a block, in the type that the plan says, with a gradient."""
        dtype = {2: torch.bfloat16, 4: torch.float32}[self.setup.computing[scope].residual]
        return torch.randn(*shape, dtype=dtype).requires_grad_() * 1.0

    def count(self, compute, besides=()):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16-mixed"):
            found = kept(compute, self.backbone.parameters(), besides)
        return found

    def casts(self, module):
        """Bytes of the copies that autocast makes of a module's float32 matrices."""
        if self.precision != "bf16-mixed":
            return 0
        return sum(2 * p.numel() for p in module.parameters() if p.ndim == 2 and p.dtype == torch.float32)


def count_language_layer(case: "Case") -> tuple[int, int]:
    """Bytes that a layer keeps, and those of them that are cast weights."""
    model = case.backbone.model.model.language_model
    hidden = case.stream("language", ROWS, ROW, 96)
    places = model.rotary_emb(hidden, torch.arange(ROW).expand(3, ROWS, ROW))
    mask = torch.zeros(ROWS, 1, ROW, ROW, dtype=hidden.dtype)
    layer = model.layers[1]
    found = case.count(lambda: layer(hidden, attention_mask=mask, position_embeddings=places), places)
    return found, case.casts(layer)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_of_the_language_model(name):
    case = Case(name)
    found, casts = count_language_layer(case)
    computing = case.setup.computing["language"]
    expected = layer_bytes(case.setup.shape, computing, ROWS * ROW, ROW) + casts
    assert found == expected


@pytest.mark.parametrize("name", ["LoRA on bfloat16", "LoRA in float32"])
def test_a_layer_whose_adapters_have_dropout(name):
    case = Case(name, dropout=0.1)
    found, casts = count_language_layer(case)
    computing = case.setup.computing["language"]
    assert computing.dropout == 1
    computing = replace(computing, dropout=4)  # a CPU keeps what it multiplies by, in float32
    assert found == layer_bytes(case.setup.shape, computing, ROWS * ROW, ROW) + casts


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("whole", [False, True])
def test_a_block_of_the_vision_tower(name, whole):
    case = Case(name)
    tower, computing = case.backbone.tower, case.setup.computing["vision"]
    hidden = case.stream("vision", PATCHES, 80)
    # whole frames, or windows of two lengths
    ends = [0, 192, 384] if whole else [0, 64, 128, 160, 192, 256, 320, 352, 384]
    places = (torch.randn(PATCHES, 16), torch.randn(PATCHES, 16))
    block = tower.blocks[1]
    seen = Stretches.between(torch.tensor(ends), torch.device("cpu"))
    given = {"position_embeddings": places, "frames": seen, "windows": seen}
    found = case.count(lambda: block(hidden, cu_seqlens=torch.tensor(ends), **given), places)
    expected = block_bytes(case.setup.shape, computing, PATCHES, windows=not whole) + case.casts(block)
    assert found == pytest.approx(expected, rel=0.01)  # but for the order of the windows


@pytest.mark.parametrize("name", CASES)
def test_the_merger(name):
    case = Case(name)
    hidden = case.stream("merger", PATCHES, 80)
    merger = case.backbone.tower.merger
    found = case.count(lambda: merger(hidden))
    expected = merger_bytes(case.setup.shape, case.setup.computing["merger"], PATCHES) + case.casts(merger)
    assert found == expected

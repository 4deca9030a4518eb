"""QLoRA on the CPU for real: 4-bit layers against the same weights unpacked, forward and backward."""

import bitsandbytes as bnb
import pytest
import torch
from torch import nn

from videmo.data.chat import encode_record
from videmo.data.trees import Sample, build_trees
from videmo.errors import InputError
from videmo.losses.sft import sft_loss
from videmo.models.backbone import Backbone
from videmo.models.generation import generate
from videmo.models.quantization import packed
from videmo.models.scopes import Scope, count_scopes
from videmo.token_tree import flatten

QLORA = {
    "vision": Scope("frozen"),
    "merger": Scope("frozen"),
    "language": Scope("lora"),
    "quantization": "nf4",
}


@pytest.fixture
def make_batch(make_record, make_video, tokenizer, layout):
    def make(with_answer: bool = True):
        record = encode_record(make_record("<video>What emotion?", "Happy"), tokenizer, with_answer=with_answer)
        return flatten(build_trees([Sample(record, (make_video(3, 4, 6),), ("a.mp4",))], layout.video_token_id), layout)

    return make


def loss_of(backbone, batch):
    return sft_loss(backbone.score(batch).logps, batch.num_items_in_batch)


def four_bit(model: nn.Module) -> dict[str, bnb.nn.Linear4bit]:
    return {name: module for name, module in model.named_modules() if isinstance(module, bnb.nn.Linear4bit)}


def unpack(model: nn.Module) -> None:
    """Every 4-bit layer as the plain one of the numbers that it stands for."""
    for name, layer in four_bit(model).items():
        weight = bnb.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
        plain = nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
        plain.weight, plain.bias = nn.Parameter(weight.float(), requires_grad=False), layer.bias
        model.set_submodule(name, plain)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_loss_and_gradients_are_those_of_the_numbers_that_4_bits_stand_for(dtype, checkpoint, make_batch):
    torch.manual_seed(0)
    backbone, batch = Backbone.load(str(checkpoint), dtype=dtype, **QLORA), make_batch()
    torch.manual_seed(0)
    reference = Backbone.load(str(checkpoint), dtype=dtype, **QLORA)
    assert len(four_bit(backbone)) == 2 * 7  # two layers of attention and MLP; neither head nor tower
    unpack(reference)
    reference.float()
    results = []
    for model in (backbone, reference):
        with torch.no_grad():
            for name, p in model.named_parameters():
                if "lora_B" in name:
                    p.fill_(0.01)
        loss = loss_of(model, batch)
        loss.backward()
        results.append((loss.item(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}))
    (loss, gradients), (expected_loss, expected) = results
    close = 1e-5 if dtype == "float32" else 2e-2
    assert loss == pytest.approx(expected_loss, rel=close)
    assert gradients.keys() == expected.keys() and all("lora_" in name for name in gradients)
    for name in expected:
        assert (gradients[name] - expected[name]).norm() <= 10 * close * expected[name].norm(), name


def test_packed_weights_keep_their_bytes_and_the_loss_falls(checkpoint, make_batch):
    backbone, batch = Backbone.load(str(checkpoint), dtype="bfloat16", **QLORA), make_batch()
    before = {name: layer.weight.data.clone() for name, layer in four_bit(backbone).items()}
    optimizer = torch.optim.AdamW([p for p in backbone.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        loss = loss_of(backbone, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert all(torch.equal(layer.weight.data, before[name]) for name, layer in four_bit(backbone).items())


def test_norms_are_float32_and_nothing_else_is_cast(checkpoint):
    backbone = Backbone.load(str(checkpoint), dtype="bfloat16", **QLORA)
    for name, p in backbone.named_parameters():
        if "lora_" in name or (".language_model." in name and "norm" in name):
            assert p.dtype == torch.float32, name
        elif p.dtype != torch.uint8:
            assert p.dtype == torch.bfloat16, name


def test_a_4_bit_model_answers_and_then_trains_on(checkpoint, make_batch):
    """Validation must not leave weights in a form that is fast, and has no gradient."""

    def gradients():
        backbone.zero_grad()
        loss_of(backbone.train(), make_batch()).backward()
        return {name: p.grad.clone() for name, p in backbone.named_parameters() if p.grad is not None}

    backbone = Backbone.load(str(checkpoint), **QLORA)
    before = gradients()
    (answer,) = generate(backbone.eval(), make_batch(False), max_new_tokens=3, eos_token_id=-1)
    assert len(answer.tokens) == 3
    after = gradients()
    assert before.keys() == after.keys() and any(grad.any() for grad in before.values())
    assert all(torch.equal(after[name], grad) for name, grad in before.items())


def test_a_tower_of_4_bit_layers_encodes(checkpoint, make_batch):
    backbone = Backbone.load(str(checkpoint), vision=Scope("frozen"), merger=Scope("frozen"))
    whole = loss_of(backbone, make_batch()).item()
    for block in backbone.tower.blocks:
        block.attn.qkv, block.attn.proj = packed(block.attn.qkv), packed(block.attn.proj)
    assert loss_of(backbone, make_batch()).item() == pytest.approx(whole, rel=0.05)


def test_4_bits_are_counted_as_what_they_stand_for(checkpoint):
    four, whole = (
        count_scopes(Backbone.load(str(checkpoint), **{**QLORA, "quantization": kind}).named_parameters())["language"]
        for kind in ("nf4", None)
    )
    assert four.total == whole.total and four.trained == whole.trained
    layers = 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 64 * 192)
    assert whole.num_bytes - four.num_bytes == pytest.approx(layers * (4 - 0.516), rel=0.001)


def test_a_language_model_that_trains_fully_is_not_packed(checkpoint):
    with pytest.raises(InputError, match=r"trains fully; set model\.language\.mode to lora"):
        Backbone.load(str(checkpoint), quantization="nf4")

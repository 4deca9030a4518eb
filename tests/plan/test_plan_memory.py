"""The peak of a GPU by part, against numbers worked by hand and counted on the meta device."""

from dataclasses import replace

import pytest
import torch
from transformers import Qwen2_5_VLForConditionalGeneration

from videmo.models.adapters import Lora
from videmo.models.backbone import Backbone
from videmo.models.scopes import Scope
from videmo.plan.flops import count_flops, peak_tflops
from videmo.plan.knobs import knobs
from videmo.plan.memory import Batch, predict
from videmo.plan.setup import count_weights, setup_of, sharding_of
from videmo.plan.work import Work
from videmo.pretrained import published_config

BATCH = Batch(rows=1, row=1600, learned=400, patches=4160, frames=8)
FROZEN = Scope("frozen")
ADAPTERS = {"vision": FROZEN, "merger": FROZEN, "language": Scope("lora", activation_checkpointing=True)}
WAYS = {
    "full": ({}, "float32", None),
    "lora": (ADAPTERS, "bfloat16", None),
    "qlora": (ADAPTERS, "bfloat16", "nf4"),
}
MODELS = {}


def model(size, way):
    if (size, way) not in MODELS:
        scopes, dtype, quantization = WAYS[way]
        with torch.device("meta"):
            plain = Qwen2_5_VLForConditionalGeneration._from_config(published_config(size), dtype=getattr(torch, dtype))
            MODELS[size, way] = Backbone(plain, **scopes, lora=Lora(rank=16, dropout=0.05), quantization=quantization)
    return MODELS[size, way]


def setup(size, way, strategy="auto", world=1, precision="bf16-mixed", optimizer="adamw"):
    return setup_of(model(size, way), precision, optimizer, strategy, world, BATCH)


def test_full_training_of_the_3b_keeps_sixteen_bytes_a_parameter():
    memory = predict(setup("3b", "full"))
    assert memory.weights == memory.gradients == 4 * 3_754_622_976
    assert memory.optimizer == 8 * 3_754_622_976
    assert memory.peak == pytest.approx(1.05 * memory.allocated - 0.05 * memory.kept + 0.6e9)


def test_adapters_of_the_3b_by_hand():
    # a layer's inputs and outputs: q, o 4096 each, k, v 2304 each, gate, up, down 13056 each
    adapters = 36 * 16 * (2 * 4096 + 2 * 2304 + 3 * 13056)
    weights = count_weights(model("3b", "lora"))
    assert adapters == 29_933_568
    assert weights["language"].trained == weights["language"].adapters == adapters
    assert weights["vision"].trained == weights["merger"].trained == 0
    memory = predict(setup("3b", "lora"))
    assert memory.weights == 2 * 3_754_622_976 + 4 * adapters
    assert memory.gradients == 4 * adapters


def test_four_bits_with_double_quantisation_by_hand():
    weights = count_weights(model("7b", "qlora"))["language"]
    packed = 28 * (2 * 3584 * 3584 + 2 * 3584 * 512 + 3 * 3584 * 18944)
    assert weights.packed == weights.matrices == packed
    memory = predict(setup("7b", "qlora"))
    rest = 8_292_166_656 - packed
    # 4 bits, a byte for 64 weights, a float for 256 of those bytes
    assert memory.weights == packed / 2 + packed / 64 + packed / 4096 + 2 * rest + 4 * weights.adapters
    assert memory.peak < 24e9


def test_bytes_of_four_bits_are_those_that_bitsandbytes_makes():
    functional = pytest.importorskip("bitsandbytes.functional")
    packed, state = functional.quantize_4bit(torch.randn(1024, 1024), quant_type="nf4", compress_statistics=True)
    held = packed.nbytes + state.absmax.nbytes + state.state2.absmax.nbytes
    assert held == 1024 * 1024 * (0.5 + 1 / 64 + 1 / 4096)


def test_activations_of_a_layer_of_the_3b_by_hand():
    small = predict(setup("3b", "full"))
    h, i, heads, tokens = 2048, 11008, 16, 1600
    layer = tokens * (34 * h + 8 * i + 4 * heads + 8 + 2 * 1600)
    assert small.language == 36 * layer + tokens * (8 * h + 4) + 400 * 4 * h
    checkpointed = predict(replace(setup("3b", "full"), checkpointing=frozenset({"language"})))
    assert checkpointed.language == 36 * tokens * 4 * h + layer + tokens * (8 * h + 4) + 400 * 4 * h


def test_a_frozen_tower_keeps_nothing():
    assert predict(setup("3b", "lora")).vision == 0
    assert predict(setup("3b", "full")).vision > 0


def test_shares_add_up_to_the_whole():
    alone = predict(setup("7b", "full"))
    for strategy in ("fsdp", "videmo.training.strategies.FSDP2"):
        shared = predict(setup("7b", "full", {"class_path": strategy}, world=8))
        for part in ("weights", "gradients", "optimizer"):
            assert getattr(shared, part) * 8 == pytest.approx(getattr(alone, part))
    ddp = predict(setup("7b", "full", "ddp", world=8))
    assert ddp.kept == alone.kept


def test_deepspeed_by_hand():
    p = 8_292_166_656
    two = predict(setup("7b", "full", "deepspeed_stage_2", world=8))
    assert (two.weights, two.gradients, two.optimizer) == (2 * p, 2 * p / 8, 12 * p / 8)
    three = predict(setup("7b", "full", "deepspeed_stage_3", world=8))
    assert (three.weights, three.gradients, three.optimizer) == (2 * p / 8, 2 * p / 8, 12 * p / 8)
    away = predict(setup("7b", "full", "deepspeed_stage_3_offload", world=8))
    assert away.kept == 0


@pytest.mark.parametrize(
    ("strategy", "world", "expected"),
    [
        ("auto", 1, ("none", {})),
        ("auto", 4, ("ddp", {})),
        ({"class_path": "lightning.pytorch.strategies.DDPStrategy", "init_args": {}}, 4, ("ddp", {})),
        ({"class_path": "lightning.pytorch.strategies.ModelParallelStrategy"}, 2, ("fsdp2", {})),
        ("fsdp", 2, ("fsdp", {})),
        (
            {"class_path": "videmo.training.strategies.DeepSpeed", "init_args": {"stage": 2}},
            2,
            ("zero2", {"offload_optimizer": False, "offload_parameters": False}),
        ),
    ],
)
def test_strategies_are_known_by_name(strategy, world, expected):
    assert sharding_of(strategy, world) == expected


def test_every_knob_lowers_the_peak_and_one_makes_the_7b_fit_24_gb():
    whole = setup("7b", "full")
    turned = knobs(whole, batch_size=8)
    assert all(knob.memory.peak < predict(whole).peak for knob in turned)
    fitting = [knob.option for knob in turned if knob.memory.peak <= 24e9]
    assert fitting == ["configs/lora.yaml", "configs/lora.yaml and configs/qlora.yaml"]
    both = "model.language.activation_checkpointing=true and model.vision.activation_checkpointing=true"
    blocks = replace(whole, checkpointing=frozenset({"vision", "language"}))
    assert next(knob.memory.peak for knob in turned if knob.option == both) == predict(blocks).peak


@pytest.mark.parametrize("way", ["lora", "qlora"])
def test_a_knob_predicts_what_its_config_is_predicted(way):
    turned = {knob.option: knob.memory for knob in knobs(setup("7b", "full"), batch_size=8)}
    option = "configs/lora.yaml" if way == "lora" else "configs/lora.yaml and configs/qlora.yaml"
    optimizer = "adamw" if way == "lora" else "paged_adamw_8bit"
    assert turned[option].peak == pytest.approx(predict(setup("7b", way, optimizer=optimizer)).peak, rel=0.01)


def test_operations_of_full_training_are_about_six_a_weight_and_token():
    text, shape = Work(tokens=100, seen=100, learned=100, patches=0, frames=0), setup("7b", "full").shape
    weights = 28 * (2 * 3584 * 3584 + 2 * 3584 * 512 + 3 * 3584 * 18944) + 152064 * 3584
    attention = 3 * 4 * 100 * 100 * 3584 * 28
    found = count_flops(shape, text, dict.fromkeys(("vision", "merger", "language"), "full"))
    assert found == 6 * 100 * weights + attention


@pytest.mark.parametrize(
    ("device", "tflops"),
    [
        ("NVIDIA H100 80GB HBM3", 989),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA H100 NVL", 835),
        ("NVIDIA A100-SXM4-80GB", 312),
        ("NVIDIA GeForce RTX 4090", 165),
        *(
            (f"NVIDIA {name}", None)
            for name in ("RTX A1000", "RTX A4000", "A10G", "GH200 480GB", "GeForce RTX 3090 Ti")
        ),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", None),
    ],
)
def test_a_peak_is_that_of_the_card_that_is_named(device, tflops):
    assert peak_tflops(device) == tflops

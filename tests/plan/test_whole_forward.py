"""What a plan says of a whole forward, against the bytes that autograd keeps of it."""

import pytest
import torch
from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration

from videmo.data.chat import encode_record
from videmo.data.trees import Sample, build_trees
from videmo.models.backbone import Backbone
from videmo.models.scopes import Scope
from videmo.plan.memory import Batch, predict
from videmo.plan.setup import setup_of
from videmo.token_tree import flatten

LAYERS = 8
WAYS = {
    "full": ("full", "full", "full", "float32"),
    "frozen tower": ("frozen", "frozen", "full", "float32"),
    "LoRA beside a frozen tower": ("frozen", "frozen", "lora", "bfloat16"),
    "merger and LoRA": ("frozen", "full", "lora", "bfloat16"),
}


def bytes_kept(backbone, batch, precision):
    parameters = {p.untyped_storage().data_ptr() for p in backbone.parameters()}
    seen, alive = {}, []

    def pack(t):
        alive.append(t)
        storage = t.untyped_storage()
        if storage.data_ptr() not in parameters:
            seen[storage.data_ptr()] = storage.nbytes()
        return t

    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t),
        torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16-mixed"),
    ):
        backbone.score(batch)
    return sum(seen.values())


@pytest.mark.parametrize("precision", ["bf16-mixed", "32-true"])
@pytest.mark.parametrize("way", WAYS)
def test_activations_and_casts_of_a_forward(way, precision, checkpoint, tokenizer, layout, make_record, make_video):
    vision, merger, language, dtype = WAYS[way]
    if precision == "32-true":
        dtype = "float32"
    config = AutoConfig.from_pretrained(checkpoint)
    config.text_config.num_hidden_layers = LAYERS
    config.text_config.layer_types = ["full_attention"] * LAYERS
    torch.manual_seed(0)
    model = Qwen2_5_VLForConditionalGeneration._from_config(
        config, dtype=getattr(torch, dtype), attn_implementation="sdpa"
    )
    backbone = Backbone(model, vision=Scope(vision), merger=Scope(merger), language=Scope(language))
    video = make_video(4, 16, 20)
    samples = [
        Sample(encode_record(make_record(f"<video>{question}", "Yes, she does."), tokenizer), (video,), ("a",))
        for question in ("Yes?", "Sad?", "Is the woman sad, or is she happy?")
    ]
    batch = flatten(build_trees(samples, layout.video_token_id, 8), layout)
    rows, row = batch.input_ids.shape
    planned = Batch(rows, row, batch.num_label_tokens, patches=4 * 16 * 20, frames=4)
    setup = setup_of(backbone, precision, "adamw", "auto", 1, planned)
    memory = predict(setup)
    compute = setup.computing["language"].compute
    # a mask of the right type is one for all layers on a CPU, whose kernel does not pad it
    is_cast = backbone.model.dtype == torch.float32 and precision == "bf16-mixed"
    shared = 0 if is_cast else (LAYERS - 1) * rows * row**2 * compute
    head = 4 * batch.num_label_tokens * config.text_config.vocab_size  # one chunk: its log-softmax
    found, expected = bytes_kept(backbone, batch, precision), memory.vision + memory.language + memory.casts + head
    expected -= shared
    assert found == pytest.approx(expected, rel=0.05), f"{found / expected:.3f}"

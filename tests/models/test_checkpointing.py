"""Activation checkpointing by scope, and compiled blocks: the same gradients, from fewer bytes kept."""

from functools import partial

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from videmo.data.chat import encode_record
from videmo.data.trees import Sample, build_trees
from videmo.losses.sft import sft_loss
from videmo.models.adapters import Lora
from videmo.models.backbone import Backbone
from videmo.models.scopes import SCOPES, Scope
from videmo.token_tree import flatten


@pytest.fixture
def batch(make_record, make_video, tokenizer, layout):
    samples = [
        Sample(encode_record(make_record(question, "Yes", ("a",)), tokenizer), (make_video(3, 8, 10),), ("a",))
        for question in ("<video>What emotion?", "<video>What hair does the woman have?")
    ]
    return flatten(build_trees(samples, layout.video_token_id, 8), layout)


def gradients(checkpoint, batch, mode, checkpointed, **options):
    """Gradients by name, and the bytes that backward found kept."""
    scopes = {name: Scope(mode, activation_checkpointing=name in checkpointed) for name in SCOPES}
    torch.manual_seed(0)
    backbone = Backbone.load(str(checkpoint), **scopes, lora=Lora(rank=4, dropout=0.2), **options)
    kept: dict[int, int] = {}

    def note(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    torch.manual_seed(1)
    with saved_tensors_hooks(note, lambda tensor: tensor):
        loss = sft_loss(backbone.score(batch).logps, batch.num_items_in_batch)
    weights = {p.untyped_storage().data_ptr() for p in backbone.parameters()}
    loss.backward()
    found = {name: p.grad for name, p in backbone.named_parameters() if p.grad is not None}
    return found, sum(size for place, size in kept.items() if place not in weights)


@pytest.mark.parametrize("mode", ["full", "lora"])
def test_checkpointing_gives_the_same_gradients_from_fewer_bytes(mode, checkpoint, batch):
    expected, all_bytes = gradients(checkpoint, batch, mode, ())
    part, part_bytes = gradients(checkpoint, batch, mode, ("vision",))
    both, both_bytes = gradients(checkpoint, batch, mode, ("vision", "language"))
    for found in (part, both):
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], grad) for name, grad in expected.items())
    assert both_bytes < part_bytes < all_bytes
    assert both_bytes < 0.4 * all_bytes


def test_as_much_is_compiled_under_checkpointing_as_without(checkpoint, batch, monkeypatch):
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))  # what is captured, and no more
    expected, _ = gradients(checkpoint, batch, "full", ())
    captured = []
    for checkpointed in ((), ("vision", "language")):
        torch._dynamo.reset()
        torch._dynamo.utils.counters.clear()
        found, _ = gradients(checkpoint, batch, "full", checkpointed, compile=True)
        captured.append(torch._dynamo.utils.counters["stats"]["calls_captured"])
        for name, grad in expected.items():
            torch.testing.assert_close(found[name], grad, rtol=1e-4, atol=1e-6, msg=name)
    assert captured[1] >= captured[0] > 100  # backward may compile a block once more


@pytest.mark.slow
def test_compiled_blocks_give_the_same_gradients(checkpoint, batch):
    expected, _ = gradients(checkpoint, batch, "full", ())
    compiled, _ = gradients(checkpoint, batch, "full", ("vision", "language"), compile=True)
    for name, grad in expected.items():
        torch.testing.assert_close(compiled[name], grad, rtol=1e-4, atol=1e-6, msg=name)

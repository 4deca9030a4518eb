"""Chunks of the projection to the vocabulary give the numbers of one plain projection."""

from functools import partial
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from ranks import meet, run_ranks
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.utils.checkpoint import checkpoint

from videmo.models.token_scores import score_tokens

HIDDEN, VOCABULARY = 48, 500
ROWS_AT_A_TIME = 7 * VOCABULARY


def plain(hidden, head, labels):
    """Log-probabilities by their definition, and greedy hits."""
    logits = head(hidden).float()
    logps = torch.log_softmax(logits, -1).gather(-1, labels[:, None])[:, 0]
    return logps, logits.argmax(-1) == labels


chunked = partial(score_tokens, chunk_logits=ROWS_AT_A_TIME)


def run(score, head, n, *, seed=0, dtype=torch.float32, autocast=False, outer_checkpoint=False):
    """Log-probabilities, hits, and the gradients of a weighted sum by name; half of the labels are the greedy ones."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(n, HIDDEN, generator=generator).to(dtype).requires_grad_()
    labels = torch.randint(VOCABULARY, (n,), generator=generator)
    weights = torch.randn(n, generator=generator)
    head.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        with torch.no_grad():
            labels[::2] = head(hidden).argmax(-1)[::2]
        if outer_checkpoint:
            logps, correct, *_ = checkpoint(
                lambda states: tuple(score(states, head, labels)), hidden, use_reentrant=False
            )
        else:
            logps, correct, *_ = score(hidden, head, labels)
    (logps * weights).sum().backward()
    gradients = {name: p.grad for name, p in head.named_parameters() if p.grad is not None}
    return logps.detach(), correct, {"hidden": hidden.grad, **gradients}


def assert_same(found, expected, tolerance):
    assert torch.equal(found[1], expected[1])
    assert found[0].dtype == torch.float32
    pairs = {"logps": (found[0], expected[0]), **{name: (found[2][name], expected[2][name]) for name in expected[2]}}
    assert found[2].keys() == expected[2].keys()
    for name, (a, b) in pairs.items():
        assert a.dtype == b.dtype and a.shape == b.shape, name
        assert (a - b).norm() <= tolerance * b.norm(), name


@pytest.fixture
def head():
    torch.manual_seed(1)
    return nn.Linear(HIDDEN, VOCABULARY, bias=False)


@pytest.mark.parametrize("n", [0, 1, 7, 8, 100, 103])
def test_values_and_gradients_are_those_of_one_projection(head, n):
    found, expected = run(chunked, head, n), run(plain, head, n)
    assert n < 2 or 0 < expected[1].sum() < n
    assert_same(found, expected, 1e-6)


def test_no_more_logits_exist_at_a_time_than_asked(head):
    rows = []
    head.register_forward_hook(lambda module, args, output: rows.append(len(output)))
    run(chunked, head, 103)
    assert max(rows[1:]) <= 7 and len(rows) == 1 + 15 + 15  # all labels first, then forward and recomputation


def test_what_fits_one_chunk_is_not_computed_again(head):
    calls = []
    head.register_forward_hook(lambda *_: calls.append(1))
    run(score_tokens, head, 100)
    assert len(calls) == 2


def test_a_frozen_head_passes_gradients_and_gets_none(head):
    head.requires_grad_(False)
    found, expected = run(chunked, head, 50), run(plain, head, 50)
    assert set(found[2]) == {"hidden"}
    assert_same(found, expected, 1e-6)


def test_in_bfloat16_only_rounding_differs(head):
    head = head.to(torch.bfloat16)
    assert_same(
        run(chunked, head, 50, dtype=torch.bfloat16),
        run(plain, head, 50, dtype=torch.bfloat16),
        2 * torch.finfo(torch.bfloat16).eps,
    )


def test_under_autocast_chunks_add_up_in_float32(head):
    found, expected = run(chunked, head, 103, autocast=True), run(plain, head, 103, autocast=True)
    assert_same(found, expected, torch.finfo(torch.bfloat16).eps)
    exact = run(plain, head, 103)[2]["weight"]
    ours, theirs = ((result[2]["weight"] - exact).norm() for result in (found, expected))
    assert ours <= 1.1 * theirs


def test_inside_an_outer_checkpoint(head):
    assert_same(run(chunked, head, 50, outer_checkpoint=True), run(plain, head, 50), 1e-6)


def test_without_gradients(head):
    with torch.no_grad():
        hidden, labels = torch.randn(50, HIDDEN), torch.arange(50)
        assert torch.allclose(chunked(hidden, head, labels).logps, plain(hidden, head, labels)[0], atol=1e-6)


@pytest.mark.parametrize("kind", ["lora", "dora", "trained copy"])
def test_an_adapted_head(kind):
    torch.manual_seed(1)
    model = nn.Sequential()
    model.add_module("lm_head", nn.Linear(HIDDEN, VOCABULARY, bias=False))
    adapt = {"target_modules": ["lm_head"], "use_dora": kind == "dora"}
    if kind == "trained copy":
        model.add_module("other", nn.Linear(HIDDEN, HIDDEN))
        adapt = {"target_modules": ["other"], "modules_to_save": ["lm_head"]}
    head = get_peft_model(model, LoraConfig(r=4, init_lora_weights=False, **adapt)).base_model.model.lm_head
    found, expected = run(chunked, head, 50), run(plain, head, 50)
    assert len(found[2]) > 1
    assert_same(found, expected, 1e-6)


def test_a_head_of_four_bits():
    bitsandbytes = pytest.importorskip("bitsandbytes")
    torch.manual_seed(1)
    head = bitsandbytes.nn.Linear4bit(HIDDEN + 16, VOCABULARY, bias=False, quant_type="nf4").to("cpu")
    wide = nn.Sequential(nn.Linear(HIDDEN, HIDDEN + 16), head)
    wide.out_features = VOCABULARY
    found, expected = run(chunked, wide, 50), run(plain, wide, 50)
    assert set(found[2]) == {"hidden", "0.weight", "0.bias"}
    assert_same(found, expected, 1e-6)


class Tied(nn.Module):
    """Embeddings that are the head's weight too, as in the 3B."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.embed = nn.Embedding(VOCABULARY, HIDDEN)
        self.head = nn.Linear(HIDDEN, VOCABULARY, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens, labels, score):
        return score(torch.tanh(self.embed(tokens)), self.head, labels)[0]


def tokens_of(rank: int, n: int):
    generator = torch.Generator().manual_seed(rank)
    return torch.randint(VOCABULARY, (2, n), generator=generator)


def test_a_head_tied_to_the_embeddings():
    model = Tied()
    gradients = []
    for score in (chunked, plain):
        model.zero_grad()
        model(*tokens_of(0, 50), score).sum().backward()
        gradients.append(model.embed.weight.grad.clone())
    assert torch.allclose(*gradients, rtol=0, atol=1e-6 * gradients[1].abs().max())


NUMBERS = (50, 3)  # learned tokens of the ranks: 8 chunks and 1


class Untied(Tied):
    def __init__(self) -> None:
        super().__init__()
        self.head.weight = nn.Parameter(self.embed.weight.detach().clone())


def _train(rank: int, own_unit: bool, folder: Path) -> None:
    meet(rank, folder)
    model = Untied() if own_unit else Tied()
    if own_unit:
        fully_shard(model.head)
    fully_shard(model)
    for _ in range(2):
        model.zero_grad()
        model(*tokens_of(rank, NUMBERS[rank]), chunked).sum().backward()
    torch.save({name: p.grad.full_tensor() for name, p in model.named_parameters()}, folder / f"{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize("own_unit", [False, True])
def test_sharded_by_fsdp2_with_unequal_numbers_of_chunks(own_unit, tmp_path):
    run_ranks(_train, [(own_unit, tmp_path)] * 2)
    model = Untied() if own_unit else Tied()
    for rank, n in enumerate(NUMBERS):
        (model(*tokens_of(rank, n), plain).sum() / 2).backward()
    found = torch.load(tmp_path / "0.pt")
    for name, p in model.named_parameters():
        assert torch.allclose(found[name], p.grad, rtol=0, atol=2e-6 * p.grad.abs().max()), name

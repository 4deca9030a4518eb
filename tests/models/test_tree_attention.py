"""Attention by blocks: exactly what the mask shows, and the scores and gradients of sdpa with that mask."""

import random
import warnings

import pytest
import torch
from torch.nn.attention.flex_attention import flex_attention
from torch.nn.functional import scaled_dot_product_attention
from transformers.utils import is_flash_attn_2_available

from videmo.data.chat import encode_record
from videmo.data.trees import Sample, build_trees
from videmo.errors import InputError
from videmo.losses.sft import sft_loss
from videmo.models.backbone import FLASH, Backbone
from videmo.models.generation import generate
from videmo.models.tree_attention import (
    BLOCK,
    FLEX,
    attend_by_blocks,
    attend_to_cached,
    block_mask,
    bucket,
    tree_blocks,
    tree_mask,
)
from videmo.token_tree import IGNORE_INDEX, Segment, TokenTree, flatten


def grow(rng: random.Random, tokens: int) -> TokenTree:
    """A random tree of so many tokens, three levels deep."""
    tree, sizes = TokenTree(), []
    while (left := tokens - sum(sizes)) > 0:
        sizes.append(min(left, rng.randint(1, tokens // 3)))
    for number, size in enumerate(sizes):
        parent = None if number == 0 else rng.choice([n for n in range(number) if n < 4])
        ids = torch.full((size,), 5)
        tree.add(Segment(ids, torch.full_like(ids, IGNORE_INDEX)), parent)
    return tree


@pytest.mark.parametrize("seed", range(20))
def test_blocks_are_those_of_the_mask(seed, layout):
    rng = random.Random(seed)
    batch = flatten([grow(rng, rng.randint(40, 700)) for _ in range(rng.randint(1, 4))], layout)
    row = batch.in_one_row(bucket(batch.input_ids.numel()))
    mask = tree_mask(row.subtree_end)
    tiles = (
        mask.unflatten(1, (-1, BLOCK)).unflatten(3, (-1, BLOCK)).transpose(2, 3)
    )  # [1, blocks, blocks, BLOCK, BLOCK]
    whole, part = tree_blocks(row.subtree_end)
    assert torch.equal(whole, tiles.all(-1).all(-1))
    assert torch.equal(part, tiles.any(-1).any(-1) & ~whole)


def test_one_row_keeps_what_every_token_sees(make_batch):
    batch = make_batch()
    rows, width = batch.input_ids.shape
    assert rows > 1
    row = batch.in_one_row(rows * width + 7)
    mask = tree_mask(row.subtree_end)[0]
    for number, part in enumerate(tree_mask(batch.subtree_end)):
        own = slice(number * width, (number + 1) * width)
        assert torch.equal(mask[own, own], part)
    assert mask.sum() == tree_mask(batch.subtree_end).sum() + 7
    leaves = (batch.leaf_row, batch.leaf_column)
    assert torch.equal(row.input_ids[row.leaf_row, row.leaf_column], batch.input_ids[leaves])
    assert torch.equal(row.labels[row.labels != IGNORE_INDEX], batch.labels[batch.labels != IGNORE_INDEX])


@pytest.fixture
def make_batch(make_record, make_video, tokenizer, layout):
    def make(with_answer=True):
        asked = [("a", "What emotion?"), ("a", "What hair does the woman have?"), ("b", "AU1?"), ("b", "Sad?")]
        videos = {"a": make_video(2, 4, 6, seed=1), "b": make_video(3, 8, 10, seed=2)}
        samples = [
            Sample(
                encode_record(make_record(f"<video>{question}", "Yes", (name,)), tokenizer, with_answer=with_answer),
                (videos[name],),
                (name,),
            )
            for name, question in asked
        ]
        return flatten(build_trees(samples, layout.video_token_id, 8), layout)

    return make


def test_attention_to_cached_tokens_is_that_of_repeated_keys_and_values():
    torch.manual_seed(0)
    query, key, value = torch.randn(2, 6, 3, 16), torch.randn(2, 2, 40, 16), torch.randn(2, 2, 40, 16)
    mask = torch.where(torch.rand(2, 1, 3, 40) < 0.5, 0.0, torch.finfo(torch.float32).min)
    scores = query @ key.repeat_interleave(3, 1).transpose(2, 3) * 0.3 + mask
    expected = scores.softmax(-1) @ value.repeat_interleave(3, 1)  # [B, heads, Q, head]
    seen = attend_to_cached(query, key, value, mask, scale=0.3)
    torch.testing.assert_close(seen, expected.transpose(1, 2), rtol=1e-5, atol=1e-6)


@pytest.mark.slow  # it compiles
def test_the_compiled_kernel_sees_what_the_mask_shows(layout):
    row = flatten([grow(random.Random(n), 300) for n in range(3)], layout).in_one_row(bucket(900))
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, heads, row.input_ids.shape[1], 32) for heads in (6, 2, 2))
    compiled = torch.compile(flex_attention, dynamic=False)
    seen = compiled(query, key, value, block_mask=block_mask(row.subtree_end), enable_gqa=True)
    mask = tree_mask(row.subtree_end)[:, None]
    expected = scaled_dot_product_attention(query, key, value, attn_mask=mask, enable_gqa=True)
    torch.testing.assert_close(seen, expected, rtol=0, atol=1e-5)


def test_the_kernel_is_part_of_a_compiled_block_and_computes_in_the_type_of_the_values(layout):
    row = flatten([grow(random.Random(1), 200)], layout).in_one_row(bucket(200))
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, heads, row.input_ids.shape[1], 32) for heads in (6, 2, 2))
    torch._dynamo.utils.counters.clear()
    block = torch.compile(attend_by_blocks, backend="eager", fullgraph=True)  # which fails where a graph breaks
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        seen = block(query, key, value.bfloat16(), block_mask(row.subtree_end))
    assert seen.dtype == torch.bfloat16
    mask = tree_mask(row.subtree_end)[:, None]
    exact = (part.bfloat16().float() for part in (query, key, value))
    expected = scaled_dot_product_attention(*exact, attn_mask=mask, enable_gqa=True).transpose(1, 2)
    torch.testing.assert_close(seen.float(), expected, rtol=0, atol=2e-2)


def test_flex_attention_scores_as_sdpa_does(checkpoint, make_batch):
    batch, found = make_batch(), {}
    for implementation in ("sdpa", FLEX):
        backbone = Backbone.load(str(checkpoint), attn_implementation=implementation)
        scores = backbone.score(batch)
        sft_loss(scores.logps, batch.num_items_in_batch).backward()
        found[implementation] = (scores.logps, {name: p.grad for name, p in backbone.named_parameters()})
    (logps, gradients), (flex_logps, flex_gradients) = found["sdpa"], found[FLEX]
    torch.testing.assert_close(flex_logps, logps, rtol=0, atol=1e-5)
    for name, gradient in gradients.items():
        torch.testing.assert_close(flex_gradients[name], gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_flex_attention_answers_as_sdpa_does(checkpoint, make_batch):
    answers = [
        generate(
            Backbone.load(str(checkpoint), attn_implementation=implementation).eval(),
            make_batch(with_answer=False),
            max_new_tokens=8,
            eos_token_id=0,
        )
        for implementation in ("sdpa", FLEX)
    ]
    assert [one.tokens.tolist() for one in answers[0]] == [one.tokens.tolist() for one in answers[1]]


@pytest.mark.gpu
def test_the_compiled_kernel_scores_as_sdpa_does_on_a_gpu(checkpoint, make_batch):
    batch = make_batch().to("cuda")
    logps = [
        Backbone.load(str(checkpoint), attn_implementation=implementation).cuda().score(batch).logps
        for implementation in ("sdpa", FLEX)
    ]
    torch.testing.assert_close(logps[1], logps[0], rtol=0, atol=1e-3)


@pytest.mark.gpu
def test_flash_attention_encodes_as_sdpa_does(checkpoint, make_batch):
    pytest.importorskip("flash_attn")
    batch = make_batch().to("cuda")
    logps = []
    for implementation in ("sdpa", FLASH):
        backbone = Backbone.load(str(checkpoint), attn_implementation=implementation).cuda()
        with torch.autocast("cuda", torch.bfloat16):
            logps.append(backbone.score(batch).logps)
    torch.testing.assert_close(logps[1], logps[0], rtol=0, atol=5e-2)


def test_other_backends_are_refused(checkpoint):
    with pytest.raises(
        InputError, match="'paged' cannot attend over trees; use sdpa, flex_attention, flash_attention_2"
    ):
        Backbone.load(str(checkpoint), attn_implementation="paged")


@pytest.mark.skipif(is_flash_attn_2_available(), reason="flash-attn is installed")
def test_flash_attention_that_is_not_there_is_named(checkpoint):
    with pytest.raises(InputError, match="needs a GPU and the package flash-attn"):
        Backbone.load(str(checkpoint), attn_implementation=FLASH)

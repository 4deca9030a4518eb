"""What batches make a model compute, worked by hand."""

from dataclasses import replace

import pytest
import torch

from videmo.data.chat import encode_record
from videmo.data.trees import Sample, build_trees, empty_tree
from videmo.models.tree_attention import tree_mask
from videmo.plan.work import plain_work, tree_work, visible_pairs
from videmo.token_tree import IGNORE_INDEX, Segment, TokenTree, flatten


@pytest.fixture
def make_batch(make_record, make_video, tokenizer, layout):
    videos = {"a": make_video(2, 4, 6, seed=1), "b": make_video(3, 8, 10, seed=2)}

    def make(max_branches, *names):
        samples = [
            Sample(encode_record(make_record("<video>Sad?", "Yes", (name,)), tokenizer), (videos[name],), (name,))
            for name in names
        ]
        return flatten(build_trees(samples, layout.video_token_id, max_branches), layout)

    return make


def segment(size, sample=None):
    ids = torch.full((size,), 5)
    return Segment(ids, torch.full_like(ids, IGNORE_INDEX), sample=sample)


def test_shared_videos_are_encoded_once_and_the_plain_path_pays_for_each_sample(make_batch, layout):
    batch = make_batch(8, "a", "a", "a", "b")
    shared, plain = tree_work(batch), plain_work(batch, layout.video_token_id)
    assert (shared.patches, shared.frames) == (2 * 4 * 6 + 3 * 8 * 10, 2 + 3)
    assert (plain.patches, plain.frames) == (3 * 2 * 4 * 6 + 3 * 8 * 10, 3 * 2 + 3)
    alone = [make_batch(1, name).input_ids.shape[1] for name in ("a", "a", "a", "b")]
    assert plain.tokens == sum(alone)
    assert plain.seen * plain.tokens == pytest.approx(sum(n * (n + 1) for n in alone) / 2)
    assert shared.learned == batch.num_label_tokens
    assert plain.learned == plain.tokens  # whose loss has logits of all


def test_without_sharing_both_are_the_same(make_batch, layout):
    batch = make_batch(1, "a", "a", "b")
    plain = plain_work(batch, layout.video_token_id)
    assert tree_work(batch) == replace(plain, learned=batch.num_label_tokens)


def test_what_was_encoded_before_is_not_encoded_again(make_batch, layout):
    batch = make_batch(8, "a", "b")
    batch.video_features = {0: torch.zeros(12, 8)}
    assert tree_work(batch).patches in (2 * 4 * 6, 3 * 8 * 10)
    assert plain_work(batch, layout.video_token_id).patches == 2 * 4 * 6 + 3 * 8 * 10


def test_attention_counts_what_the_mask_shows_and_padding_counts_nowhere(layout):
    tree, short = TokenTree(), TokenTree()
    root = tree.add(segment(9))
    for sample in range(3):
        tree.add(segment(5, sample), root)
    short.add(segment(7, 3))
    batch = flatten([tree, short], layout)
    work = tree_work(batch)
    assert batch.input_ids.numel() == 2 * 24 and work.tokens == 24 + 7
    assert work.seen * work.tokens == tree_mask(batch.subtree_end).sum() - (24 - 7)
    assert work.seen * work.tokens == pytest.approx(visible_pairs(9, [5, 5, 5]) + visible_pairs(0, [7]))


def test_text_has_no_patches(layout):
    batch = flatten([TokenTree([segment(300, 0)], [None])], layout)
    assert (tree_work(batch).patches, plain_work(batch, layout.video_token_id).frames) == (0, 0)


def test_a_batch_whose_samples_were_all_left_out_has_no_work(layout):
    batch = flatten([empty_tree(layout)], layout)
    assert tree_work(batch).tokens == plain_work(batch, layout.video_token_id).tokens == 0

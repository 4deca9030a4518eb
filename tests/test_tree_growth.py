"""Answers grown beneath their questions against the trees that hold them as segments, and joined batches against single
ones.
"""

from dataclasses import replace

import pytest
import torch

from videmo import token_tree
from videmo.data.trees import build_trees, empty_tree
from videmo.token_tree import IGNORE_INDEX, Segment, TokenLayout, TokenTree, TreeBatch, flatten, pack
from videmo.tree_growth import grow, join, with_features

QUESTIONS = [
    ("<video>What emotion?", ("a",)),
    ("<video>What hair does the woman have?", ("a",)),
    ("<video><video>Yes?", ("a", "b")),
    ("Sad?<video>", ("b",)),
    ("<video>AU1?", ("a",)),
    ("What?", ()),
    ("What emotion does the person show?", ()),
]
TENSORS = ("input_ids", "labels", "position_ids", "predecessor", "subtree_end", "sample", "leaf_row", "leaf_column")

_LAYOUT = TokenLayout(video_token_id=-1, pad_token_id=0, tokens_per_second=1.0, merge_size=1)
NOTHING = flatten([empty_tree(_LAYOUT)], _LAYOUT)


@pytest.fixture
def batch_of(make_prompts, layout):
    """A function from numbers of the questions to their trees, which rows those stand in, and the batch."""

    def make(numbers, capacity=None, branches=8):
        samples = make_prompts([QUESTIONS[number] for number in numbers])
        trees = build_trees(samples, layout.video_token_id, branches)
        rows = pack([tree.num_tokens for tree in trees], capacity)
        return trees, rows, flatten(trees, layout, records=tuple(numbers), capacity=capacity)

    return make


def some_answers(number: int, num_generations: int) -> list[list[torch.Tensor]]:
    """Answers of 1 to 9 tokens."""
    draw = torch.Generator().manual_seed(number)
    sizes = torch.randint(1, 10, (number, num_generations), generator=draw).tolist()
    return [[torch.randint(5, 40, (size,), generator=draw) for size in group] for group in sizes]


def with_segments(tree: TokenTree, answers: list[list[torch.Tensor]]) -> TokenTree:
    """The same tree with answers as segments of their own."""
    grown = TokenTree()
    for segment, parent in zip(tree.segments, tree.parents, strict=True):
        quiet = torch.full_like(segment.labels, IGNORE_INDEX)
        grown.add(replace(segment, labels=quiet, sample=None), parent)
    for node, segment in enumerate(tree.segments):
        if segment.sample is not None:
            group = answers[segment.sample]
            for number, ids in enumerate(group):
                grown.add(Segment(ids, ids, sample=segment.sample * len(group) + number), parent=node)
    return grown


@pytest.mark.parametrize("capacity", [None, 120, 10_000], ids=["rows", "few rows", "one row"])
@pytest.mark.parametrize("branches", [1, 8], ids=["alone", "shared"])
@pytest.mark.parametrize("num_generations", [1, 3])
def test_grown_trees_are_those_flattened_with_their_answers(
    capacity, branches, num_generations, batch_of, layout, monkeypatch
):
    layout = replace(layout, pad_token_id=0)
    trees, rows, batch = batch_of(range(len(QUESTIONS)), capacity, branches)
    answers = some_answers(len(QUESTIONS), num_generations)
    grown = grow(batch, answers)
    monkeypatch.setattr(token_tree, "pack", lambda lengths, capacity: rows)  # answers change how rows would be filled
    expected = flatten([with_segments(tree, answers) for tree in trees], layout)
    padding = (expected.predecessor < 0) & (expected.subtree_end == torch.arange(expected.input_ids.shape[1]) + 1)
    assert torch.equal(grown.input_ids.masked_fill(padding, 0), expected.input_ids.masked_fill(padding, 0))
    for name in TENSORS[1:]:
        assert torch.equal(getattr(grown, name), getattr(expected, name)), name
    assert torch.equal(grown.pixel_values_videos, expected.pixel_values_videos)
    assert grown.videos == expected.videos and torch.equal(grown.video_grid_thw, expected.video_grid_thw)
    assert grown.num_items_in_batch == expected.num_items_in_batch == sum(len(ids) for g in answers for ids in g)
    assert grown.records == tuple(number for number in range(len(QUESTIONS)) for _ in range(num_generations))


def test_text_alone_grows_as_well(batch_of):
    _, _, batch = batch_of([5, 6])
    answers = some_answers(2, 2)
    grown = grow(batch, answers)
    assert grown.video_grid_thw is None
    learned = grown.labels != IGNORE_INDEX
    for number, ids in enumerate(ids for group in answers for ids in group):
        assert grown.labels[learned & (grown.sample == number)].tolist() == ids.tolist()


def test_earlier_answers_of_a_conversation_are_not_learned(batch_of):
    _, _, batch = batch_of([0])
    batch.labels[0, 3] = batch.input_ids[0, 3]
    assert grow(batch, some_answers(1, 2)).num_label_tokens == sum(len(ids) for ids in some_answers(1, 2)[0])


def test_nobody_to_answer_leaves_a_batch_as_it_is():
    batch = NOTHING
    assert grow(batch, []) is batch


def rows_of(batch: TreeBatch, length: int) -> list[dict[str, list]]:
    """Each row without its padding up to a length."""
    names = ("input_ids", "labels", "predecessor", "subtree_end", "sample")
    return [
        {name: getattr(batch, name)[row, :length].tolist() for name in names}
        | {"positions": batch.position_ids[:, row, :length].tolist()}
        for row in range(len(batch.input_ids))
    ]


def test_joined_batches_score_as_each_by_itself(batch_of, backbone):
    parts = [batch_of(numbers)[2] for numbers in ([0, 1, 2], [5], [3, 4, 6])]
    joined = join([parts[0], NOTHING, *parts[1:]])
    assert joined.records == (0, 1, 2, 5, 3, 4, 6) and joined.num_samples == 7
    assert joined.videos == tuple(video for part in parts for video in part.videos)
    row = samples = 0
    for part in (parts[0], NOTHING, *parts[1:]):
        number, length = part.input_ids.shape
        own = rows_of(replace(part, sample=torch.where(part.sample < 0, -1, part.sample + samples)), length)
        assert rows_of(joined, length)[row : row + number] == own
        assert joined.leaf_row[samples : samples + part.num_samples].tolist() == (part.leaf_row + row).tolist()
        row, samples = row + number, samples + part.num_samples
    answers = some_answers(7, 2)
    whole = backbone.score(grow(joined, answers)).logps
    alone = [
        backbone.score(grow(part, answers[a:b])).logps
        for part, (a, b) in zip(parts, [(0, 3), (3, 4), (4, 7)], strict=True)
    ]
    torch.testing.assert_close(whole, torch.cat(alone), rtol=1e-5, atol=1e-5)


def test_features_and_promises_are_numbered_anew_when_batches_are_joined(batch_of):
    first, second = batch_of([2])[2], batch_of([0, 3])[2]  # videos a and b each
    first = with_features(first, {1: torch.ones(12, 8)})
    second = replace(with_features(second, {0: torch.ones(12, 8)}), video_features={}, promised=(0,))
    joined = join([first, second])
    assert len(joined.videos) == 4
    assert list(joined.video_features) == [1] and joined.promised == (2,)
    kept = [first.pixel_values_videos, second.pixel_values_videos]
    assert torch.equal(joined.pixel_values_videos, torch.cat(kept))
    assert len(kept[0]) == 48 and len(kept[1]) == 48  # patches of a, and of b

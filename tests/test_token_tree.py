"""Shared trees against separate samples: the same loss, the same gradients, whatever is packed with what."""

import pytest
import torch

from videmo.data.chat import encode_record
from videmo.data.trees import Sample, build_trees
from videmo.losses.sft import sft_loss
from videmo.models.tree_attention import tree_mask
from videmo.token_tree import Segment, TokenTree, flatten, pack

CONVERSATIONS = [
    (("<video>What emotion?", "Happy"), ("a",)),
    (("<video>What hair does the woman have? A. Happy B. Sad", "The woman has short black hair."), ("a",)),
    (("<video><video>Yes?", "Yes"), ("a", "b")),
    (("Sad?<video>", "Yes", "What?", "AU1, AU12"), ("b",)),
    (("<video>Sad?", "Yes", "What emotion?", "Sad"), ("a",)),
    (("What emotion?", "Sad"), ()),
    (("<video>What emotion?", "Sad"), ("b",)),
]


@pytest.fixture
def samples(make_record, make_video, tokenizer):
    videos = {"a": make_video(2, 4, 6, seed=1, second_per_grid=1.25), "b": make_video(3, 4, 4, seed=2)}
    return [
        Sample(
            encode_record(make_record(turns[0], turns[1], names, *turns[2:]), tokenizer),
            tuple(videos[n] for n in names),
            names,
        )
        for turns, names in CONVERSATIONS
    ]


def loss_and_gradients(backbone, batches):
    """The exact mean over the answer tokens of all batches, and its gradients."""
    backbone.zero_grad()
    num_items = sum(b.num_label_tokens for b in batches)
    total = 0.0
    for batch in batches:
        loss = sft_loss(backbone.score(batch).logps, num_items)
        loss.backward()
        total += loss.item()
    return total, {name: p.grad.clone() for name, p in backbone.named_parameters() if p.grad is not None}


def test_a_tree_gives_the_loss_and_gradients_of_plain_samples(samples, backbone, layout):
    trees = build_trees(samples, layout.video_token_id, max_branches=8)
    assert len(trees) == 5  # three records share video a, one root each for the others
    shared_loss, shared = loss_and_gradients(backbone, [flatten(trees, layout)])
    plain_loss, plain = loss_and_gradients(
        backbone, [flatten(build_trees([s], layout.video_token_id), layout) for s in samples]
    )
    assert shared_loss == pytest.approx(plain_loss, rel=1e-5)
    assert shared.keys() == plain.keys()
    for name in plain:
        largest = plain[name].abs().max()
        if largest > 1e-7:  # the key biases of softmax attention have a gradient of exactly zero, up to rounding
            assert (shared[name] - plain[name]).abs().max() / largest < 1e-4, name


def test_plain_samples_give_the_loss_of_transformers(samples, backbone, layout):
    for sample in samples:
        batch = flatten(build_trees([sample], layout.video_token_id), layout)
        expected = backbone.model(
            input_ids=batch.input_ids,
            labels=batch.labels,
            pixel_values_videos=batch.pixel_values_videos,
            video_grid_thw=batch.video_grid_thw,
            second_per_grid_ts=torch.tensor([v.second_per_grid for v in sample.videos]) if sample.videos else None,
            mm_token_type_ids=2 * (batch.input_ids == layout.video_token_id).int(),
        ).loss
        ours = sft_loss(backbone.score(batch).logps, batch.num_items_in_batch)
        assert ours.item() == pytest.approx(expected.item(), rel=1e-5)


def test_answers_of_one_question_as_nodes_give_the_same_scores(backbone, layout, make_video, tokenizer):
    """The tree of GRPO, video -> question -> answers: each answer's first token comes from the question's end."""
    video = make_video()
    start, end = tokenizer("Sad?<|vision_start|>").input_ids, tokenizer("What?").input_ids
    answers = [tokenizer(text).input_ids for text in ("Yes", "The woman has short black hair.", "Happy")]
    root = torch.tensor(start + [layout.video_token_id] * video.num_tokens)
    ignored = torch.full_like

    def add(tree, ids, parent=None, videos=(), learned=False, sample=None):
        ids = torch.as_tensor(ids)
        return tree.add(Segment(ids, ids if learned else ignored(ids, -100), videos, sample), parent)

    shared = TokenTree()
    question = add(shared, end, add(shared, root, videos=(video,)))
    for number, answer in enumerate(answers):
        add(shared, answer, question, learned=True, sample=number)
    together = backbone.score(flatten([shared], layout)).logps
    separate = []
    for answer in answers:
        ids = torch.cat((root, torch.tensor(end + answer)))
        labels = torch.cat((ignored(ids[: -len(answer)], -100), torch.tensor(answer)))
        plain = TokenTree()
        plain.add(Segment(ids, labels, (video,), 0))
        separate.append(backbone.score(flatten([plain], layout)).logps)
    torch.testing.assert_close(together, torch.cat(separate), rtol=1e-5, atol=1e-5)


def test_a_token_sees_its_ancestors_and_its_own_past_only():
    tree = TokenTree()
    one, none = torch.tensor([1, 1]), torch.tensor([-100, -100])
    root = tree.add(Segment(one, none))
    left = tree.add(Segment(one, none), root)
    tree.add(Segment(one, none, sample=0), left)
    tree.add(Segment(one, none, sample=1), root)
    layout = type("Layout", (), {"video_token_id": 9, "pad_token_id": 0, "tokens_per_second": 2, "merge_size": 2})
    other = TokenTree()
    other.add(Segment(torch.tensor([1]), torch.tensor([-100]), sample=2))
    batch = flatten([tree, other], layout, capacity=9)
    mask = tree_mask(batch.subtree_end)[0].int().tolist()
    assert mask == [
        [1, 0, 0, 0, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 1, 0, 0],
        [1, 1, 0, 0, 0, 0, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 1],
    ]
    assert batch.predecessor[0].tolist() == [-1, 0, 1, 2, 3, 4, 1, 6, -1]
    assert batch.position_ids[0, 0].tolist() == [0, 1, 2, 3, 4, 5, 2, 3, 0]


def test_packing_fills_rows_and_drops_nothing():
    lengths = [5, 9, 3, 4, 1, 9]
    rows = pack(lengths)
    assert sorted(i for row in rows for i in row) == list(range(6))
    assert all(sum(lengths[i] for i in row) <= 9 for row in rows)
    assert len(rows) == 4


def test_the_first_token_of_a_root_cannot_be_learned():
    with pytest.raises(ValueError, match="nothing precedes it"):
        TokenTree().add(Segment(torch.tensor([1]), torch.tensor([1])))

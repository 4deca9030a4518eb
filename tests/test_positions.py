"""Positions against transformers' own ``get_rope_index`` (>= 5.18, which no longer truncates fractional rates)."""

from dataclasses import replace

import pytest
import torch

from videmo.data.chat import encode_record
from videmo.data.trees import Sample, build_trees
from videmo.models.tree_attention import tree_mask
from videmo.token_tree import flatten


def ours(samples, layout, max_branches=8):
    return flatten(build_trees(samples, layout.video_token_id, max_branches), layout)


def theirs(backbone, input_ids, videos):
    """[3, S] of one sequence."""
    model = backbone.model.model
    positions, _ = model.get_rope_index(
        input_ids[None],
        mm_token_type_ids=2 * (input_ids[None] == model.config.video_token_id).int(),
        video_grid_thw=torch.tensor([v.grid_thw for v in videos]) if videos else None,
        second_per_grid_ts=torch.tensor([v.second_per_grid for v in videos]) if videos else None,
    )
    return positions[:, 0]


@pytest.fixture
def sample(make_record, tokenizer):
    def make(question, *videos):
        names = tuple(f"{i}.mp4" for i in range(len(videos)))
        return Sample(encode_record(make_record(question, "Yes", names), tokenizer), videos, names)

    return make


@pytest.mark.parametrize("fps", [0.8, 1, 1.6, 2, 4, 8])
def test_video_positions_equal_transformers(fps, sample, make_video, backbone, layout):
    video = make_video(5, 4, 6, second_per_grid=2 / fps)
    batch = ours([sample("<video>What emotion?", video)], layout)
    assert torch.equal(batch.position_ids[:, 0], theirs(backbone, batch.input_ids[0], [video]))


def test_text_only_positions_equal_transformers(sample, backbone, layout):
    batch = ours([sample("What emotion?")], layout)
    assert torch.equal(batch.position_ids[:, 0], theirs(backbone, batch.input_ids[0], []))


@pytest.mark.parametrize("question", ["<video><video>Same?", "Same?<video> or <video>", "Look: <video> and <video>?"])
def test_two_videos_of_different_shape_equal_transformers(question, sample, make_video, backbone, layout):
    videos = [make_video(3, 4, 6, second_per_grid=1.25), make_video(2, 8, 4, second_per_grid=0.5)]
    batch = ours([sample(question, *videos)], layout)
    assert torch.equal(batch.position_ids[:, 0], theirs(backbone, batch.input_ids[0], videos))


@pytest.mark.parametrize("fps", [0.8, 1.6, 4])
def test_each_branch_has_the_positions_of_its_own_sequence(fps, sample, make_video, backbone, layout):
    video = make_video(4, 4, 6, second_per_grid=2 / fps)
    questions = ["<video>What emotion?", "<video>What hair does the woman have?", "<video>Yes?"]
    shared = ours([sample(q, video) for q in questions], layout)
    assert shared.input_ids.shape[0] == 1
    for number, question in enumerate(questions):
        alone = ours([sample(question, video)], layout)
        path = tree_mask(shared.subtree_end)[0, shared.leaf_column[number]]
        assert torch.equal(shared.position_ids[:, 0, path], theirs(backbone, alone.input_ids[0], [video]))


def test_a_wrong_number_of_placeholders_is_refused(sample, make_video, layout):
    trees = build_trees([sample("<video>What?", make_video(2, 4, 6))], layout.video_token_id)
    root = trees[0].segments[0]
    trees[0].segments[0] = replace(root, videos=(make_video(4, 4, 6),))
    with pytest.raises(ValueError, match="12 video placeholders for videos of 24 tokens"):
        flatten(trees, layout)

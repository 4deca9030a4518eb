"""Greedy generation from a shared prefill against ``transformers.generate`` on separate prompts."""

import pytest
import torch

from videmo.data.trees import build_trees
from videmo.models.generation import generate
from videmo.models.sampling import Sampling
from videmo.token_tree import flatten

QUESTIONS = [
    ("<video>What emotion?", ("a",)),
    ("<video>What hair does the woman have?", ("a",)),
    ("<video><video>Yes?", ("a", "b")),
    ("Sad?<video>", ("b",)),
    ("<video>AU1?", ("b",)),
    ("What?", ()),
]


@pytest.fixture
def samples(make_prompts):
    return make_prompts(QUESTIONS)


@pytest.fixture
def decisive(backbone):
    """A random model repeats one token; larger weights make its answers differ."""
    with torch.no_grad():
        for p in backbone.parameters():
            p.mul_(3.0 if p.ndim > 1 else 1.0)
    return backbone.eval()


@pytest.mark.parametrize(
    ("max_branches", "num_generations", "chosen"),
    [(1, 1, None), (8, 1, None), (8, 3, None), (8, 3, [4, 0, 5]), (1, 2, [2])],
)
def test_greedy_answers_equal_transformers_generate(max_branches, num_generations, chosen, samples, decisive, layout):
    batch = flatten(build_trees(samples, layout.video_token_id, max_branches), layout)
    # Take a token that some answers contain as the stop token, so that branches end at different steps.
    free = generate(decisive, batch, max_new_tokens=12, eos_token_id=-1)
    eos = int(free[0].tokens[4])
    subset = None if chosen is None else torch.tensor(chosen)
    answers = generate(
        decisive, batch, max_new_tokens=12, eos_token_id=eos, num_generations=num_generations, samples=subset
    )
    asked = samples if chosen is None else [samples[number] for number in chosen]
    assert len({tuple(a.tokens.tolist()) for a in answers}) > 1 or len(asked) == 1
    config = decisive.config
    banned = [config.image_token_id, config.video_token_id, config.vision_start_token_id, config.vision_end_token_id]
    for sample, answer in zip([s for s in asked for _ in range(num_generations)], answers, strict=True):
        alone = flatten(build_trees([sample], layout.video_token_id), layout)
        video = {
            "pixel_values_videos": alone.pixel_values_videos,
            "video_grid_thw": alone.video_grid_thw,
            "second_per_grid_ts": torch.tensor([v.second_per_grid for v in sample.videos]),
            "mm_token_type_ids": 2 * (alone.input_ids == layout.video_token_id).int(),
        }
        expected = decisive.model.generate(
            input_ids=alone.input_ids,
            attention_mask=torch.ones_like(alone.input_ids),
            **(video if sample.videos else {}),
            do_sample=False,
            max_new_tokens=12,
            eos_token_id=eos,
            suppress_tokens=banned,
        )[0, alone.input_ids.shape[1] :].tolist()
        ended = expected[-1] == eos
        assert answer.tokens.tolist() == (expected[:-1] if ended else expected)
        assert answer.finished == ended


def test_log_probabilities_are_those_of_scoring_the_answer(samples, decisive, layout):
    batch = flatten(build_trees(samples[:2], layout.video_token_id, 8), layout)
    for sample, answer in zip(samples, generate(decisive, batch, max_new_tokens=6, eos_token_id=-1), strict=False):
        tree = build_trees([sample], layout.video_token_id)[0]
        ids = answer.tokens
        tree.segments[-1] = type(tree.segments[-1])(tree.segments[-1].input_ids, tree.segments[-1].labels)
        tree.add(type(tree.segments[-1])(ids, ids, sample=0), parent=1)
        scored = decisive.score(flatten([tree], layout)).logps
        torch.testing.assert_close(answer.logps, scored, rtol=1e-4, atol=1e-4)


def test_vision_placeholders_are_never_generated(samples, decisive, layout):
    with torch.no_grad():  # make the placeholder by far the likeliest token
        hidden = decisive.model.lm_head.weight
        hidden[decisive.config.video_token_id] = hidden.mean(0) * 100
    batch = flatten(build_trees(samples, layout.video_token_id, 8), layout)
    for answer in generate(decisive, batch, max_new_tokens=4, eos_token_id=-1):
        assert decisive.config.video_token_id not in answer.tokens.tolist()


def test_nobody_to_answer_has_no_answers(samples, decisive, layout):
    batch = flatten(build_trees(samples, layout.video_token_id), layout)
    none = torch.tensor([], dtype=torch.long)
    for sampling in (None, Sampling(top_p=0.9, top_k=3)):
        assert generate(decisive, batch, max_new_tokens=3, eos_token_id=-1, sampling=sampling, samples=none) == []


def test_training_mode_is_refused(samples, backbone, layout):
    batch = flatten(build_trees(samples, layout.video_token_id), layout)
    with pytest.raises(ValueError, match=r"eval\(\)"):
        generate(backbone.train(), batch, max_new_tokens=1, eos_token_id=-1)

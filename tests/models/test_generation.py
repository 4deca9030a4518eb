"""Greedy generation from a shared prefill against ``transformers.generate`` on separate prompts."""

import pytest
import torch

from videmo.data.trees import build_trees
from videmo.models.generation import TreeDecoder, generate
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


def plain_continuation(model, samples, layout, eos, turns, max_new_tokens):
    """transformers' own greedy answers, turn after turn, each from the whole dialogue anew."""
    config = model.config
    banned = [config.image_token_id, config.video_token_id, config.vision_start_token_id, config.vision_end_token_id]
    answers = []
    for sample, own in zip(samples, turns, strict=True):
        alone = flatten(build_trees([sample], layout.video_token_id), layout)
        video = {
            "pixel_values_videos": alone.pixel_values_videos,
            "video_grid_thw": alone.video_grid_thw,
            "second_per_grid_ts": torch.tensor([v.second_per_grid for v in sample.videos]),
        }
        ids, found = alone.input_ids, []
        for turn in (None, *own):
            if turn is not None:
                ids = torch.cat((ids, turn[None]), dim=1)
            before = ids.shape[1]
            kinds = {"mm_token_type_ids": 2 * (ids == layout.video_token_id).int()}
            ids = model.model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                **(video | kinds if sample.videos else {}),
                do_sample=False,
                max_new_tokens=max_new_tokens,
                eos_token_id=eos,
                suppress_tokens=banned,
            )
            new = ids[0, before:].tolist()
            found.append(new[:-1] if new[-1] == eos else new)
        answers.append(found)
    return answers


@pytest.mark.parametrize("max_branches", [1, 8])
def test_turn_after_turn_equals_transformers_generate_on_the_whole_dialogue(max_branches, samples, decisive, layout):
    """Leaves that branch, go on from one of several, or are cut by the limit; what is not gone on from is forgotten."""
    batch = flatten(build_trees(samples, layout.video_token_id, max_branches), layout)
    free = generate(decisive, batch, max_new_tokens=12, eos_token_id=-1)
    eos = int(free[0].tokens[4])
    chosen, given = [4, 0, 3], [([7, 8, 9], [5]), ([3], [4, 6]), ([11, 12], [9, 8, 7, 6])]
    turns = [[torch.tensor(turn) for turn in own] for own in given]
    expected = plain_continuation(decisive, [samples[n] for n in chosen], layout, eos, turns, 6)
    decoder = TreeDecoder(decisive, batch)
    found = [[] for _ in chosen]
    for turn in range(3):
        if turn:
            decoder.feed([own[turn - 1] for own in turns])
            decoder.branch(torch.arange(3).repeat_interleave(2))
        answers = decoder.draw(max_new_tokens=6, eos_token_id=eos)
        goes_on = torch.tensor(chosen if turn == 0 else [1, 2, 5])
        for own, leaf in zip(found, goes_on.tolist(), strict=True):
            own.append(answers[leaf].tokens.tolist())
        width = decoder._sees.shape[1] + decoder._owner.shape[1]
        decoder.branch(goes_on)
        assert decoder._cache.get_seq_length() == decoder._sees.shape[1] < width
    assert found == expected


def test_what_decides_a_draw_decides_it_in_any_company(samples, decisive, layout):
    """The same numbers draw the same tokens, alone or beside others; and other numbers other ones."""
    sampling, length = Sampling(1.0, top_p=0.95), 8
    draws = torch.rand(len(samples) * 3, length, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    batch = flatten(build_trees(samples, layout.video_token_id, 8), layout)
    decoder = TreeDecoder(decisive, batch)
    decoder.branch(torch.arange(len(samples)).repeat_interleave(3))
    together = decoder.draw(max_new_tokens=length, eos_token_id=-1, sampling=sampling, draws=draws)
    assert len({tuple(one.tokens.tolist()) for one in together}) > len(samples)
    for number, sample in enumerate(samples):
        alone = TreeDecoder(decisive, flatten(build_trees([sample], layout.video_token_id), layout))
        alone.branch(torch.zeros(3, dtype=torch.long))
        own = alone.draw(
            max_new_tokens=length, eos_token_id=-1, sampling=sampling, draws=draws[3 * number : 3 * number + 3]
        )
        for one, other in zip(own, together[3 * number :], strict=False):
            assert one.tokens.tolist() == other.tokens.tolist()


def test_draws_by_given_numbers_have_the_distribution():
    """Evenly spread numbers draw each token as often as it is likely, and none that is impossible."""
    logits = torch.tensor([0.1, 2.0, -1.0, float("-inf"), 0.5])
    even = (torch.arange(10_000, dtype=torch.float64) + 0.5) / 10_000
    drawn = Sampling().draw(logits.expand(len(even), -1), even)
    shares = torch.bincount(drawn, minlength=5) / len(even)
    torch.testing.assert_close(shares, logits.softmax(-1), rtol=0, atol=1e-4)
    extremes = torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64)
    assert Sampling().draw(logits.roll(1).expand(2, -1), extremes).tolist() == [0, 3]


def test_more_is_not_drawn_before_the_next_turn(samples, decisive, layout):
    decoder = TreeDecoder(decisive, flatten(build_trees(samples, layout.video_token_id), layout))
    decoder.draw(max_new_tokens=2, eos_token_id=-1)
    with pytest.raises(AssertionError, match="feed the next"):
        decoder.draw(max_new_tokens=2, eos_token_id=-1)

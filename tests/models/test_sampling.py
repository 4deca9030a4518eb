"""What is drawn, and what its log-probabilities are of, against plain transformers and counted draws."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from videmo.data.trees import build_trees
from videmo.errors import InputError
from videmo.models.generation import generate
from videmo.models.sampling import Distribution, Sampling
from videmo.token_tree import flatten

DRAWS = 20_000
FEWER = 4_000
QUESTIONS = [
    ("<video>What emotion?", ("a",)),
    ("<video>What hair does the woman have?", ("a",)),
    ("<video>Yes?", ("b",)),
    ("What?", ()),
]


@pytest.fixture
def prompts(make_prompts, layout):
    return flatten(build_trees(make_prompts(QUESTIONS), layout.video_token_id, 8), layout)


@pytest.fixture
def model(backbone):
    """One whose likeliest next tokens are the vision placeholders, and the others uneven."""
    with torch.no_grad():
        for p in backbone.parameters():
            p.mul_(2.0 if p.ndim > 1 else 1.0)
        head = backbone.model.lm_head.weight
        for token in placeholders(backbone):
            head[token] = 100 * head.mean(0)
    return backbone.eval()


def placeholders(backbone) -> list[int]:
    config = backbone.config
    return [config.image_token_id, config.video_token_id, config.vision_start_token_id, config.vision_end_token_id]


def plain_logits(model, sample, layout) -> torch.Tensor:
    """transformers' own of the token that follows a prompt, [vocabulary]."""
    alone = flatten(build_trees([sample], layout.video_token_id), layout)
    given = {
        "pixel_values_videos": alone.pixel_values_videos,
        "video_grid_thw": alone.video_grid_thw,
        "second_per_grid_ts": torch.tensor([v.second_per_grid for v in sample.videos]),
        "mm_token_type_ids": 2 * (alone.input_ids == layout.video_token_id).int(),
    }
    with torch.no_grad():
        return model.model(input_ids=alone.input_ids, **(given if sample.videos else {})).logits[0, -1]


def expected_log_probabilities(model, sample, layout, temperature: float) -> torch.Tensor:
    """In float64, from plain logits, [vocabulary]."""
    logits = plain_logits(model, sample, layout).double()
    logits[placeholders(model)] = -math.inf
    return (logits / temperature).log_softmax(-1)


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.5])
def test_log_probabilities_of_draws_are_those_of_plain_transformers(temperature, prompts, model, make_prompts, layout):
    torch.manual_seed(0)
    answers = generate(
        model, prompts, max_new_tokens=1, eos_token_id=-1, sampling=Sampling(temperature), num_generations=50
    )
    for number, sample in enumerate(make_prompts(QUESTIONS)):
        expected = expected_log_probabilities(model, sample, layout, temperature)
        for answer in answers[50 * number : 50 * (number + 1)]:
            assert answer.logps.item() == pytest.approx(expected[answer.tokens.item()].item(), abs=1e-5)


def first_tokens(model, prompts, sampling: Sampling, draws: int = DRAWS) -> np.ndarray:
    """How often each token was drawn first, for the second prompt, [vocabulary]."""
    torch.manual_seed(1)
    answers = generate(
        model,
        prompts,
        max_new_tokens=1,
        eos_token_id=-1,
        sampling=sampling,
        num_generations=draws,
        samples=torch.tensor([1]),
    )
    return np.bincount([answer.tokens.item() for answer in answers], minlength=model.model.lm_head.out_features)


@pytest.mark.parametrize("temperature", [0.7, 1.3])
def test_draws_are_as_frequent_as_they_are_probable(temperature, prompts, model, make_prompts, layout):
    counts = first_tokens(model, prompts, Sampling(temperature))
    sample = make_prompts(QUESTIONS)[1]
    expected = DRAWS * expected_log_probabilities(model, sample, layout, temperature).exp().numpy()
    often = expected >= 5  # the rule of thumb for the test; the others are one cell together
    observed, expected = ([*values[often], values[~often].sum()] for values in (counts, expected))
    assert often.sum() > 10
    assert chisquare(observed, expected).pvalue > 1e-3
    other = DRAWS * expected_log_probabilities(model, sample, layout, 1.0).exp().numpy()
    assert chisquare(observed, [*other[often], other[~often].sum()]).pvalue < 1e-6  # the test tells temperatures apart


def test_top_p_draws_the_likeliest_that_hold_the_share_and_no_others(prompts, model, make_prompts, layout):
    probabilities = expected_log_probabilities(model, make_prompts(QUESTIONS)[1], layout, 0.7).exp()
    ordered, tokens = probabilities.sort(descending=True)
    kept = tokens[: int((ordered.cumsum(0) < 0.6).sum()) + 1]
    counts = first_tokens(model, prompts, Sampling(0.7, top_p=0.6), FEWER)
    assert set(np.flatnonzero(counts)) == set(kept.tolist())
    share = probabilities[kept] / probabilities[kept].sum()
    assert chisquare(counts[kept.numpy()], FEWER * share.numpy()).pvalue > 1e-3


def test_top_k_draws_the_k_likeliest(prompts, model, make_prompts, layout):
    likeliest = expected_log_probabilities(model, make_prompts(QUESTIONS)[1], layout, 1.0).topk(4).indices
    assert set(np.flatnonzero(first_tokens(model, prompts, Sampling(top_k=4), FEWER))) == set(likeliest.tolist())


def test_the_likeliest_one_is_the_greedy_one(prompts, model):
    greedy = generate(model, prompts, max_new_tokens=8, eos_token_id=-1)
    drawn = generate(model, prompts, max_new_tokens=8, eos_token_id=-1, sampling=Sampling(0.7, top_k=1))
    assert [answer.tokens.tolist() for answer in drawn] == [answer.tokens.tolist() for answer in greedy]
    assert len({tuple(answer.tokens.tolist()) for answer in greedy}) > 1


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(5.0), Sampling(0.3, top_p=0.9), Sampling(top_k=2)])
def test_a_vision_placeholder_is_never_drawn_however_likely(sampling, prompts, model):
    torch.manual_seed(0)
    answers = generate(model, prompts, max_new_tokens=6, eos_token_id=-1, sampling=sampling, num_generations=40)
    drawn = torch.cat([answer.tokens for answer in answers])
    assert not torch.isin(drawn, torch.tensor(placeholders(model))).any()


def test_logits_of_a_distribution_by_hand():
    distribution = Distribution(0.5, torch.tensor([1]))
    logps = distribution(torch.tensor([[0.0, 9.0, math.log(2) / 2]])).log_softmax(-1)
    assert logps.exp()[0].tolist() == pytest.approx([1 / 3, 0, 2 / 3])


@pytest.mark.parametrize(
    ("sampling", "says"),
    [
        (Sampling(0.0), "temperature"),
        (Sampling(top_p=0.0), "top_p is a share of the probability"),
        (Sampling(top_p=1.1), "got 1.1"),
        (Sampling(top_k=-1), "top_k must be 0, for all tokens, or more; got -1"),
    ],
)
def test_what_cannot_be_drawn_by_is_refused(sampling, says):
    with pytest.raises(InputError, match=says):
        sampling.check()

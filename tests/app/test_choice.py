"""Why a candidate won, by hand."""

import math

import pytest

from videmo.app.choice import what_scores_mean, why_chosen, wordings
from videmo.reasoning import Candidate, Step

WHAT = "Describe the person."
WHICH = "What does the person feel?\nA. Sad\nB. Happy"


def step(question: str, texts: list[str], scores: list[float], parts=None, missing=None, logps=None) -> Step:
    """A step whose best candidate is the first of the highest score."""
    logps = logps or [-0.5] * len(texts)
    candidates = [Candidate(text, 0, logp, 5, False) for text, logp in zip(texts, logps, strict=True)]
    best = max(range(len(texts)), key=lambda n: (scores[n], logps[n], -n))
    return Step("emotion", question, candidates, scores, parts or {"consensus": scores}, missing or {}, [best], 0.5, 1)


def test_a_caption_wins_by_its_mean_distance():
    found = step(WHAT, ["a", "b", "c"], [math.exp(-0.31), 0.5, 0.6])
    assert why_chosen(found) == "The smallest mean tree edit distance to the others: 3.1."


def test_a_vote_is_counted_whatever_its_wording():
    texts = ["Sad", "A", "A. Sad", "B", "Happy", "Sad"]
    assert why_chosen(step(WHICH, texts, [0.7, 0.6, 0.6, 0.3, 0.3, 0.7])) == "4 of 6 candidates agree."
    assert why_chosen(step(WHICH, ["Sad"] * 8, [1.0] * 8)) == "All 8 candidates agree."


def test_votes_that_outweigh_more_of_them_are_told_to_be_weighted():
    """2 of 0.9 against 3 of 0.4: 0.6 of all, and 0.4."""
    logps = [math.log(0.9)] * 2 + [math.log(0.4)] * 3
    found = step(WHICH, ["Sad", "A", "B", "B", "Happy"], [0.6, 0.6, 0.4, 0.4, 0.4], logps=logps)
    assert why_chosen(found).startswith(
        "2 of 5 candidates agree, and outweigh 3 that agree on another: a vote counts by how likely its words are"
    )
    even = step(WHICH, ["Sad", "Happy"], [0.7, 0.3], logps=[-0.1, -0.9])
    assert "outweigh 1 that agree on another" in why_chosen(even)


def test_a_legend_says_what_scores_are():
    assert what_scores_mean(step(WHAT, ["a", "b"], [0.5, 0.4])).startswith("how close it is to the other candidates")
    assert what_scores_mean(step(WHICH, ["A", "B"], [0.5, 0.4])).startswith("its share of the candidates' votes")
    assert what_scores_mean(step(WHAT, ["a"], [0.5], {"likelihood": [0.5]})) == "its likelihood"
    mixed = step(WHAT, ["a"], [0.5], {"consensus": [0.5], "judge": [0.5]})
    assert what_scores_mean(mixed) == "what consensus and judge say of it"


@pytest.mark.parametrize(("texts", "says"), [(["a", "b"], "likelier of two"), (["a", "b", "c"], "likeliest of three")])
def test_a_tie_is_told(texts, says):
    tied = step(WHAT, texts, [0.5] * len(texts))
    distance = f"{-math.log(0.5) / 0.1:.1f}"
    assert why_chosen(tied) == f"The smallest mean tree edit distance to the others: {distance}; the {says} that tie."


def test_nothing_to_choose_by_is_told():
    assert why_chosen(step(WHAT, ["a"], [0.5])) == "The only candidate that was drawn."
    assert "was read from any candidate" in why_chosen(step(WHAT, ["a", "b"], [0.0, 0.0]))
    assert why_chosen(step(WHICH, ["x", "y"], [0.0, 0.0])).startswith("No candidate names one of the options")
    assert why_chosen(step(WHAT, ["a", "a"], [1.0, 1.0])) == "All 2 candidates give the same tree."
    silent = step(WHAT, ["a", "b"], [0.0, 0.0], {"judge": [None, None]}, {"judge": "no answer"})
    assert why_chosen(silent) == "No scorer said anything of all candidates: the likeliest was taken."


def test_other_scorers_are_named():
    likely = step(WHAT, ["a", "b"], [0.62, 0.5], {"likelihood": [0.62, 0.5]})
    assert why_chosen(likely) == "The likeliest: its tokens have a mean probability of 0.62."
    judged = step(WHAT, ["a", "b"], [0.8, 0.5], {"judge": [0.8, 0.5]})
    assert why_chosen(judged) == "The highest score of judge: 0.80."
    both = step(WHAT, ["a", "b"], [0.7, 0.5], {"consensus": [0.6, 0.5], "judge": [0.8, 0.5]})
    assert why_chosen(both) == "The highest weighted mean of consensus and judge: 0.70."


def test_each_text_is_listed_once_the_chosen_one_first():
    found = wordings(step(WHAT, ["b", "a", "b", "c"], [0.5, 0.9, 0.5, 0.1], logps=[-1.0, -0.2, -1.0, -3.0]))
    assert [(one.text, one.times, one.chosen) for one in found] == [("a", 1, True), ("b", 2, False), ("c", 1, False)]
    assert found[0].likelihood == pytest.approx(math.exp(-0.2))

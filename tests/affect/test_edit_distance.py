"""Facts about the edit distance: the definition, two libraries on trees of all shapes, and the design's example."""

import math
import random
from importlib import import_module

import pytest
from odd_trees import SHAPES, by_apted, by_definition, by_zss, random_pairs, random_tree

from videmo.affect import AffectiveTree, EditCosts, edit_distance, edit_distances, tree_rewards, zhang_shasha
from videmo.errors import InputError

MODULE = import_module("videmo.affect.edit_distance")  # the package's attribute of that name is the function
TRUTH = AffectiveTree.from_compact("""
    video(person: woman(emotion: sadness(mouth: downturned corners(lips: narrow), brows: furrowed),
                        emotion: -(expression: -(hair: black, hair: long))), scene(lighting: dim))
""")
PREDICTION = AffectiveTree.from_compact("""
    video(person: woman(emotion: sadness(mouth: downturned corners, gaze: down),
                        emotion: -(expression: -(hair: black))), scene(lighting: dim))
""")
COSTS = [
    EditCosts(),
    EditCosts(insert=1.5, delete=0.5, substitute=0.75, substitute_item=0.25),
    EditCosts(insert=0.3, delete=0.7, substitute=0.9, substitute_item=0.1),
    EditCosts(substitute=3, substitute_item=0.5),  # dearer than to delete one and insert the other
    EditCosts(insert=0),
    EditCosts(delete=0, substitute=0),
    EditCosts(insert=2, delete=3, substitute=0, substitute_item=0),
]


def test_the_design_example_has_3_edits_and_a_reward_of_0_741():
    assert edit_distance(PREDICTION, TRUTH) == edit_distance(TRUTH, PREDICTION) == 3
    assert tree_rewards([PREDICTION], [TRUTH]) == [pytest.approx(0.741, abs=5e-4)]


@pytest.mark.parametrize("costs", COSTS, ids=str)
def test_it_is_the_definition_and_that_of_zss(costs):
    preds, targets = random_pairs(0, 200, 7)
    found = edit_distances(preds, targets, costs)
    assert found == pytest.approx([by_definition(*pair, costs) for pair in zip(preds, targets, strict=True)], abs=1e-9)
    preds, targets = random_pairs(1, 120, 16)
    found = edit_distances(preds, targets, costs)
    assert found == pytest.approx([by_zss(*pair, costs) for pair in zip(preds, targets, strict=True)], abs=1e-9)


def test_with_unit_costs_it_is_exactly_that_of_apted_on_a_thousand_pairs():
    preds, targets = random_pairs(2, 1000, 14)
    assert edit_distances(preds, targets) == [by_apted(*pair) for pair in zip(preds, targets, strict=True)]


def test_trees_of_60_nodes_of_every_two_shapes_have_the_distance_of_zss_and_apted():
    rng = random.Random(5)
    trees = [random_tree(rng, 60, shape) for shape in SHAPES]
    pairs = [(one, other) for one in trees for other in trees]
    found = edit_distances(*zip(*pairs, strict=True))
    assert found == [by_apted(*pair) for pair in pairs]
    costs = EditCosts(insert=1.5, delete=0.5, substitute=0.75, substitute_item=0.25)
    some = pairs[::3]
    assert edit_distances(*zip(*some, strict=True), costs) == [by_zss(*pair, costs) for pair in some]


def test_a_single_node_is_kept_or_substituted_within_a_tree():
    leaf, tree = (
        AffectiveTree("brows: raised"),
        AffectiveTree.from_compact("video(person: man(brows: raised, hair: bald))"),
    )
    assert edit_distance(leaf, tree) == 3
    assert edit_distance(leaf, AffectiveTree("brows: furrowed"), EditCosts(substitute_item=0.25)) == 0.25
    assert edit_distance(leaf, AffectiveTree("gaze: down"), EditCosts(substitute_item=0.25)) == 1


def test_insertions_are_what_the_prediction_lacks_and_deletions_what_it_has_too_many():
    few, many = AffectiveTree("video"), AffectiveTree.from_compact("video(person: man(emotion: fear))")
    costs = EditCosts(insert=2, delete=5)
    assert edit_distances([few, many], [many, few], costs) == [4, 10]


def test_equal_trees_are_0_apart_and_equal_pairs_are_computed_once(monkeypatch):
    packed = []
    monkeypatch.setattr(MODULE, "pack", lambda trees: packed.append(len(trees)) or zhang_shasha.pack(trees))
    copy = AffectiveTree.from_compact(str(PREDICTION))
    assert edit_distances([PREDICTION, TRUTH, copy, PREDICTION], [TRUTH] * 4) == [3, 0, 3, 3]
    assert packed == [1, 1]
    assert edit_distances([TRUTH], [TRUTH], COSTS[2]) == [0] and edit_distances([], []) == []


def test_a_batch_larger_than_a_chunk_and_a_block_has_the_same_distances(monkeypatch):
    preds, targets = random_pairs(3, 60, 20)
    whole = edit_distances(preds, targets)
    monkeypatch.setattr(MODULE, "_CHUNK_CELLS", 500)
    monkeypatch.setattr(zhang_shasha, "_BLOCK_CELLS", 50)
    assert edit_distances(preds, targets) == whole


def test_the_normalized_reward_falls_to_exp_of_minus_lambda_where_nothing_is_kept():
    nothing_kept = EditCosts(substitute=2, substitute_item=2)
    pred, target = AffectiveTree.from_compact("mouth: open(lips: thin)"), AffectiveTree("hair: long")
    (reward,) = tree_rewards([pred], [target], edit_lambda=2, normalize=True, costs=nothing_kept)
    assert reward == pytest.approx(math.exp(-2))
    # 3 edits of 12 + 10 nodes
    assert tree_rewards([PREDICTION], [TRUTH], normalize=True) == [pytest.approx(math.exp(-0.1 * 3 / 22))]
    free = EditCosts(0, 0, 0, 0)
    assert tree_rewards([pred, pred], [pred, target], normalize=True, costs=free) == [1, 1]


@pytest.mark.parametrize("cost", [-1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["insert", "delete", "substitute", "substitute_item"])
def test_a_cost_that_is_no_amount_is_refused(name, cost):
    with pytest.raises(InputError, match=f"'{name}' must be 0 or more"):
        EditCosts(**{name: cost})


@pytest.mark.parametrize("edit_lambda", [0, -0.1, math.nan, math.inf])
def test_a_lambda_that_does_not_discount_is_refused(edit_lambda):
    with pytest.raises(InputError, match="edit_lambda must be above 0"):
        tree_rewards([TRUTH], [TRUTH], edit_lambda=edit_lambda)


def test_predictions_without_their_targets_are_refused():
    with pytest.raises(InputError, match="2 predicted trees have 1 targets"):
        tree_rewards([TRUTH, TRUTH], [TRUTH])

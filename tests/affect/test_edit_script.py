"""Facts about edit scripts: they cost what the distance is, their nodes are mapped in order, and they read well."""

import pytest
from odd_trees import random_pairs
from test_edit_distance import COSTS, PREDICTION, TRUTH

from videmo.affect import AffectiveTree, Edit, EditCosts, edit_distances, edit_script
from videmo.affect.edit_script import map_nodes


def test_the_design_example_reads_as_the_design_says():
    assert list(map(str, edit_script(TRUTH, PREDICTION))) == [
        "substitute brows: furrowed by gaze: down beneath emotion: sadness",
        "delete lips: narrow beneath mouth: downturned corners",
        "delete hair: long beneath expression: -",
    ]
    assert list(map(str, edit_script(PREDICTION, TRUTH))) == [
        "substitute gaze: down by brows: furrowed beneath emotion: sadness",
        "insert lips: narrow beneath mouth: downturned corners",
        "insert hair: long beneath expression: -",
    ]


def test_an_edit_has_the_labels_from_the_root_down():
    _, edit, _ = edit_script(TRUTH, PREDICTION, EditCosts(delete=0.5))
    path = ("video", "person: woman", "emotion: sadness", "mouth: downturned corners", "lips: narrow")
    assert edit == Edit("delete", source=path, target=(), cost=0.5)


@pytest.mark.parametrize("costs", COSTS, ids=str)
def test_the_edits_cost_the_distance_and_their_mapping_keeps_ancestors_and_order(costs):
    preds, targets = random_pairs(4, 40, 14)
    for pred, target, distance in zip(preds, targets, edit_distances(preds, targets, costs), strict=True):
        edits = edit_script(pred, target, costs)
        assert sum(edit.cost for edit in edits) == pytest.approx(distance, abs=1e-9)
        assert edits == edit_script(pred, target, costs)
        spans, other_spans = _spans(pred), _spans(target)
        mapped = map_nodes(pred, target, costs)
        assert len({x for x, _ in mapped}) == len({y for _, y in mapped}) == len(mapped)
        for x, y in mapped:
            for x2, y2 in mapped:
                assert (x < x2) == (y < y2)
                assert (x <= x2 < spans[x]) == (y <= y2 < other_spans[y])


def test_of_equally_cheap_scripts_it_is_the_one_that_keeps_aspects():
    pred = AffectiveTree.from_compact("emotion: fear(gaze: down, mouth: open, nose: wrinkled)")
    target = AffectiveTree.from_compact("emotion: joy(mouth: closed)")
    assert list(map(str, edit_script(pred, target))) == [
        "substitute emotion: fear by emotion: joy",
        "delete gaze: down beneath emotion: fear",
        "substitute mouth: open by mouth: closed beneath emotion: fear",
        "delete nose: wrinkled beneath emotion: fear",
    ]


def test_equal_trees_need_no_edit_and_a_root_alone_is_named_alone():
    assert edit_script(TRUTH, TRUTH) == []
    (edit,) = edit_script(AffectiveTree("hair: black"), AffectiveTree("hair: brown"), EditCosts(substitute_item=0))
    assert str(edit) == "substitute hair: black by hair: brown" and edit.cost == 0


def _spans(tree: AffectiveTree) -> list[int]:
    """Of each node in reading order, the end of its subtree."""
    return [place + node.size for place, node in enumerate(tree.walk())]

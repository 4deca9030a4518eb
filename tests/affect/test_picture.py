"""Facts about the pictures: nothing overlaps or is cut, and every kind of edit is seen."""

import random
from itertools import combinations

import pytest
from odd_trees import SHAPES, random_tree
from PIL import Image
from test_edit_distance import PREDICTION, TRUTH

from videmo.affect import AffectiveTree, draw_edit, draw_tree, edit_script, picture

LONG = AffectiveTree.from_compact(
    f"person: {'very ' * 30}tall(emotion: joy(mouth: open, {'brow' * 40}: raised(a: b(c: d, c: e(f: g, f: h(i: j))))))"
)


@pytest.fixture
def painted(monkeypatch):
    boxes: list[picture.Box] = []
    paint = picture._paint
    monkeypatch.setattr(picture, "_paint", lambda pen, box: (boxes.append(box), paint(pen, box)))
    return boxes


def assert_apart(boxes: list[picture.Box], image: Image.Image) -> None:
    areas = [(box.left, box.top, box.left + box.width, box.top + box.height) for box in boxes]
    assert all(left > 0 and top > 0 and right < image.width and end < image.height for left, top, right, end in areas)
    for one, other in combinations(areas, 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]


@pytest.mark.parametrize("shape", SHAPES)
def test_boxes_of_a_tree_of_any_shape_stand_apart_within_the_picture(shape, painted):
    tree = random_tree(random.Random(6), 30, shape)
    assert_apart(painted, draw_tree(tree))
    assert len(painted) == 30


def test_long_labels_are_wrapped_and_still_stand_apart(painted):
    tree = AffectiveTree("video", (LONG, LONG, TRUTH.children[0]))
    assert_apart(painted, draw_tree(tree))
    letters = "".join(line for box in painted for line in box.lines).replace(" ", "")
    assert "very" * 30 + "tall" in letters and "brow" * 40 in letters


@pytest.mark.parametrize("seed", range(5))
def test_edits_between_any_two_trees_stand_apart_and_every_node_is_drawn_once(seed, painted):
    rng = random.Random(seed)
    pred, target = (random_tree(rng, 20, rng.choice(SHAPES)) for _ in range(2))
    image = draw_edit(pred, target)
    assert_apart(painted, image)
    edits = [edit.operation for edit in edit_script(pred, target)]
    looks = [box.look for box in painted[: 20 + edits.count("delete")]]
    for edit, look in (("delete", "deleted"), ("insert", "inserted"), ("substitute", "substituted")):
        assert looks.count(picture.BY_EDIT[look]) == edits.count(edit)


def test_the_design_example_says_what_is_edited(painted):
    draw_edit(TRUTH, PREDICTION)
    texts = [box.text for box in painted]
    assert "brows: furrowed -> gaze: down" in texts
    assert {box.text for box in painted if box.look.struck} == {"lips: narrow", "hair: long", "2 deleted"}
    assert texts[-3:] == ["9 kept", "1 substituted", "2 deleted"]


def test_a_deleted_node_stands_where_the_prediction_had_it(painted):
    pred = AffectiveTree.from_compact("emotion: fear(brows: raised, gaze: down(eyes: blue), mouth: open)")
    target = AffectiveTree.from_compact("emotion: fear(brows: raised, eyes: blue, mouth: open)")
    draw_edit(pred, target)
    assert [child.text for child in painted[0].children] == ["brows: raised", "gaze: down", "eyes: blue", "mouth: open"]
    assert [child.look.struck for child in painted[0].children] == [False, True, False, False]


def test_only_what_changed_has_colours():
    def colours(image: Image.Image) -> set[tuple]:
        return {colour for _, colour in image.getcolors(1 << 24)}

    green = (0xDC, 0xFC, 0xE7)
    assert green in colours(draw_edit(PREDICTION, TRUTH)) and green not in colours(draw_edit(TRUTH, PREDICTION))
    assert green not in colours(draw_edit(TRUTH, TRUTH))


def test_roots_that_have_nothing_in_common_are_both_drawn(painted):
    costs = picture.EditCosts(substitute=5)
    assert_apart(painted, draw_edit(AffectiveTree("hair: long"), AffectiveTree("emotion: joy"), costs))
    assert [box.text for box in painted] == ["hair: long", "joy", "1 deleted", "1 inserted"]


def test_a_grown_tree_colours_what_has_come_and_no_more(painted):
    before = AffectiveTree.from_compact("video(person: man(emotion: -(expression: -(hair: black), mouth: open)))")
    after = AffectiveTree.from_compact(
        "video(person: man(emotion: joy(mouth: open(lips: full)), emotion: -(expression: -(hair: black))))"
    )
    draw_tree(after, before)
    looks = {box.text: box.look for box in painted}
    assert {text for text, look in looks.items() if look is picture.BY_EDIT["kept"]} == {
        *("video", "man", "mouth: open", "hair: black")
    }
    assert looks["joy"] is picture.BY_LEVEL[2] and looks["lips: full"] is picture.BY_LEVEL[4]
    painted.clear()
    draw_tree(after)
    assert picture.BY_EDIT["kept"] not in {box.look for box in painted}

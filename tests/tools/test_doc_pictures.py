"""The pictures of the documentation: whole SVG on white, the same every time, and what they show is so."""

import runpy
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "doc_pictures.py"))
PICTURES = TOOL["pictures"]()
SVG = "{http://www.w3.org/2000/svg}"


def said(picture: str) -> list[str]:
    """The texts of a picture."""
    return [text.text for text in ElementTree.fromstring(picture).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_svg_on_white_paper_with_a_title_and_nothing_beyond_its_edges(name):
    picture = ElementTree.fromstring(PICTURES[name])
    width, height = (float(picture.get(side)) for side in ("width", "height"))
    title, paper, *parts = picture
    assert picture.tag == f"{SVG}svg" and title.tag == f"{SVG}title" and title.text
    assert (paper.get("fill"), float(paper.get("width")), float(paper.get("height"))) == ("#ffffff", width, height)
    for part in parts:
        x, y, wide, high = (float(part.get(name, 0)) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= width and 0 <= y <= y + high <= height


def test_they_are_the_same_every_time_and_those_of_the_documentation_are_of_today():
    assert TOOL["pictures"]() == PICTURES
    for name, picture in PICTURES.items():
        assert said((ROOT / "docs" / "images" / name).read_text(encoding="utf-8")) == said(picture), name


def test_the_area_of_a_mask_is_the_number_of_pairs_that_see_each_other():
    cell, pairs = TOOL["CELL"], 0
    colours = {node.colour for node in TOOL["NODES"]}
    for area in ElementTree.fromstring(PICTURES["token_tree.svg"]).iter(f"{SVG}rect"):
        if area.get("fill") in colours and area.get("rx") is None and float(area.get("height")) == cell:
            pairs += float(area.get("width")) / cell
    apart = sum(n * (n + 1) // 2 for n in (21, 21, 22, 20))
    shared = 14 * 15 // 2 + sum(
        n * above + n * (n + 1) // 2 for n, above in ((7, 14), (4, 14), (3, 18), (4, 18), (6, 14))
    )
    assert pairs == shared
    told = said(PICTURES["token_tree_cost.svg"])
    assert f"84 tokens, {apart} pairs of them" in told and f"38 tokens, {shared} pairs of them" in told


def test_the_captions_whose_trees_are_drawn_stand_in_the_page_about_rewards():
    page = (ROOT / "docs" / "rewards.md").read_text(encoding="utf-8")
    assert all(TOOL[caption] in page for caption in ("REFERENCE", "RESPONSE"))
    assert {"sadness", "mouth: downturned corners", "lips: thin"} <= {*said(PICTURES["affective_tree.svg"])}
    assert {"1 substituted", "1 deleted", "2 inserted"} <= {*said(PICTURES["affective_edit.svg"])}

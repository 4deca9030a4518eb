"""Patterns of data files: any way to write them, and what cannot be meant is refused by name."""

import math

import pytest

from videmo.data.patterns import RELEASE, FilePatterns
from videmo.errors import InputError


@pytest.fixture
def root(tmp_path):
    for name in ("b.json", "a.json", "c.jsonl"):
        (tmp_path / name).write_text("[]")
    return tmp_path


@pytest.mark.parametrize("given", ["*.json", ["*.json"], ["a.json", "b.json", "*.json"], {"*.json": 1.0}])
def test_one_pattern_and_several_and_weighted_ones_name_files_once_each_in_order(given, root):
    assert FilePatterns(given, "data.train").files(root) == {root / "a.json": 1.0, root / "b.json": 1.0}


def test_a_files_weight_is_its_patterns(root):
    assert FilePatterns({"c.*": 0.1, "a.*": 2.0}, "").files(root) == {root / "a.json": 2.0, root / "c.jsonl": 0.1}
    with pytest.raises(InputError, match=r"data.train gives .*a.json two weights, 1.0 and 2.0; name it once"):
        FilePatterns({"*.json": 1.0, "a.*": 2.0}, "data.train").files(root)


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_a_files_weight_is_a_number_above_0(weight):
    with pytest.raises(InputError, match=r"data.train gives x.json the weight .*above 0. Leave out"):
        FilePatterns({"y.json": 1.0, "x.json": weight}, "data.train")


@pytest.mark.parametrize("given", ["", "no/*.json", ["no", "*.json"], ["no", "none"], [RELEASE["val"], "*.json"]])
def test_a_pattern_that_matches_nothing_is_refused_by_name(given, root):
    first = given if isinstance(given, str) else given[0]
    with pytest.raises(InputError) as refused:
        FilePatterns(given, "--val").files(root)
    assert str(refused.value) == f"--val: no file matches {first or repr('')} in {root}; correct it or leave it out"


@pytest.mark.parametrize("given", [[], {}, RELEASE["val"], [RELEASE["val"]]])
def test_a_folder_may_lack_a_split_of_the_release_and_a_user_may_name_no_file(given, root):
    assert FilePatterns(given, "--val").files(root) == {}

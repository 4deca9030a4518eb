"""Splits: what belongs together stays together, shares are met, labels are spread, and the same seed gives the same."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from videmo.curate.grouping import split_clips
from videmo.curate.splits import SHARES, SPLITS, check_shares, groups_of, split
from videmo.errors import InputError


def world(number, people, seed=0):
    """Clips, whose groups have random sizes, with a label of three and five of forty."""
    rng = np.random.default_rng(seed)
    clips = [f"{place}.mp4" for place in range(number)]
    groups = groups_of(clips, [[int(person)] for person in rng.integers(people, size=number)])
    labels = {
        clip: [str(rng.choice(["a", "b", "c"], p=[0.7, 0.2, 0.1])), *map(str, rng.choice(40, 5, replace=False))]
        for clip in clips
    }
    return groups, labels


@pytest.mark.parametrize(("number", "people"), [(30, 12), (100, 10), (1440, 24), (1000, 400), (40, 4), (9, 3)])
def test_a_group_is_in_one_split_and_every_split_has_one(number, people):
    groups, labels = world(number, people)
    found = split(groups, labels, seed=1)
    assert set(found) == set(labels) and set(found.values()) == set(SPLITS)
    assert all(len({found[clip] for clip in group}) == 1 for group in groups)


def test_shares_are_met_and_labels_spread_as_far_as_groups_allow():
    groups, labels = world(1000, 400)
    found = split(groups, labels)
    sizes = Counter(found.values())
    assert all(abs(sizes[name] / 1000 - share) < 0.01 for name, share in SHARES.items())
    for label, share in (("a", 0.7), ("b", 0.2), ("c", 0.1)):
        for name in ("val", "test"):
            have = sum(label in labels[clip] for clip, where in found.items() if where == name)
            assert abs(have / sizes[name] - share) < 0.05, (label, name, have)


def test_labels_are_spread_better_than_by_chance():
    groups, labels = world(400, 400, seed=3)

    def unevenness(found):
        by = defaultdict(Counter)
        for clip, where in found.items():
            by[where].update(labels[clip])
        sizes, total = Counter(found.values()), sum(by.values(), Counter())
        return sum((by[name][label] / sizes[name] - total[label] / 400) ** 2 for name in SPLITS for label in total)

    chance = []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation([clip for group in groups for clip in group]).tolist()
        chance.append(unevenness({clip: ("val", "test")[n % 2] if n < 80 else "train" for n, clip in enumerate(order)}))
    assert unevenness(split(groups, labels)) < min(chance)


def test_the_seed_decides_and_nothing_else_does():
    groups, labels = world(60, 20)
    assert split(groups, labels, seed=5) == split(groups, labels, seed=5)
    assert split(groups, labels, seed=5) != split(groups, labels, seed=6)


@pytest.mark.parametrize(("number", "filled"), [(1, {"train"}), (2, {"train", "test"}), (3, set(SPLITS))])
def test_few_groups_go_to_train_first_then_to_test(number, filled):
    groups = [[f"{place}/{clip}" for clip in range(10)] for place in range(number)]
    found = split(groups, {clip: ["x"] for group in groups for clip in group})
    assert set(found.values()) == filled


def test_a_share_of_0_gets_nothing():
    groups, labels = world(50, 50)
    found = split(groups, labels, shares={"train": 0.9, "val": 0.0, "test": 0.1})
    assert Counter(found.values()).keys() == {"train", "test"}


def test_a_given_split_is_kept_and_draws_its_group_along():
    groups = [["a1", "a2", "a3"], ["b1"], *([f"c{n}"] for n in range(20))]
    labels = {clip: [] for group in groups for clip in group}
    found = split(groups, labels, fixed={"a1": "test", "b1": "val"})
    assert {found[clip] for clip in ("a1", "a2", "a3")} == {"test"} and found["b1"] == "val"


def test_groups_join_over_whatever_is_shared():
    shared = [["P1"], ["P1", "film"], ["film"], [], ["P2"]]
    assert groups_of("abcde", shared) == [["a", "b", "c"], ["d"], ["e"]]


@pytest.mark.parametrize(
    "shares", [{"train": 1.0}, {"train": 0.5, "val": 0.1, "test": 0.1}, {"train": 0, "val": 0, "test": 1}]
)
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(InputError, match="--shares"):
        check_shares(shares)


@pytest.fixture
def clips(tmp_path):
    """A folder of clips with bytes of their own, and their names."""
    names = [f"MEAD/M{person:03d}/{take}.mp4" for person in range(6) for take in range(3)]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path, names


def dealt(folder, about):
    return split_clips(folder, about, {name: [] for name in about}, SHARES, 0, folder / "nowhere")


def test_persons_are_told_by_a_column_else_by_the_paths_of_known_data_sets(clips):
    folder, names = clips
    by_path = dealt(folder, {name: {} for name in names})
    assert by_path.by == "who or what the paths of known data sets name, 6 groups"
    assert len({(name[5:9], by_path.splits[name]) for name in names}) == 6
    inside = dealt(folder / "MEAD", {name[5:]: {} for name in names})
    assert inside.by.endswith("6 groups"), "the folder itself may be the data set's"
    by_column = dealt(folder, {name: {"source_video": name[-5]} for name in names})
    assert by_column.by == "source_video, 3 groups"


def test_clips_of_which_nothing_is_known_are_warned_of(clips):
    folder, _ = clips
    for name in "abc":
        (folder / f"{name}.mp4").write_bytes(name.encode())
    found = dealt(folder, {f"{name}.mp4": {} for name in "abc"})
    assert any("3 of 3 clips are split each for itself" in line for line in found.told)
    assert found.by == "clip, each for itself"


def test_equal_bytes_stay_together_whatever_they_are_called(clips):
    folder, names = clips
    for name in names[::3]:
        (folder / name).write_bytes(b"the same clip")
    found = dealt(folder, {name: {"identity": name} for name in names})
    assert len({found.splits[name] for name in names[::3]}) == 1


def test_a_given_split_that_parts_a_person_is_kept_and_said(clips):
    folder, names = clips
    about = {name: {"identity": name[5:9]} for name in names}
    about[names[0]] |= {"split": "train"}
    about[names[1]] |= {"split": "test"}
    found = dealt(folder, about)
    assert found.splits[names[0]] == "train" and found.splits[names[1]] == "test"
    assert any("the column split parts" in line for line in found.told)


def test_an_empty_split_is_said(clips):
    folder, names = clips
    found = dealt(folder, {name: {"identity": "one"} for name in names})
    assert any(line.startswith("no clip in val and test: there are too few groups") for line in found.told)

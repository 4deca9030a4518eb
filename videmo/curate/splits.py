"""Clips dealt out to train, val and test: what shares a person, a source video or its bytes stays together.

Such clips are one group. Groups are dealt out from the largest to the smallest, each to the split that lacks most of
clips and of the group's labels; equal ones in an order that the seed decides. So the large groups are trained on, and
val and test have many small ones.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

from videmo.curate.wording import draws
from videmo.errors import InputError

SPLITS = ("train", "val", "test")
SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
_FIRST = ("train", "test", "val")
"""Who gets a group where there are too few."""


def check_shares(shares: Mapping[str, float]) -> None:
    """
    Raises:
        InputError: If they are not three shares that make one.
    """
    is_shared = set(shares) == set(SPLITS) and all(share >= 0 for share in shares.values())
    if not is_shared or abs(sum(shares.values()) - 1) > 1e-6 or not shares["train"]:
        raise InputError(
            f"--shares are of train, val and test, 0 or more, train's above 0, and make 1 together; got {dict(shares)}"
        )


def groups_of(clips: Sequence[str], shared: Sequence[Iterable[Hashable]]) -> list[list[str]]:
    """Clips that share something, directly or through others, together; groups and clips in the order given.

    Args:
        clips: All of them.
        shared: Of each clip what it may share with others.

    Example:
        >>> groups_of(["a", "b", "c"], [["P1"], ["P2", "film"], ["P1"]])
        [['a', 'c'], ['b']]
    """
    parent: dict[Hashable, Hashable] = {}

    def root(node: Hashable) -> Hashable:
        while parent.setdefault(node, node) != node:
            parent[node] = node = parent[parent[node]]
        return node

    for place, things in enumerate(shared):
        for thing in things:
            parent[root(("shared", thing))] = root(("clip", place))
    groups: dict[Hashable, list[str]] = defaultdict(list)
    for place, clip in enumerate(clips):
        groups[root(("clip", place))].append(clip)
    return list(groups.values())


def split(
    groups: Sequence[Sequence[str]],
    labels: Mapping[str, Iterable[str]],
    fixed: Mapping[str, str] | None = None,
    shares: Mapping[str, float] = SHARES,
    seed: int = 0,
) -> dict[str, str]:
    """Clip -> train, val or test.

    Args:
        groups: As `groups_of` makes them.
        labels: Of each clip, what is to be spread evenly.
        fixed: Clips whose split is given; the rest of their group goes with most of them.
        shares: Of the clips in each split.
        seed: Decides between groups that are alike.
    """
    fixed = fixed or {}
    wanted = [name for name in SPLITS if shares[name] > 0]
    found = dict(fixed)
    free: list[list[str]] = []
    for group in groups:
        told = Counter(fixed[clip] for clip in group if clip in fixed)
        if told:
            where = max(told, key=lambda name: (told[name], -SPLITS.index(name)))
            found |= {clip: where for clip in group if clip not in fixed}
        else:
            free.append(list(group))
    number = sum(map(len, groups))
    held = {name: Counter() for name in wanted}
    for clip, where in found.items():
        if where in held:
            held[where].update([_CLIPS, *labels[clip]])
    order = {id(group): draws(seed, *group).random() for group in free}
    for group in sorted(free, key=lambda group: (-len(group), order[id(group)])):
        adds = Counter(label for clip in group for label in labels[clip])
        dealt = {label: sum(held[name][label] for name in wanted) for label in adds}

        def need(name: str, adds: Counter = adds, dealt: Mapping[str, int] = dealt) -> float:
            """Clips that a split lacks, and what it lacks of the group's labels among those dealt out so far."""
            lacks = {label: shares[name] * so_far - held[name][label] for label, so_far in dealt.items()}
            of_labels = sum(lacks[label] * count / max(1, dealt[label]) ** 0.5 for label, count in adds.items())
            return shares[name] * number - held[name][_CLIPS] + _LABELS * of_labels

        where = max(wanted, key=need)
        held[where].update([_CLIPS] * len(group))
        held[where].update(adds)
        found |= dict.fromkeys(group, where)
    _fill_empty(found, free, [name for name in _FIRST if name in wanted])
    return found


_LABELS = 8
"""Clips that count as much as a label of which a split lacks the square root of all: 1 leaves the labels 3 times as
uneven (1000 clips of 400 people, six labels each), and much more would leave the splits' sizes so."""
_CLIPS = None
"""Counted beside labels: the clips themselves."""


def _fill_empty(found: dict[str, str], free: Sequence[Sequence[str]], wanted: Sequence[str]) -> None:
    """Give a split without a clip the smallest group of the one that has most groups to spare."""
    for name in wanted:
        if name in found.values():
            continue
        of_split: dict[str, list[Sequence[str]]] = defaultdict(list)
        for group in free:
            of_split[found[group[0]]].append(group)
        givers = [giver for giver in wanted if len(of_split[giver]) > 1]
        if not givers:  # a split that matters less gives its only one
            givers = [giver for giver in wanted[wanted.index(name) + 1 :] if of_split[giver]]
        if givers:
            giver = max(givers, key=lambda giver: len(of_split[giver]))
            found |= dict.fromkeys(min(of_split[giver], key=len), name)

"""What captions say at each level of the affective tree, and in which words that the lexicon does not know."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

from videmo.affect import AffectiveTree, parse_caption
from videmo.data.records import Record
from videmo.stats.charts import Bar, Panel, bar_panels
from videmo.stats.classes import colour_of
from videmo.stats.section import LeftOut, Section, Table, cut, percent, plural
from videmo.tasks import LEVELS, TEXT_TASK, Task

N = TypeVar("N", int, Fraction)
Counts = defaultdict[str, Fraction]
NAME, TITLE = "words", "What captions say, by level of the affective tree"
SHOWN = 12  # items of a level
_LISTED = 30
_OTHERS = "Words that the lexicon has no place for"
_DEPTH = {2: "emotion", 3: "expression", 4: "attribute"}
_QUALITIES = ("intensity", "time")  # of an emotion, which hang beneath it


def items_by_level(tree: AffectiveTree) -> Iterator[tuple[str, str]]:
    """Level and ``aspect: item`` of what a tree says of persons; ``emotion: fear`` is ``fear``.

    Example:
        >>> tree = AffectiveTree.from_compact("video(person: man(emotion: fear(eyes: widened(eyes: blue))), scene)")
        >>> list(items_by_level(tree))
        [('emotion', 'fear'), ('expression', 'eyes: widened'), ('attribute', 'eyes: blue')]
    """
    for person in tree.children:
        if person.label != "scene":
            yield from _beneath(person, 2)


def _beneath(node: AffectiveTree, depth: int) -> Iterator[tuple[str, str]]:
    for child in node.children:
        if not child.is_placeholder and depth in _DEPTH:
            level = "emotion" if child.aspect in _QUALITIES else _DEPTH[depth]
            yield level, child.label.removeprefix("emotion: ")
        yield from _beneath(child, depth + 1)


@dataclass
class Words:
    """Counted items and words of captions, as they come.

    A caption that was read stands for as many of its task as there are for each that was read, so that a task of which
    a small part was read weighs what it has.

    Attributes:
        items: Level -> item -> captions that say it.
        others: Word -> how often it stands where the lexicon has no place for it.
        captions: How many were read.
        silent: How many say nothing of a level.
        held: How many there are.
    """

    items: dict[str, Counts] = field(default_factory=lambda: {level: defaultdict(Fraction) for level in LEVELS})
    others: Counts = field(default_factory=lambda: defaultdict(Fraction))
    captions: int = 0
    silent: Counts = field(default_factory=lambda: defaultdict(Fraction))
    held: int = 0

    def count(self, task: Task, records: Sequence[Record], held: int) -> None:
        """Add records of a task, of which there are so many; only those of captions and rationales count."""
        if task.kind != "caption" or task == TEXT_TASK or not records:
            return
        self.held += held
        each = Fraction(held, len(records))
        for record in records:
            parse = parse_caption(record.answer)
            said = set(items_by_level(parse.tree))
            self.captions += 1
            for level in set(LEVELS) - {level for level, _ in said}:
                self.silent[level] += each
            for level, item in said:
                self.items[level][item] += each
            for word in parse.unplaced:
                self.others[word] += each

    def section(self, split: str) -> Section | LeftOut:
        """What they are."""
        if not self.captions:
            return LeftOut(NAME, TITLE, f"No record of {split} is answered by a caption or a rationale.")
        n, sampled = self.held, self.captions < self.held
        looked = "all"
        if sampled:
            looked = f"{self.captions:,} of {n:,}, drawn at random within each task, whose weight is how many it has"
        spoken = ", ".join(f"{level} {percent(n - self.silent[level], n)}" for level in LEVELS)
        panels = [
            Panel(
                level,
                [
                    Bar(item, float(count), percent(count, n), colour_of(level))
                    for item, count in top(self.items[level], SHOWN)
                ],
                f"{plural(len(self.items[level]), 'item')}, said in {percent(n - self.silent[level], n)}",
            )
            for level in LEVELS
        ]
        others = tuple((cut(word), round(times)) for word, times in top(self.others, _LISTED))
        best = "; ".join(f"{p.title}: {', '.join(bar.label for bar in p.bars[:3]) or 'nothing'}" for p in panels)
        return Section(
            name=NAME,
            title=TITLE,
            lead=f"Affective trees of {plural(n, 'caption or rationale', 'captions and rationales')} ({looked}), read "
            "by rules from English. All bars, shares of them that say an item, have one scale. Something is said of "
            f"each level in: {spoken}.",
            of=plural(self.captions, "caption or rationale", "captions and rationales"),
            alt=f"Bars of the most frequent items of each level. {best}.",
            numbers={
                "captions": n,
                "read": self.captions,
                "levels": {
                    level: {"silent": _number(self.silent[level]), "items": _numbers(top(self.items[level]))}
                    for level in LEVELS
                },
                "other_words": _numbers(top(self.others, 200)),
            },
            draw=lambda width: bar_panels(panels, width, columns=2),
            tables=(Table(("word", "times, of all" if sampled else "times"), others, _OTHERS),) if others else (),
        )


def _number(count: Fraction) -> float:
    return int(count) if count == int(count) else round(float(count), 3)


def _numbers(counts: list[tuple[str, Fraction]]) -> dict[str, float]:
    return {name: _number(count) for name, count in counts}


def top(counts: Mapping[str, N], most: int | None = None) -> list[tuple[str, N]]:
    """The largest counts; equal ones by name, so that two runs agree.

    >>> top({"b": 1, "a": 1, "c": 2}, 2)
    [('c', 2), ('a', 1)]
    """
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]

"""Samples by class of the curriculum, task and source, as figure 6 of the paper has them; and by split."""

from collections import Counter

from videmo.stats.charts import Bar, Panel, bar_panels
from videmo.stats.classes import class_of, colour_of, in_order
from videmo.stats.corpus import NO_TASK, UNREADABLE, Corpus
from videmo.stats.icicle import Box, icicle
from videmo.stats.section import Section, Table, percent, plural

_VERBS = {UNREADABLE: ("cannot be read", "cannot be read"), NO_TASK: ("has no known task", "have no known task")}


def taxonomy(corpus: Corpus) -> Section:
    """Class -> task -> source, sized by samples."""
    tasks = {task.name: task for task in corpus.index.tasks}
    rows = [(tasks[row.task], row.source, row.records, row.videos) for row in corpus.rows[corpus.split]]
    by_class: dict[str, dict[str, dict[str, int]]] = {}
    for task, source, records, _ in rows:
        by_class.setdefault(class_of(task), {}).setdefault(task.name, {})[source] = records
    boxes = [_box(name, by_class[name]) for name in in_order(by_class)]
    names, total, largest = [box.label for box in boxes], len(corpus.index), max(rows, key=lambda row: row[2])
    shares = ", ".join(f"{box.label} {percent(box.size, total)}" for box in boxes)
    sources = {source for _, source, _, _ in rows}
    return Section(
        name="taxonomy",
        title="Samples by class, task and source",
        lead=f"{plural(total, 'record')} of {corpus.split}, {plural(len({row[0] for row in rows}), 'task')}, "
        f"{plural(len(sources), 'source')}: {shares}. A class is one of the curriculum's; a source is the outermost "
        "folder of a video's path. Boxes too flat for a name are in the table.",
        of=f"{plural(total, 'record')} of {corpus.split}",
        alt=f"Boxes in three columns, class, task and source, each as high as it has samples. {shares}. The largest "
        f"task and source: {largest[0].name} of {largest[1]} with {plural(largest[2], 'record')}.",
        numbers={
            "records": total,
            "classes": {box.label: box.size for box in boxes},
            "rows": [
                {"class": class_of(t), "level": t.level, "task": t.name, "source": s, "records": n, "videos": v}
                for t, s, n, v in rows
            ],
        },
        draw=lambda width: icicle(boxes, ("class", "task", "source"), width),
        tables=(
            Table(
                ("class", "task", "source", "records"),
                tuple(
                    (class_of(t), t.name, s, n)
                    for t, s, n, _ in sorted(rows, key=lambda row: (names.index(class_of(row[0])), -row[2]))
                ),
            ),
        ),
    )


def splits(corpus: Corpus) -> Section:
    """How many records each split has of each class."""
    counts: dict[str, Counter[str]] = {split: Counter() for split in corpus.indexes}
    by_task: dict[str, Counter[str]] = {}
    for split, rows in corpus.rows.items():
        tasks = {task.name: task for task in corpus.indexes[split].tasks}
        for row in rows:
            counts[split][class_of(tasks[row.task])] += row.records
            by_task.setdefault(row.task, Counter())[split] += row.records
    bad = {split: {kind: len(own) for kind, own in corpus.faults(split).items()} for split in counts}
    said = "; ".join(f"{split} {plural(own.total(), 'record')}" for split, own in counts.items())
    faults = [
        f"{plural(own[kind], 'record')} of {split} that {verb[own[kind] != 1]}"
        for split, own in bad.items()
        for kind, verb in _VERBS.items()
        if own[kind]
    ]
    without = [split for split in corpus.folder.patterns if split not in counts]
    panels = [
        Panel(
            split,
            [_share(name, own) for name in in_order(own)],
            f"{plural(own.total(), 'record')} on {plural(len(corpus.indexes[split].videos), 'video')}",
        )
        for split, own in counts.items()
    ]
    return Section(
        name="splits",
        title="The splits",
        lead=f"{said}. A bar is a class's share of its split. "
        + (f"There is no data file of {' or '.join(without)}. " if without else "")
        + (f"Not counted: {', '.join(faults)}; `videmo check` names each." if faults else ""),
        of=said,
        alt=f"Bars of the share of each class in each split. {said}.",
        numbers={
            split: {
                "records": own.total(),
                "unreadable": bad[split][UNREADABLE],
                "without_task": bad[split][NO_TASK],
                "videos": len(corpus.indexes[split].videos),
                "classes": dict(own),
                "tasks": {task: count[split] for task, count in by_task.items() if count[split]},
            }
            for split, own in counts.items()
        },
        draw=lambda width: bar_panels(panels, width, most=1),
        tables=(
            Table(
                ("task", *counts),
                tuple((task, *(own[split] for split in counts)) for task, own in by_task.items()),
            ),
        ),
    )


def _share(name: str, own: Counter[str]) -> Bar:
    note = f"{own[name]:,} ({percent(own[name], own.total())})"
    return Bar(name, own[name] / own.total(), note, colour_of(name))


def _box(name: str, tasks: dict[str, dict[str, int]]) -> Box:
    colour = colour_of(name)
    parts = tuple(
        Box(task, sum(own.values()), colour, tuple(Box(source, count, colour) for source, count in own.items()))
        for task, own in tasks.items()
    )
    return Box(name, sum(part.size for part in parts), colour, parts)

"""How long captions and rationales are, in words, by task and source."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from videmo.data.presence import record_source
from videmo.data.records import Record
from videmo.stats.charts import Spread, spreads
from videmo.stats.classes import class_of, colour_of
from videmo.stats.durations import spread
from videmo.stats.section import LeftOut, Section, Table, plural, short
from videmo.tasks import TEXT_TASK, Task

NAME, TITLE = "lengths", "Length of captions and rationales"
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+(?:['’\-][^\W_]+)*")


def count_words(text: str) -> int:
    """Words of a text: runs of letters and digits, and each sign of Chinese, Japanese or Korean.

    >>> count_words("The woman's well-lit face, at 5 o'clock."), count_words("她笑了")
    (7, 3)
    """
    return sum(1 for _ in _WORD.finditer(text))


@dataclass
class Lengths:
    """Counted lengths of answers in prose, as they come."""

    words: dict[tuple[Task, str], list[int]] = field(default_factory=dict)
    of: dict[Task, int] = field(default_factory=dict)

    def count(self, task: Task, records: Iterable[Record], held: int) -> None:
        """Add records of a task, of which there are so many; only those of captions and rationales count."""
        if task.kind != "caption" or task == TEXT_TASK:
            return
        self.of[task] = held
        for record in records:
            source = record_source(record.videos, record.source)
            self.words.setdefault((task, source), []).append(count_words(record.answer))

    def section(self, split: str) -> Section | LeftOut:
        """What they are."""
        if not self.words:
            return LeftOut(NAME, TITLE, f"No record of {split} is answered by a caption or a rationale.")
        found = {key: spread(np.array(words)) for key, words in self.words.items()}
        read, held = sum(map(len, self.words.values())), sum(self.of.values())
        looked = "all" if read == held else f"{read:,} of {held:,}, drawn at random within each task"
        longest = max(found, key=lambda key: found[key]["median"])
        sources = Counter(task for task, _ in found)
        rows = [
            Spread(
                f"{task.name} · {source}" if sources[task] > 1 else task.name,
                of["p5"],
                of["p95"],
                of["median"],
                f"n = {of['n']:,}",
                (of["p25"], of["p75"]),
                colour_of(class_of(task)),
            )
            for (task, source), of in found.items()
        ]
        return Section(
            name=NAME,
            title=TITLE,
            lead=f"{plural(read, 'answer')} ({looked}). A point is the median, the thick part the middle half, the "
            "line the middle 90%. Of a dialogue the last answer counts, which is the rationale where it gives one; in "
            "Chinese, Japanese and Korean each sign counts as a word.",
            of=plural(read, "answer"),
            alt=f"Medians and spreads of the lengths in words, a row a task and source. The longest by median: "
            f"{longest[0].name} of {longest[1]} with {short(found[longest]['median'])} words.",
            numbers={
                "rows": [
                    {"task": task.name, "source": source, "class": class_of(task), **of}
                    for (task, source), of in found.items()
                ]
            },
            draw=lambda width: spreads([rows], width, says="words"),
            tables=(
                Table(
                    ("task", "source", "read", "5%", "median", "95%"),
                    tuple(
                        (task.name, source, of["n"], *(short(of[key]) for key in ("p5", "median", "p95")))
                        for (task, source), of in found.items()
                    ),
                ),
            ),
        )

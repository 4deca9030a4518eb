"""The rows of the paper's tables 1, 2 and 3, as it prints them.

Source: Zhang et al., VidEmo (NeurIPS 2025, arXiv 2511.02712). Table 2 prints "Claude 3 Sonnet" where table 1 prints
"Claude 3.5 Sonnet"; it is the same row, and each table has its own name for it.
"""

from dataclasses import dataclass
from functools import cache

from videmo.benchmark.columns import read_table


@dataclass(frozen=True)
class PaperRow:
    """One line of a printed table.

    Attributes:
        model: As this table names it.
        size: Parameters, such as ``7B``; ``-`` where nobody says.
        group: Which rows it is printed with: closed API, open 1-3B, open 7B+; empty in table 3.
        scores: What is printed, 0 to 100, AVG columns (``closed_avg``) too; what is left blank is not there.
    """

    model: str
    size: str
    group: str
    scores: dict[str, float]


@cache
def paper_rows(table: str) -> tuple[PaperRow, ...]:
    """The rows of table ``1``, ``2`` (21 each, in one order) or ``3``.

    >>> paper_rows("1")[-1].model, paper_rows("1")[-1].scores["open_avg"]
    ('VidEmo-T1', 86.3)
    """
    found = []
    for printed in read_table(table):
        scores = dict(printed)
        model, size, group = scores.pop("model"), scores.pop("size", "-"), scores.pop("group", "")
        found.append(PaperRow(model, size, group, {name: float(text) for name, text in scores.items() if text}))
    return tuple(found)

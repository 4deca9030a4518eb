"""The command ``videmo tables``.

videmo tables
videmo tables runs/demo/results/videmo --table=1 --out=table1.md
"""

import sys
from pathlib import Path
from typing import Literal

from videmo.benchmark.own_rows import YOURS
from videmo.benchmark.paper_table import TABLES, paper_table
from videmo.errors import InputError
from videmo.tables.inputs import read_results
from videmo.tables.outputs import Format, as_text, format_of, write_tables
from videmo.tables.terminal import table_text
from videmo.terminal import output


def tables(
    results: list[str] = [],  # noqa: B006 (never changed; jsonargparse shows it in --help)
    table: Literal["1", "2", "3", "scenarios"] | None = None,
    format: Format | None = None,
    out: str | None = None,
) -> None:
    """Show the paper's tables 1, 2 and 3 and its scenario averages, with rows of yours beside the paper's own.

    Args:
        results: Folders of methods that `videmo test` wrote into, or their benchmark.json files; `videmo tables A B`
            is enough. The paper's rows alone without any.
        table: Which one; by default those in which a result has a number, all without results.
        format: By default what the ending of --out says, else the terminal's. CSV is for one table.
        out: A file to write instead of printing; over another table, not over a file of something else.
    """
    path = Path(out) if out else None
    as_format = format_of(format, path)
    found = read_results(results)
    every = [paper_table(name, found) for name in ([table] if table else TABLES)]
    chosen = [one for one in every if table or not found or YOURS in one.row_groups]
    if not chosen:
        raise InputError(f"{' '.join(results)}: no score of these is a column of the paper's tables")
    if path:
        write_tables(as_text(chosen, as_format), path)
        print(f"{', '.join(one.title.partition(':')[0] for one in chosen)}: {path}")
    elif as_format == "terminal":
        console = output()
        for one in chosen:
            console.print(table_text(one, console.width, styled=console.is_terminal))
    else:
        print(as_text(chosen, as_format), end="")
    if len(chosen) < len(every):
        names = ", ".join(one.name for one in every if one not in chosen)
        print(f"without a number of yours, and left out: {names}; --table shows one", file=sys.stderr)

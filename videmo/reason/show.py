"""A search on a terminal: what was asked at each level, the candidates with their scores, and the tree in the end."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from videmo.errors import printable
from videmo.reasoning import Reasoning, Step

_BAR = 10


def show_step(step: Step, console: Console) -> None:
    """The candidates of a step, each text once, the best first."""
    console.print(Text(f"\n{step.level}", style="bold").append(f"  {printable(step.question)}", style="dim"))
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(width=1)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for numbers in step.by_text():
        text, score, times = step.candidates[numbers[0]].text, step.scores[numbers[0]], len(numbers)
        style = "green" if step.kept[0] in numbers else ""
        filled = round(max(0.0, min(1.0, score)) * _BAR)
        bar = Text("━" * filled, style=style) + Text("─" * (_BAR - filled), style="bright_black")
        said = Text(printable(text) or "(nothing)", style=style)
        said.append(f"  x{times}" if times > 1 else "", style="dim")
        kept = any(number in step.kept for number in numbers)
        table.add_row(Text("✓" if kept else "", style=style), "-" if step.undecided else f"{score:.2f}", bar, said)
    console.print(table)
    for name, why in step.missing.items():
        console.print(Text(f"  {name} said nothing: {printable(why)}", style="yellow"))
    if step.undecided:
        console.print(Text("  so the likeliest was taken", style="yellow"))


def show_answer(reasoning: Reasoning, console: Console) -> None:
    """The answer, how sure it is, and the tree."""
    if any(place != step.kept[0] for step, place in zip(reasoning.steps, reasoning.places, strict=True)):
        console.print(Text("\nThe answer goes back to:", style="bold"))
        for step, one in zip(reasoning.steps[:-1], reasoning.path, strict=False):
            console.print(Text(f"  {step.level}: {printable(one.text)}"))
    console.print()
    for line in reasoning.tree.to_text().splitlines():
        console.print(Text(f"  {printable_indented(line)}", style="cyan"))
    answer = Text("\nanswer: ", style="bold").append(printable(reasoning.answer) or "(nothing)")
    console.print(answer.append(f"  (confidence {reasoning.confidence:.2f})", style="dim"))
    if reasoning.rationale is not None:
        console.print(Text("why:    ", style="bold").append(printable(reasoning.rationale) or "(nothing)"))
    if reasoning.doubt:
        console.print(Text(reasoning.doubt, style="yellow"))


def printable_indented(line: str) -> str:
    """A line of a tree as it may be printed, with its indentation."""
    return " " * (len(line) - len(line.lstrip())) + printable(line)

"""A judge that is asked and sends nothing: it keeps the questions, so that their number and cost are known before."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from videmo.judge import Judge, Question, Verdict


class DryRun:
    """Stands for a judge.

    Args:
        judge: Whom it stands for.

    Attributes:
        questions: All that it was asked.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.questions: list[Question] = []

    @property
    def identity(self) -> Mapping:
        return self.judge.identity

    def ask(self, questions: Sequence[Question]) -> list[Verdict]:
        self.questions += questions
        return [Verdict(None, "not asked: a dry run", None, False)] * len(questions)


def plan_table(dry: DryRun, told: Sequence[str]) -> Table:
    """What would be sent, a line a use, and its tokens and cost.

    Args:
        dry: Was asked all of it.
        told: Whose answers it was asked about.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", title_justify="left")
    table.title = f"{dry.judge.settings.model} at {dry.judge.settings.base_url} would be asked"
    priced = dry.judge.settings.price_in is not None
    heads = ["questions", "distinct", "cached", "known missing", "calls", "prompt tokens", "reply tokens, most"]
    table.add_column("for", no_wrap=True)
    for head in [*heads, "cost, most"] if priced else heads:
        table.add_column(head, justify="right")
    uses = dict.fromkeys(question.use for question in dry.questions)
    rows = {use: [question for question in dry.questions if question.use == use] for use in uses}
    for name, questions in {**rows, "all": dry.questions}.items():
        found = dry.judge.plan(questions)
        numbers = (found.questions, found.distinct, found.cached, found.missing, found.calls)
        cells = [f"{number:,}" for number in (*numbers, found.prompt_tokens, found.max_completion_tokens)]
        table.add_row(name, *cells, *([f"{found.max_cost:,.2f}"] if priced else []), end_section=True)
    table.caption = (
        f"About the answers of {', '.join(told)}. Prompt tokens are estimated. Missing ones are asked again with "
        "--retry-missing only."
    )
    table.caption_justify = "left"
    return table

"""What a committee would be asked, in calls, tokens and money, before anything is sent.

Every clip takes five requests to the author and two votes of each member; each round of rewriting takes one more of the
author and one of each member, so that there is a least and a most. Replies that are on disk count as done.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from videmo.committee import asking
from videmo.committee.asking import ATTRIBUTES
from videmo.committee.author import Author, Clip
from videmo.committee.member import Member
from videmo.committee.run import CHUNK, Models, run
from videmo.committee.votes import Committee, vote_on
from videmo.judge.estimate import request_tokens

WRITING = ("attributes", "expressions", "emotion", "describe", "rationale")
SETTLED = 2  # times that a clip goes before the committee: what was seen, then what was written
TYPICAL = "three or four words"  # of an answer
_PROSE = "Several sentences that say what can be seen and what it rests on, in some detail. " * 4


@dataclass(frozen=True)
class Bill:
    """What one model would be asked, least and most.

    Attributes:
        model: Its name.
        does: ``writes``, ``votes``, or both.
        known: Replies that are on disk.
        calls: Requests that are left.
        prompt_tokens: Estimated: 4 bytes of text a token, pictures as Qwen2.5-VL counts them.
        reply_tokens: If every reply took all that its prompt allows; most take far less.
        cost: Of both; None without prices.
    """

    model: str
    does: str
    known: int
    calls: tuple[int, int]
    prompt_tokens: tuple[int, int]
    reply_tokens: tuple[int, int]
    cost: tuple[float, float] | None


def bills(clips: Sequence[Clip], models: Models) -> list[Bill]:
    """One for each model; reads what is on disk, and sends nothing."""
    author, committee = models.ready(offline=True)
    for start in range(0, len(clips), CHUNK):
        run(clips[start : start + CHUNK], author, committee)
    if not clips:
        return []
    typical = _typical(clips[0], author, models)
    members = {id(member): member for member in (author.member, *committee.members)}.values()
    return [_bill(member, author.member, committee, typical, len(clips), models.rewrites) for member in members]


def _bill(member: Member, author: Member, committee: Committee, typical: dict, count: int, rewrites: int) -> Bill:
    writes, votes = member is author, member in committee.members
    often = dict.fromkeys(WRITING, (count, count)) if writes else {}
    if votes:
        often["vote"] = (SETTLED * count, SETTLED * (1 + rewrites) * count)
    if writes:
        often["rewrite"] = (0, SETTLED * rewrites * count)
    left = {use: [max(0, number - member.known[use]) for number in numbers] for use, numbers in often.items()}

    def total(of_one) -> tuple[int, int]:
        least, most = (sum(numbers[end] * of_one(use) for use, numbers in left.items()) for end in (0, 1))
        return least, most

    prompt = total(lambda use: request_tokens(typical[use]))
    reply = total(lambda use: typical[use].max_tokens)
    least, most = (member.client.settings.cost(*pair) for pair in zip(prompt, reply, strict=True))
    does = " and ".join(word for word, does in (("writes", writes), ("votes", votes)) if does)
    cost = None if least is None or most is None else (least, most)
    return Bill(member.name, does, member.known.total(), total(lambda use: 1), prompt, reply, cost)


def _typical(clip: Clip, author: Author, models: Models) -> dict:
    """A request of each use, about a clip of which everything was seen."""
    seen = Clip(clip.path, clip.frames)
    seen.notes = {"attributes": [f"{name}: {TYPICAL}" for name in asking.LOOKS], "expressions": [_PROSE]}
    seen.drafts = [author.draft(task, TYPICAL, "attributes") for task in ATTRIBUTES.values()]
    seen.drafts.append(author.draft(models.emotions, models.emotions.labels[0], "emotion"))
    for one in seen.drafts:
        one.settle("kept")
    asked = {use: author.ask(use, seen) for use in WRITING}
    asked |= dict.fromkeys(("vote", "rewrite"), vote_on(seen, seen.drafts))
    return {use: author.member.requests(use, [one])[0] for use, one in asked.items()}


def bills_table(found: Sequence[Bill], count: int) -> Table:
    """The bills as a table for a terminal."""
    table = Table(title=f"{count:,} clips, nothing sent", title_justify="left")
    for name in ("model", "does", "on disk", "calls", "prompt tokens", "reply tokens at most", "cost at most"):
        table.add_column(name, justify="left" if name in ("model", "does") else "right")
    for bill in found:
        cost = "unknown" if bill.cost is None else _range(bill.cost, ",.2f")
        numbers = (_range(bill.calls), _range(bill.prompt_tokens), _range(bill.reply_tokens))
        table.add_row(bill.model, bill.does, f"{bill.known:,}", *numbers, cost)
    if len(found) > 1:
        sums = [[sum(ends) for ends in zip(*(getattr(bill, name) for bill in found), strict=True)] for name in _SUMMED]
        costs = [bill.cost for bill in found if bill.cost is not None]
        known = len(costs) == len(found)
        cost = _range([sum(ends) for ends in zip(*costs, strict=True)], ",.2f") if known else "unknown"
        table.add_section()
        table.add_row("all", "", f"{sum(bill.known for bill in found):,}", *map(_range, sums), cost)
    return table


_SUMMED = ("calls", "prompt_tokens", "reply_tokens")


def _range(ends: Sequence[float], form: str = ",") -> str:
    """
    >>> _range((1000, 3000)), _range((5, 5))
    ('1,000 to 3,000', '5')
    """
    least, most = (format(end, form) for end in ends)
    return least if least == most else f"{least} to {most}"

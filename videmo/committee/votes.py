"""A committee of three or more models votes on samples (section 4): a majority keeps one, else it is written anew.

Every member sees a clip once a round, with all its samples, and votes on each for itself. A sample that most of the
committee finds wrong goes back to its author with what was said; the new answer is voted on again, up to a limit, and
then the sample is dropped with its reason. A member that did not answer neither keeps nor rejects: where the others
alone make no majority, the sample is missing, and the next run asks again.
"""

from collections.abc import Sequence

from videmo.committee import asking
from videmo.committee.asking import Vote
from videmo.committee.author import Clip, tokens
from videmo.committee.member import Ask, Member
from videmo.committee.sample import Draft

Batch = Sequence[tuple[Clip, Sequence[Draft]]]


class Committee:
    """Settles drafts.

    Args:
        author: Who writes rejected answers anew.
        members: Who vote.
        rewrites: How often a sample may be written anew.
    """

    def __init__(self, author: Member, members: Sequence[Member], rewrites: int) -> None:
        self.author, self.members, self.rewrites = author, members, rewrites

    def settle(self, batch: Batch) -> None:
        """Votes, and new answers, until no draft is open."""
        for number in range(self.rewrites + 1):
            batch = _open(batch)
            self._vote(batch)
            for _, drafts in batch:
                for draft in drafts:
                    self._tally(draft)
            if number < self.rewrites:
                self._rewrite(_open(batch))
        for _, drafts in _open(batch):
            for draft in drafts:
                draft.settle("dropped", f"rejected by most of the committee, at last: {_said(draft)}")

    def _vote(self, batch: Batch) -> None:
        for _, drafts in batch:
            for draft in drafts:
                draft.rounds.append({})
        for member in self.members:
            asked = [vote_on(clip, drafts) for clip, drafts in batch]
            for (_, drafts), said in zip(batch, member.ask("vote", asked), strict=True):
                for number, draft in enumerate(drafts, start=1):
                    none = Vote(None, said.missing or "the reply has no vote on it")
                    vote = said.value.get(number, none) if said.missing is None else none
                    draft.rounds[-1][member.name] = vote
                    draft.tokens += tokens(said) / len(drafts)

    def _tally(self, draft: Draft) -> None:
        """Keep it, or leave it open for a new answer, as most of the whole committee say."""
        votes, need = [*draft.rounds[-1].values()], len(self.members) // 2 + 1
        right = sum(vote.right is True for vote in votes)
        silent = [f"{name} ({vote.wrong})" for name, vote in draft.rounds[-1].items() if vote.right is None]
        if right >= need:
            draft.settle("kept")
        elif right + len(silent) >= need:
            draft.settle("missing", f"no vote of {'; '.join(silent)}")

    def _rewrite(self, batch: Batch) -> None:
        asked = [
            Ask(clip.frames, {"samples": _pairs(drafts, objections=True)}, asking.answer_reader(len(drafts)))
            for clip, drafts in batch
        ]
        for (_, drafts), said in zip(batch, self.author.ask("rewrite", asked), strict=True):
            for number, draft in enumerate(drafts, start=1):
                draft.tokens += tokens(said) / len(drafts)
                if said.missing is not None:
                    draft.settle("missing", f"rewrite: {said.missing}")
                elif number not in said.value:
                    draft.settle("dropped", f"rejected, and the author gave no new answer: {_said(draft)}")
                else:
                    self._replace(draft, said.value[number])

    def _replace(self, draft: Draft, text: str | None) -> None:
        if text is None:
            return draft.settle("dropped", f"rejected, and the author withdrew it: {_said(draft)}")
        answer = text
        if draft.task.labels:
            parsed = draft.task.parse(text)
            if parsed is None:
                return draft.settle("dropped", f"rejected, and the new answer {text!r} is no label")
            labels = parsed if isinstance(parsed, frozenset) else {parsed}
            answer = ", ".join(label for label in draft.task.labels if label in labels) or "none"
        if answer == draft.answer:
            return draft.settle("dropped", f"rejected, and the author insists: {_said(draft)}")
        draft.former.append(draft.answer)
        draft.answer, draft.origin = answer, self.author.origin("rewrite")


def vote_on(clip: Clip, drafts: Sequence[Draft]) -> Ask:
    """What a member is asked about a clip's samples."""
    return Ask(clip.frames, {"samples": _pairs(drafts)}, asking.vote_reader(len(drafts)))


def _open(batch: Batch) -> list[tuple[Clip, list[Draft]]]:
    """The clips with the drafts that are not settled."""
    found = [(clip, [draft for draft in drafts if draft.status == "open"]) for clip, drafts in batch]
    return [(clip, drafts) for clip, drafts in found if drafts]


def _pairs(drafts: Sequence[Draft], objections: bool = False) -> str:
    """Samples as a prompt numbers them."""
    lines = []
    for number, draft in enumerate(drafts, start=1):
        lines += [f"{number}. question: {draft.question}", f"   answer: {draft.answer}"]
        if objections:
            lines += [f"   a member said: {said}" for said in draft.objections or ["it is wrong"]]
    return "\n".join(lines)


def _said(draft: Draft) -> str:
    return "; ".join(dict.fromkeys(draft.objections)) or "no reason given"

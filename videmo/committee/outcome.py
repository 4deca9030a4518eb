"""What a committee leaves behind besides what it kept: lines of what it did not, and the figures of a run."""

from collections import Counter
from collections.abc import Iterator, Sequence

from videmo.committee.agreement import agreement
from videmo.committee.author import Clip
from videmo.committee.member import Member
from videmo.committee.sample import Draft


def left_out(clip: Clip) -> Iterator[dict]:
    """A line for each sample that was not kept, and for each thing that the author did not say."""
    for use, reason in clip.missing.items():
        yield {"video": clip.path, "asked": use, "status": "missing", "reason": reason}
    for draft in clip.drafts:
        if draft.status != "kept":
            about = {"video": clip.path, "asked": draft.task.name, "answer": draft.answer}
            yield {**about, "status": draft.status, "reason": draft.reason, "provenance": draft.provenance()}


def figures(clips: Sequence[Clip]) -> dict:
    """Counts and agreement, JSON-ready: of all samples, and by task."""
    drafts = [draft for clip in clips for draft in clip.drafts]
    tasks = {draft.task.name: draft.task for draft in drafts}
    return {
        "clips": len(clips),
        "unanswered": sum(len(clip.missing) for clip in clips),
        "all": _counts(drafts),
        "tasks": {name: _counts([one for one in drafts if one.task == task]) for name, task in tasks.items()},
    }


def of_members(clips: Sequence[Clip], members: Sequence[Member]) -> list[dict]:
    """What came of all that each model was asked, JSON-ready; ``right`` is the share of its votes that say so."""
    rounds = [votes for clip in clips for draft in clip.drafts for votes in draft.rounds]
    found = []
    for member in members:
        votes = [votes[member.name].right for votes in rounds if member.name in votes]
        said = [vote for vote in votes if vote is not None]
        found.append(
            {
                "model": member.name,
                "requests": member.asked,
                "votes": len(said),
                "right": round(sum(said) / len(said), 4) if said else None,
                "unread": dict(member.unread),
                "unanswered": dict(member.unanswered),
                "prompt_tokens": member.taken[0],
                "reply_tokens": member.taken[1],
                "cost": member.client.settings.cost(*member.taken),
            }
        )
    return found


def _counts(drafts: Sequence[Draft]) -> dict:
    status = Counter(draft.status for draft in drafts)
    kept = [draft for draft in drafts if draft.status == "kept"]
    kappa = agreement(drafts)
    return {
        "samples": len(drafts),
        "kept": status["kept"],
        "kept_as_written": sum(not draft.former for draft in kept),
        "dropped": status["dropped"],
        "missing": status["missing"],
        "fleiss_kappa": None if kappa is None else round(kappa, 4),
    }

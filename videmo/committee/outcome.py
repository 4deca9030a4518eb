"""What a committee leaves behind besides what it kept: lines of what it did not, and the figures of a run."""

from collections import Counter
from collections.abc import Iterator, Sequence

from videmo.committee.agreement import agreement
from videmo.committee.author import Clip
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

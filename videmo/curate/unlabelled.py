"""From a folder of clips without labels to records: vision models write and vote (`videmo.committee`).

What they keep is put into words as labels are: an answer of a task as a choice and openly, each record with the models,
prompts, votes and tokens that it comes from. What they do not keep stands in ``left_out.jsonl``, with the reason.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from videmo.committee.author import RATIONALE, Clip
from videmo.committee.outcome import figures, left_out
from videmo.committee.run import Models, clips_in, settle
from videmo.curate.clips import Clips
from videmo.curate.folder import Curated
from videmo.curate.grouping import split_clips
from videmo.curate.splits import SPLITS
from videmo.curate.wording import explanation, forms_in, instruct
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.tasks import Task

LEFT_OUT = "left_out.jsonl"


def clips_of(videos: Path, out: Path, video: VideoSettings) -> list[Clip]:
    """The clips of a folder, but for those where the records will stand.

    Raises:
        InputError: If there are none.
    """
    return clips_in(videos, Clips(videos, besides=out).paths, video)


def curate_unlabelled(
    videos: Path,
    out: Path,
    models: Models,
    video: VideoSettings,
    *,
    shares: Mapping[str, float],
    seed: int,
    console: Console | None = None,
) -> tuple[Curated, list[str]]:
    """Records of a folder of clips, and what a user should know of them, a sentence each.

    Args:
        videos: The folder.
        out: Where the records will stand; clips in there are none.
        models: Who is asked.
        video: How frames are sampled and sized for them.
        shares: Of the clips in each split.
        seed: Of wordings, letters and splits.
        console: Where progress is shown.

    Raises:
        InputError: If no clip can be read, nothing was kept, or a model can answer nothing. Replies are on disk; the
            same call goes on from there.
    """
    clips = clips_of(videos, out, video)
    taken = settle(clips, models, console)
    kept = [clip for clip in clips if any(draft.status == "kept" for draft in clip.drafts)]
    lines = [line for clip in clips for line in left_out(clip)]
    if not kept:
        why = lines[0]["reason"] if lines else "the author saw nothing to say in any of them"
        raise InputError(f"nothing was kept of {len(clips)} clips; the first reason: {why}")
    about = {clip.path: {} for clip in kept}
    dealt = split_clips(videos, about, {clip.path: _balanced(clip, models.emotions) for clip in kept}, shares, seed)
    records: dict[str, dict[str, list[dict]]] = {name: defaultdict(list) for name in SPLITS}
    for clip in kept:
        split = dealt.splits[clip.path]
        for task, record in _records(clip, models.emotions, split, seed):
            records[split][task.name].append(record)
    found = figures(clips)
    facts = {
        "from": "models",
        "models": models.identity(),
        "settings": {
            "seed": seed,
            "shares": dict(shares),
            "rewrites": models.rewrites,
            "emotions": models.emotions.name,
        },
        "clips": {name: list(dealt.splits.values()).count(name) for name in SPLITS},
        "committee": {**found, "tokens": taken},
    }
    told = [*_sentences(found, len(lines)), *dealt.told]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    made_from = f"{len(kept)} clips by models alone: {models}"
    others = {LEFT_OUT: text} if lines else {}
    return Curated(records, [clip.path for clip in kept], facts, made_from, dealt.by, others), told


def _records(clip: Clip, emotions: Task, split: str, seed: int) -> list[tuple[Task, dict]]:
    """The records of what was kept."""
    found = []
    for draft in (draft for draft in clip.drafts if draft.status == "kept"):
        about = {"from": "models", **draft.provenance()}
        if draft.task == RATIONALE:
            felt = clip.settled(emotions)
            found.append((RATIONALE, explanation(felt, draft.answer, [clip.path], seed=seed, provenance=about)))
            continue
        answer = draft.task.parse(draft.answer) if draft.task.kind == "multi_label" else draft.answer
        for form in forms_in(split, draft.task, answer, [clip.path], seed):
            found.append(
                (draft.task, instruct(draft.task, answer, [clip.path], seed=seed, form=form, provenance=about))
            )
    return found


def _balanced(clip: Clip, emotions: Task) -> list[str]:
    felt = clip.settled(emotions)
    return [felt] if felt else []


def _sentences(found: Mapping, lines: int) -> list[str]:
    counts = found["all"]
    anew = counts["kept"] - counts["kept_as_written"]
    said = [
        f"{counts['kept']} of {counts['samples']} samples kept, {anew} written anew; {counts['dropped']} dropped"
        + (f", {counts['missing']} without enough votes" if counts["missing"] else "")
    ]
    if (kappa := counts["fleiss_kappa"]) is not None:
        said.append(f"agreement of the committee (Fleiss' kappa of the first votes): {kappa:.2f}")
    if found["unanswered"]:
        said.append(
            f"{found['unanswered']} times there was nothing to look at, or no answer; the same command asks again"
        )
    return [*said, f"what was not kept is in {LEFT_OUT}, {lines} lines, each with its reason"] if lines else said

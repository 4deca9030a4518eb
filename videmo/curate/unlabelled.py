"""From a folder of clips without labels to records: vision models write and vote (`videmo.committee`).

What they keep is put into words as labels are: an answer of a task as a choice and openly, each record with the models,
prompts, votes and tokens that it comes from. What they do not keep stands in ``left_out.jsonl``, with the reason.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from videmo.committee.author import RATIONALE, Clip
from videmo.committee.outcome import figures, left_out, of_members
from videmo.committee.run import Models, clips_in, settle
from videmo.curate.clips import Clips
from videmo.curate.folder import Curated, earlier_facts
from videmo.curate.grouping import split_clips
from videmo.curate.labelled import read_about
from videmo.curate.splits import SPLITS
from videmo.curate.wording import explanation, forms_in, instruct
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.tasks import Task

LEFT_OUT = "left_out.jsonl"
_REASONS = 3  # of a model that are shown


def curate_unlabelled(
    videos: Path,
    out: Path,
    models: Models,
    video: VideoSettings,
    *,
    table: Path | None = None,
    shares: Mapping[str, float],
    seed: int,
) -> tuple[Curated, list[str], bool]:
    """Records of a folder of clips, what a user should know of them, a sentence each, and whether all was answered.

    Args:
        videos: The folder.
        out: Where the records will stand; clips in there are none.
        models: Who is asked.
        video: How frames are sampled and sized for them.
        table: Says of clips who is in them, what they were cut from, or their split; its labels are not used.
        shares: Of the clips in each split.
        seed: Of wordings, letters and splits.

    Raises:
        InputError: If nothing was kept, less than an earlier run kept as answers are missing, or a model can answer
            nothing. Replies are on disk; the same call goes on from there.
    """
    there = Clips(videos, besides=out)
    clips = clips_in(videos, there.paths, video)
    about, told = read_about(table, there) if table else ({}, [])
    members = of_members(clips, settle(clips, models))
    kept = [clip for clip in clips if any(draft.status == "kept" for draft in clip.drafts)]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for clip in clips for line in left_out(clip))
    found = figures(clips)
    if not kept:
        beside = out.with_name(f"{out.name}.{LEFT_OUT}")
        beside.write_text(text, encoding="utf-8")
        raise InputError("\n".join([f"nothing was kept; {beside} says why", *_of_models(members)]))
    whole = not (found["unanswered"] or found["all"]["missing"])
    if not whole and (before := _kept_before(out)) > found["all"]["kept"]:
        why = f"{out} has {before} samples that were kept, and this run, without all answers, {found['all']['kept']}"
        raise InputError("\n".join([f"{why}; the folder stays as it is", *_of_models(members)]))
    dealt = split_clips(
        videos,
        {clip.path: about.get(clip.path, {}) for clip in kept},
        {clip.path: _balanced(clip, models.emotions) for clip in kept},
        shares,
        seed,
        out,
    )
    records: dict[str, dict[str, list[dict]]] = {name: defaultdict(list) for name in SPLITS}
    for clip in kept:
        split = dealt.splits[clip.path]
        for task, record in _records(clip, models.emotions, split, seed):
            records[split][task.name].append(record)
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
        "committee": {**found, "members": members},
    }
    told += [*_of_samples(found["all"]), *_of_models(members), *dealt.told]
    if text:
        told.append(f"what was not kept is in {LEFT_OUT}, {text.count(chr(10))} lines, each with its reason")
    made_from = f"{len(kept)} clips by models alone, which may err: {models}; {_of_samples(found['all'])[0]}"
    others = {LEFT_OUT: text} if text else {}
    return Curated(records, [clip.path for clip in kept], facts, made_from, dealt.by, others), told, whole


def _kept_before(out: Path) -> int:
    """The samples that an earlier run kept; 0 where there was none."""
    try:
        return earlier_facts(out)["committee"]["all"]["kept"]
    except (KeyError, TypeError):
        return 0


def _records(clip: Clip, emotions: Task, split: str, seed: int) -> list[tuple[Task, dict]]:
    """The records of what was kept."""
    found = []
    for draft in (draft for draft in clip.drafts if draft.status == "kept"):
        about = {"from": "models", **draft.provenance()}
        if draft.task == RATIONALE:
            felt = clip.settled(emotions) or ""
            found.append((RATIONALE, explanation(felt, draft.answer, [clip.path], seed=seed, provenance=about)))
            continue
        answer = draft.task.parse(draft.answer) if draft.task.kind == "multi_label" else draft.answer
        assert answer is not None, "its author's reply was read by the same rule"
        for form in forms_in(split, draft.task, answer, [clip.path], seed):
            found.append(
                (draft.task, instruct(draft.task, answer, [clip.path], seed=seed, form=form, provenance=about))
            )
    return found


def _balanced(clip: Clip, emotions: Task) -> list[str]:
    felt = clip.settled(emotions)
    return [felt] if felt else []


def _of_samples(counts: Mapping) -> list[str]:
    anew = counts["kept"] - counts["kept_as_written"]
    said = f"{counts['kept']} of {counts['samples']} samples kept, {anew} written anew, {counts['dropped']} dropped"
    if counts["missing"]:
        said += f", {counts['missing']} without enough votes"
    if (kappa := counts["fleiss_kappa"]) is None:
        return [said]
    return [said, f"agreement of the committee (Fleiss' kappa of the first votes): {kappa:.2f}"]


def _of_models(members: Sequence[Mapping]) -> list[str]:
    """A line for each model, with what failed and how it is asked for again."""
    lines = []
    for one in members:
        line = f"{one['model']}: {one['requests']} requests"
        if one["votes"]:
            line += f", {100 * one['right']:.0f}% of {one['votes']} votes say right"
        line += f", {one['prompt_tokens']:,} + {one['reply_tokens']:,} tokens"
        lines.append(line + ("" if one["cost"] is None else f", cost {one['cost']:,.2f}"))
        for what, again in (("unanswered", "the same command asks again"), ("unread", "--retry-missing asks again")):
            for reason, count in sorted(one[what].items(), key=lambda pair: -pair[1])[:_REASONS]:
                lines.append(f"  {count} {what}, {again}: {reason}")
    return lines

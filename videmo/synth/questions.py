"""Questions and answers about the drawn clips: latent state -> records in the release's format.

Questions are short (every token costs training time) and come in a few wordings; answers follow from the state alone,
and nothing is asked that the clip does not show. A part of the records list their labels as options, one a line under
shuffled letters; otherwise the task's labels, or the attribute's vocabulary, are the options. The right answer is the
option's text, listed or not. `videmo.synth.files` says where records stand.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from videmo.synth import captions
from videmo.synth.asked import ASKED
from videmo.synth.attributes import ATTRIBUTES, Facet
from videmo.synth.face import Clip
from videmo.synth.files import FILES, attribute_task
from videmo.synth.world import Pair
from videmo.tasks import label_set, list_options

QUESTION_FIRST = 0.05  # share of the records that put the question before the video
LISTED = 0.25  # share of the records that list the options, where a task may list them
CHOICE = 0.3  # share of the open attributes' records that list options
MAX_OPTIONS = 4  # that an open attribute lists


def clip_records(clips: Sequence[Clip], seed: Sequence[int], mix: Mapping[str, float]) -> dict[str, list[dict]]:
    """All records about single clips, by task; a clip is asked a task once or not at all.

    Args:
        clips: Of one split.
        seed: Key of the random numbers: letters, wordings and the records' order depend on nothing else.
        mix: Task -> share of the clips, of those that can be asked, that are asked it; all where it is not named.
    """
    records = {}
    for number, (task, write) in enumerate(_CLIP_TASKS.items()):
        rng = np.random.default_rng([*seed, number])
        asked = [clip for clip in clips if rng.random() < mix.get(task, 1.0)]
        written = write(task, asked, rng)
        records[task] = [written[place] for place in rng.permutation(len(written))]
    return records


def pair_records(pairs: Sequence[Pair], seed: Sequence[int]) -> list[dict]:
    """The identity records of one split."""
    rng = np.random.default_rng([*seed, len(_CLIP_TASKS)])
    wordings = ("Are these the same person?", "Do both videos show one person?", "Is it one person in both videos?")
    return [
        _record("identity", [_pick(wordings, rng), "Yes" if pair.same else "No"], [pair.first, pair.second], rng)
        for pair in pairs
    ]


def conversation(turns: Sequence[str], videos: Sequence[str], source: str) -> dict:
    """The record of what is asked about videos, and answered, turn about."""
    messages = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(turns)]
    return {"messages": messages, "videos": list(videos), "source": source}


_CAPTIONS = {  # task -> its kind, who writes it, and the kinds of clips that have one
    "appearance_cap": ("appearance", captions.appearance_caption, ("single", "compound")),
    "action_cap": ("action", captions.action_caption, ("single",)),
    "emotion_cap": ("emotion", captions.emotion_caption, ("single", "compound", "change", "pair")),
    "caption": ("fine", captions.fine_caption, ("single", "compound", "change", "pair")),
}
_TALKED_ABOUT = ("single", "compound", "pair")  # kinds of clips that have a rationale


def _write_asked(task: str, clips: Sequence[Clip], rng: np.random.Generator) -> list[dict]:
    asked, records = ASKED[task], []
    for clip in filter(asked.askable, clips):
        question = _pick(asked.questions, rng)
        if asked.labels and rng.random() < LISTED:
            question = _listing(question, label_set(asked.labels), rng)
        records.append(_record(task, [question, asked.answer(clip)], [clip], rng))
    return records


def _write_attribute(task: str, clips: Sequence[Clip], rng: np.random.Generator) -> list[dict]:
    """One facet of the attribute a clip, of those that it shows; some as a choice, most open."""
    chosen = _choose_facets(_FACETS[task], [clip for clip in clips if clip.kind != "pair"], rng)
    counts = Counter((facet, truth) for _, facet, truth in chosen)
    records = []
    for clip, facet, truth in chosen:
        others = {value: count for (other, value), count in sorted(counts.items()) if other == facet and value != truth}
        question = _pick(_FACETS[task][facet].questions, rng)
        if others and rng.random() < CHOICE:
            question = _listing(question, [truth, *_distractors(others, rng)], rng)
        records.append(_record(task, [question, truth], [clip], rng))
    return records


def _choose_facets(
    facets: Sequence[Facet], clips: Sequence[Clip], rng: np.random.Generator
) -> list[tuple[Clip, int, str]]:
    """A facet for each clip that shows one, and what it shows; what few clips show is asked more often."""
    shown = [[facet.truth(clip) for clip in clips] for facet in facets]  # facets x clips
    counts = [Counter(value for value in values if value) for values in shown]
    chosen = []
    for place, clip in enumerate(clips):
        truths = {number: value for number, values in enumerate(shown) if (value := values[place])}
        if truths:
            rarity = np.array([counts[n].total() / (len(counts[n]) * counts[n][value]) for n, value in truths.items()])
            number = int(rng.choice(list(truths), p=rarity / rarity.sum()))
            chosen.append((clip, number, truths[number]))
    return chosen


def _distractors(others: Mapping[str, int], rng: np.random.Generator) -> list[str]:
    """At most three other values, drawn as often as they are right in other records.

    So a value is not more often right than wrong because it is offered: the options alone tell nothing.
    """
    weights = np.array(list(others.values()), dtype=float)
    size = min(MAX_OPTIONS - 1, len(others))
    return rng.choice(list(others), size=size, replace=False, p=weights / weights.sum()).tolist()


def _write_caption(task: str, clips: Sequence[Clip], rng: np.random.Generator) -> list[dict]:
    kind, write, kinds = _CAPTIONS[task]
    return [
        _record(task, [captions.caption_question(kind, rng), write(clip, rng, clip.split)], [clip], rng)
        for clip in clips
        if clip.kind in kinds
    ]


def _write_rationale(task: str, clips: Sequence[Clip], rng: np.random.Generator) -> list[dict]:
    """Question and answer, "why" and rationale."""
    talked_about = (clip for clip in clips if clip.kind in _TALKED_ABOUT)
    return [_record(task, captions.rationale(clip, rng, clip.split), [clip], rng) for clip in talked_about]


_FACETS: dict[str, tuple[Facet, ...]] = {attribute_task(name): facets for name, facets in ATTRIBUTES.items()}
_CLIP_TASKS: dict[str, Callable[[str, Sequence[Clip], np.random.Generator], list[dict]]] = {
    **dict.fromkeys(ASKED, _write_asked),
    **dict.fromkeys(_FACETS, _write_attribute),
    **dict.fromkeys(_CAPTIONS, _write_caption),
    "rationale": _write_rationale,
}


def _pick(wordings: Sequence[str], rng: np.random.Generator) -> str:
    return wordings[int(rng.integers(len(wordings)))]


def _listing(question: str, options: Sequence[str], rng: np.random.Generator) -> str:
    """The question with its options, one a line under shuffled letters."""
    return list_options(question, [options[place] for place in rng.permutation(len(options))])


def _record(task: str, turns: Sequence[str], clips: Sequence[Clip], rng: np.random.Generator) -> dict:
    question, *rest = turns
    videos = "<video>" * len(clips)
    first = f"{question}\n{videos}" if rng.random() < QUESTION_FIRST else f"{videos}{question}"
    return conversation([first, *rest], [clip.path for clip in clips], FILES[task].source)

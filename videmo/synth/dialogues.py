"""Dialogues in the form in which a search asks (`videmo.tasks.levels`): latent state -> training records.

A model of the size that the paper tunes may follow such dialogues by itself; a tiny one of random weights must have
seen some. They stand beside the world's own records, in `dialogues/train.json`, as no release has them.
"""

from collections.abc import Sequence

import numpy as np

from videmo.synth import captions
from videmo.synth.asked import ASKED
from videmo.synth.face import Clip
from videmo.synth.files import FILES
from videmo.synth.questions import conversation
from videmo.tasks import FEELING, LEVEL_QUESTIONS, PRESENCE, WHY, find_task

SOURCE = "reasoning"
NUM_EMPTY = 120  # clips without anybody
EMPTY = "DrawnFaces/empty/{:03d}.mp4"
FREE = 0.5  # share of the dialogues that end with `FEELING` and `WHY`


def dialogue_records(clips: Sequence[Clip], seed: Sequence[int]) -> list[dict]:
    """A dialogue of each clip: its levels, then a question beyond them. And whether anybody is to be seen, of some
    clips, and of clips without anybody (`videmo.synth.empty`).

    Args:
        clips: Of the training split.
        seed: Key of the random numbers.
    """
    rng = np.random.default_rng(seed)
    records = [_dialogue(clip, rng) for clip in clips]
    seen = [clip.path for clip in clips if rng.random() < 2 * NUM_EMPTY / len(clips)]
    records += [_record(path, [PRESENCE, "Yes"]) for path in seen]
    records += [_record(EMPTY.format(number), [PRESENCE, "No"]) for number in range(NUM_EMPTY) for _ in range(2)]
    return [records[place] for place in rng.permutation(len(records))]


def _dialogue(clip: Clip, rng: np.random.Generator) -> dict:
    _, felt, _, signs = captions.rationale(clip, rng, clip.split)
    turns = [
        LEVEL_QUESTIONS["attribute"],
        captions.appearance_caption(clip, rng, clip.split),
        LEVEL_QUESTIONS["expression"],
        f"{signs} {captions.action_caption(clip, rng, clip.split)}",
    ]
    asked = [(one.questions, one.answer(clip)) for one in _EMOTIONS if one.askable(clip)]
    asked.append((captions.QUESTIONS["fine"], captions.fine_caption(clip, rng, clip.split)))
    if rng.random() < FREE:
        turns += [FEELING, felt, WHY, signs]
    else:
        questions, answer = asked[int(rng.integers(len(asked)))]
        turns += [str(rng.choice(questions)), answer]
    return _record(clip.path, turns)


def _record(path: str, turns: Sequence[str]) -> dict:
    return conversation([f"<video>{turns[0]}", *turns[1:]], [path], SOURCE)


_EMOTIONS = [one for task, one in ASKED.items() if find_task(FILES[task].source).level == "emotion"]

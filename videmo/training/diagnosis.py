"""Why a model cannot learn from its own answers, in one sentence.

GRPO learns from how completions of one query differ in reward. Where none do, one of a few causes is behind it, and
what comes first hides the rest: an answer that is cut cannot be read, one that cannot be read is wrong, and where all
are wrong none is better.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from videmo.errors import printable
from videmo.training.completions import Round, Row, known_rewards

_SHOWN = 60  # characters of an answer
_ODD = 0.05  # share of groups that may differ in reward and still be odd ones


class Obstacle(NamedTuple):
    """What keeps a model from learning.

    Attributes:
        cause: In a word: masked, truncated, unread, solved, identical, zero, constant or equal.
        sentence: What was seen, and what to do.
    """

    cause: str
    sentence: str


def diagnose(
    rounds: Sequence[Round], *, num_generations: int, max_completion_length: int, temperature: float
) -> Obstacle | None:
    """The first cause for which nothing can be learned from some rounds together; None where something can.

    Args:
        rounds: The completions of all ranks, round after round.
        num_generations: Completions a group.
        max_completion_length: The limit by which completions are truncated.
        temperature: At which they were drawn.
    """
    answered = Round.join(rounds)
    rows = answered.rows
    if not rows:
        return None
    of = f"{len(rows):,} completions of the last {len(rounds)} rounds"
    groups = known_rewards(rows, num_generations)
    rewards = {reward for group in groups for reward in group}
    if not groups:
        return Obstacle("masked", f"none of the {of} has a reward: {_reasons(answered)}; mend that, or leave it out")
    truncated, unread = (sum(getattr(row, name) for row in rows) / len(rows) for name in ("truncated", "unparsed"))
    learns = sum(len(set(group)) > 1 for group in groups) > _ODD * len(groups)
    if truncated > 0.5:
        return Obstacle(
            "truncated",
            f"{_share(truncated)} of the {of} ended by max_completion_length={max_completion_length}, such as "
            f"{_example(rows, 'truncated')}, and so do not show where an answer ends; raise it above the length of "
            "the references, or start from a model that ends its answers (start_from)",
        )
    if learns:
        return None
    if unread > 0.5:
        return Obstacle(
            "unread",
            f"{_share(unread)} of the {of} cannot be read as answers, such as {_example(rows, 'unparsed')}, and no "
            "reward differs within a group; start from a model that was fine-tuned to such answers (start_from), or "
            "reward their form (videmo.rewards.FormatReward)",
        )
    if rewards == {1.0}:
        return Obstacle(
            "solved", f"all rewards of the {of} are 1: these tasks are solved; take harder ones, or end the training"
        )
    texts = [{row.text for row in rows[n : n + num_generations]} for n in range(0, len(rows), num_generations)]
    if sum(len(own) > 1 for own in texts) <= _ODD * len(texts):
        return Obstacle(
            "identical",
            f"the {num_generations} completions of each query are one text, in nearly all {of}, so that none is "
            f"better; raise temperature={temperature:g} (and top_p or top_k, if set), or, if it is near 1, start from "
            "weights that are less certain, with a lower learning_rate or a higher beta",
        )
    if rewards == {0.0}:
        return Obstacle(
            "zero",
            f"all rewards of the {of} are 0 ({unread:.0%} cannot be read); the tasks are too hard for this model: "
            "take easier ones, or a model that was fine-tuned for longer",
        )
    if len(rewards) == 1:
        names = ", ".join(sorted({name for row in rows for name in row.parts}))
        return Obstacle(
            "constant",
            f"all rewards of the {of} are {rewards.pop():.4g}, whatever was said; mend the rewards "
            f"({names}), which tell no answer from another",
        )
    return Obstacle(
        "equal",
        f"the rewards of the {of} are equal within every group; raise num_generations={num_generations} or "
        f"temperature={temperature:g}, or take tasks that the model gets right sometimes",
    )


def _share(share: float) -> str:
    return "all" if share == 1 else f"{share:.0%}"


def _example(rows: Sequence[Row], name: str) -> str:
    """The most frequent text that a field is true of, with its task."""
    (text, task), _ = Counter((row.text, row.task) for row in rows if getattr(row, name)).most_common(1)[0]
    text = printable(text)
    return f"{text[:_SHOWN] + '...' if len(text) > _SHOWN else text!r} ({task})"


def _reasons(answered: Round) -> str:
    """Why rewards are missing, the most frequent reason of each."""
    told = [(name, *reasons.most_common(1)[0]) for name, reasons in answered.missing.items() if reasons]
    return "; ".join(f"{name!r} is missing as {printable(reason)} ({count:,} times)" for name, reason, count in told)

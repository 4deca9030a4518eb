"""Tasks with one right answer a clip: their wordings, whom they are asked of, and what the state answers.

Asked of clips with one emotion are most; two emotions at once, a brief one on a calm face and two people have tasks of
their own, and a face that changes is only described (`videmo.synth.questions`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from videmo.synth.face import DFEW, MEAD, Clip
from videmo.synth.labels import (
    action_labels,
    appearance_labels,
    emotion_fine,
    emotion_mafw,
    emotions_mafw,
    sentiment,
    sentiment_fine,
)

FEELING = ("What emotion does the person show?", "Which emotion is this?", "How does the person feel?")
SENTIMENT = ("What is the sentiment?", "Which sentiment does the face show?", "Choose the sentiment.")
FINE = ("Answer with strength and emotion.", "Name the emotion with its strength.", "Which strength and emotion?")


@dataclass(frozen=True)
class Asked:
    """One task with a fixed answer for each clip.

    Attributes:
        questions: Its wordings.
        answer: Of a clip that can be asked.
        askable: Whether a clip can be asked.
        labels: The label set whose labels may be listed; None where they never are.
    """

    questions: tuple[str, ...]
    answer: Callable[[Clip], str]
    askable: Callable[[Clip], bool]
    labels: str | None = None


def shows_units(clip: Clip) -> bool:
    """Whether all action units of a clip are in sight and stay."""
    return clip.kind in ("single", "compound") and not {"mask", "sunglasses"} & set(clip.accessories)


def feels_one(clip: Clip) -> bool:
    """Whether one emotion is shown throughout; a mask hides the mouth, not what stands around the head."""
    return clip.kind == "single"


def feels_several(clip: Clip) -> bool:
    """Compounds, and for contrast single emotions of the same strength."""
    return clip.kind == "compound" or (clip.kind == "single" and clip.intensity == "medium")


def has_sentiment(clip: Clip) -> bool:
    """Not where a mask may hide the smile of a surprise."""
    return clip.kind == "single" and not ("mask" in clip.accessories and clip.emotion == "Surprise")


ASKED = {
    "appearance_cls": Asked(
        ("List every appearance attribute.", "Which appearance attributes are there?", "Name every visible attribute."),
        lambda clip: ", ".join(appearance_labels(clip)) or "none",
        lambda clip: clip.kind != "pair",
    ),
    "action_cls": Asked(
        ("List every action.", "Which actions are shown?", "Name all actions."),
        lambda clip: ", ".join(action_labels(clip)) or "none",
        lambda clip: clip.kind == "single" and "mask" not in clip.accessories,
    ),
    "head_pose": Asked(
        ("What is the head pose?", "Which way does the head turn?", "Choose the head pose."),
        lambda clip: clip.pose,
        lambda clip: clip.kind != "pair" and clip.head_action == "none",
        "head_pose7",
    ),
    **dict.fromkeys(
        ("emotion_dfew", "emotion_mer2023"),
        Asked(FEELING, lambda clip: clip.emotion, lambda clip: feels_one(clip) and clip.emotion in DFEW, "dfew7"),
    ),
    "emotion_mafw": Asked(
        ("Which of eleven emotions is it?", "Name one of eleven emotions.", "Which emotion of eleven?"),
        lambda clip: emotion_mafw(clip.emotion),
        feels_one,
    ),
    "emotion_multi": Asked(
        ("Name all emotions.", "Which emotions are shown? Name all.", "List every emotion."),
        lambda clip: ", ".join(emotions_mafw(clip)),
        feels_several,
    ),
    **dict.fromkeys(
        ("fine_mead", "fine_ravdess"),
        Asked(FINE, emotion_fine, lambda clip: feels_one(clip) and clip.emotion in MEAD),
    ),
    **dict.fromkeys(("sentiment_mosei", "sentiment_mosi"), Asked(SENTIMENT, sentiment, has_sentiment, "sentiment3")),
    "sentiment_chsims": Asked(
        ("How strong is which sentiment?", "Grade the sentiment.", "What sentiment, how strong?"),
        sentiment_fine,
        has_sentiment,
        "sentiment7",
    ),
    "micro_expression": Asked(
        ("Which micro-expression is it?", "Name the micro-expression.", "What flashes over the face?"),
        lambda clip: clip.micro or "",
        lambda clip: clip.kind == "micro" and "mask" not in clip.accessories,
        "micro5",
    ),
    "action_unit": Asked(
        ("List every active action unit.", "Which action units are active?", "Name all action units shown."),
        lambda clip: ", ".join(clip.aus) or "none",
        shows_units,
    ),
    "relation_perr": Asked(
        ("What is their relation?", "How do the two get along?", "Name the relation of the two."),
        lambda clip: clip.relation or "",
        lambda clip: clip.kind == "pair",
        "perr5",
    ),
    "conversation_meld": Asked(
        ("What does the speaker feel?", "Which emotion has the speaker?", "How does the speaker feel?"),
        lambda clip: clip.emotion,
        lambda clip: clip.kind == "pair",
        "dfew7",
    ),
}

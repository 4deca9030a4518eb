"""Where the records of each task stand in the release's layout, and how many training clips are asked it.

A task has the name that it has in ``videmo/tasks/data/tasks.yaml``.
"""

from dataclasses import dataclass

from videmo.synth.attributes import ATTRIBUTES


@dataclass(frozen=True)
class File:
    """Where a task's records stand.

    Attributes:
        folder: attribute, caption, emotion, qa or rationale.
        source: The records' ``source``, and the stem of the training file.
        test_stem: Of the test file, where it differs.
    """

    folder: str
    source: str
    test_stem: str | None = None

    def path(self, split: str) -> str:
        """The file's path under ``ROOT/jsons``."""
        stem = self.test_stem if split == "test" and self.test_stem else self.source
        return f"{split}/{self.folder}/full/{stem}.json"


def attribute_task(attribute: str) -> str:
    """The task that asks about an open attribute.

    Example:
        >>> attribute_task("Face_shape")
        'qa_face_shape'
    """
    return f"qa_{attribute.lower()}"


FILES = {
    "appearance_cls": File("attribute", "CelebV-HQ_Appearance-Recognition"),
    "appearance_cap": File("caption", "CelebV-Text_Appearance-Caption"),
    "action_cls": File("attribute", "CelebV-HQ_Action-Recognition"),
    "action_cap": File("caption", "CelebV-Text_Action-Caption"),
    "identity": File("attribute", "MEAD_ID"),
    "head_pose": File("attribute", "MEAD_Head-Pose"),
    **{attribute_task(name): File("qa", f"QA_{name}", f"QA_test_sampling_all_{name}") for name in ATTRIBUTES},
    "emotion_dfew": File("emotion", "DFEW_Single-Label-Emotion-Recognition"),
    "emotion_mafw": File("emotion", "MAFW_Single-Label-Emotion-Recognition"),
    "emotion_mer2023": File("emotion", "MER2023_Single-Label-Emotion-Recognition"),
    "emotion_multi": File("emotion", "MAFW_Multiple-Label-Emotion-Recognition"),
    "fine_mead": File("emotion", "MEAD_Fine-grained-Emotion-Recognition"),
    "fine_ravdess": File("emotion", "RAVDESS_Fine-grained-Emotion-Recognition"),
    "sentiment_mosei": File("emotion", "MOSEI_Single-Label-Sentiment-Recognition"),
    "sentiment_mosi": File("emotion", "MOSI_Single-Label-Sentiment-Recognition"),
    "sentiment_chsims": File(
        "emotion", "CHSIMSv1_Fine-grained-Sentiment-Recognition", "CHSIMIv1_Fine-grained-Sentiment-Recognition"
    ),
    "micro_expression": File(
        "emotion",
        "CASME2_Single-Label-Micro-Expression-Recognition",
        "CAS_Single-Label-Micro-Expression-Recognition",
    ),
    "action_unit": File("emotion", "AffWild2_Action_Unit_Detection"),
    "emotion_cap": File("caption", "CelebV-Text_Emotion-Caption"),
    "relation_perr": File("emotion", "PERR_Single-Label-Conversational-Emotion-Recognition"),
    "conversation_meld": File(
        "emotion",
        "MELD_Single-Label-Conversational-Emotion-Recognition",
        "MELD_Single-Label-Conversational-Emotion-Recognition_new",
    ),
    "caption": File("caption", "caption_test_sampling_v2_all_example"),
    "rationale": File("rationale", "rationale"),
}

# Three times Emo-CFG's questions a video, in its order: about 10 on open attributes (3 there), 2 on closed ones (1), 4
# on expression (0.9), 0.6 captions and rationales (0.5). Each answer token weighs the same in the loss, so that long
# answers are asked for less often than there; a stage's mix takes a part of all this an epoch.
MIX: dict[str, float] = {
    "appearance_cls": 0.7,
    "appearance_cap": 0.2,
    "action_cls": 0.7,
    "action_cap": 0.2,
    "head_pose": 1.0,
    "qa_eyes": 0.8,
    "qa_eyebrows": 0.8,
    "qa_mouth": 0.8,
    "qa_nose": 0.9,
    "qa_hair": 1.0,
    "qa_chin": 0.6,
    "qa_face_shape": 0.8,
    "qa_facial_features": 0.8,
    "qa_accessories": 0.8,
    "qa_age": 1.0,
    "qa_gender": 1.0,
    "qa_skin": 0.9,
    "qa_body_actions": 0.6,
    "qa_head_actions": 0.6,
    "qa_facial_actions": 0.8,
    "emotion_dfew": 0.8,
    "emotion_mafw": 0.7,
    "emotion_mer2023": 0.6,
    "emotion_multi": 1.0,
    "fine_mead": 0.9,
    "fine_ravdess": 0.8,
    "sentiment_mosei": 0.5,
    "sentiment_mosi": 0.4,
    "sentiment_chsims": 0.8,
    "micro_expression": 1.0,
    "action_unit": 0.8,
    "emotion_cap": 0.25,
    "relation_perr": 1.0,
    "conversation_meld": 1.0,
    "caption": 0.35,
    "rationale": 0.35,
}
"""Share of the training clips, of those that can be asked a task, that are asked it."""

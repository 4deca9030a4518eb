"""Labels read off a clip's state, in the spelling of the benchmark's label sets.

What cannot be seen is not named: what a mask, sunglasses, a hat or a goatee hides (`hidden_parts`) is left out.

Never drawn, so never right: of ``appearance40`` blurry and high_cheekbones (and no_beard is left out: it says only
that four other labels are missing); of ``action35`` all but those in `actions`.
"""

from videmo.synth.face import BODY_ACTIONS, EMOTIONS, FACE_ACTIONS, HEAD_ACTIONS, Clip
from videmo.tasks import label_set

MAFW = {"Happy": "Happiness", "Sad": "Sadness", "Angry": "Anger"}  # the others have the same names
FINE = {"Disgust": "Disgusted", "Surprise": "Surprised"}
HIDES = {
    "mask": {"mouth", "nose", "chin", "cheeks", "jaw"},
    "sunglasses": {"eyes"},
    "hat": {"hairline"},
}


def hidden_parts(clip: Clip) -> set[str]:
    """The parts of the face that something is in front of: mouth, nose, chin, cheeks, jaw, eyes, hairline.

    A goatee hides the shape of the chin; hair beside the face is seen under a hat too.
    """
    parts = {"chin"} if clip.identity.beard == "goatee" else set()
    return parts.union(*(HIDES.get(name, ()) for name in clip.accessories))


def appearance(clip: Clip) -> dict[str, bool]:
    """The appearance labels that drawing shows, in the label set's order, and whether each is seen."""
    person, worn, hidden = clip.identity, clip.accessories, hidden_parts(clip)
    haired = person.hair_length != "bald"

    def seen(part: str, holds: bool) -> bool:
        return holds and part not in hidden

    # A mask hides a goatee; that the goatee in turn hides the chin concerns the double chin alone.
    beard = person.beard if "mask" not in worn else "none"
    return {
        "male": person.male,
        "young": person.age == "young",
        "chubby": seen("jaw", person.face_shape == "round"),
        "pale_skin": person.skin == "pale",
        "rosy_cheeks": seen("cheeks", "blush" in worn),
        "oval_face": seen("jaw", person.face_shape == "oval"),
        "receding_hairline": seen("hairline", person.receding),
        "bald": not haired,
        "bangs": seen("hairline", person.bangs),
        **{
            f"{colour}_hair": haired and person.hair_colour == colour for colour in ("black", "blonde", "gray", "brown")
        },
        "straight_hair": haired and person.hair_texture == "straight",
        "wavy_hair": haired and person.hair_texture == "wavy",
        "long_hair": person.hair_length == "long",
        "arched_eyebrows": person.eyebrows == "arched",
        "bushy_eyebrows": person.eyebrows == "bushy",
        "bags_under_eyes": seen("eyes", person.eye_bags),
        "eyeglasses": "eyeglasses" in worn,
        "sunglasses": "sunglasses" in worn,
        "narrow_eyes": seen("eyes", person.eye_shape == "narrow"),
        "big_nose": seen("nose", person.nose == "wide"),
        "pointy_nose": seen("nose", person.nose == "narrow"),
        "big_lips": seen("mouth", person.lips == "full"),
        "double_chin": seen("chin", person.chin == "double"),
        "5_o_clock_shadow": beard == "stubble",
        "goatee": beard == "goatee",
        "mustache": beard == "mustache",
        "sideburns": person.sideburns,
        "heavy_makeup": seen("eyes", "makeup" in worn),
        "wearing_earrings": "earrings" in worn,
        "wearing_hat": "hat" in worn,
        "wearing_lipstick": seen("mouth", "lipstick" in worn),
        "wearing_necklace": "necklace" in worn,
        "wearing_necktie": "necktie" in worn,
        "wearing_mask": "mask" in worn,
    }


def appearance_labels(clip: Clip) -> list[str]:
    """The labels of ``appearance40`` that are seen."""
    return [label for label, seen in appearance(clip).items() if seen]


def actions(clip: Clip) -> dict[str, bool]:
    """The action labels that drawing shows, in the label set's order, and whether each is done."""
    done = (clip.head_action, clip.face_action, clip.body_action)
    shown = {name: name in done for name in (*HEAD_ACTIONS, *FACE_ACTIONS, *BODY_ACTIONS) if name != "none"} | {
        "cry": clip.kind == "single" and clip.emotion == "Sad",  # its tears
        "frown": "AU4" in clip.aus,
        "smile": "AU12" in clip.aus,
        "sneer": clip.emotion == "Contempt",
    }
    return {label: shown[label] for label in label_set("action35") if label in shown}


def action_labels(clip: Clip) -> list[str]:
    """The labels of ``action35`` that are done."""
    return [label for label, done in actions(clip).items() if done]


def emotion_mafw(name: str) -> str:
    """An emotion under its name in ``mafw11``.

    Example:
        >>> emotion_mafw("Sad"), emotion_mafw("Anxiety")
        ('Sadness', 'Anxiety')
    """
    return MAFW.get(name, name)


def emotions_mafw(clip: Clip) -> list[str]:
    """All emotions felt at once, under their names in ``mafw11``."""
    felt = set(map(emotion_mafw, clip.emotions))
    return [label for label in label_set("mafw11") if label in felt]


def emotion_fine(clip: Clip) -> str:
    """Strength and emotion as ``fine22`` has them; a neutral face has no strength."""
    if clip.emotion == "Neutral":
        return "Neutral"
    return f"{clip.intensity.capitalize()} {FINE.get(clip.emotion, clip.emotion)}"


def sentiment(clip: Clip) -> str:
    """The label of ``sentiment3``: that of the emotion, and a surprise with a smile is a happy one."""
    if clip.emotion == "Surprise" and "AU12" in clip.aus:
        return "Positive"
    return {1: "Positive", 0: "Neutral", -1: "Negative"}[EMOTIONS[clip.emotion].valence]


def sentiment_fine(clip: Clip) -> str:
    """The label of ``sentiment7``: the sentiment with the emotion's strength; a medium one has no word for it."""
    label, strength = sentiment(clip), clip.intensity.capitalize()
    return label if label == "Neutral" or strength == "Medium" else f"{strength} {label}"

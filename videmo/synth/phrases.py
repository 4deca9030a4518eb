"""The words of the drawn world's captions: one wording for each label of the truth, in train and test alike."""

from collections.abc import Sequence

from videmo.synth.truth import Felt, Shown, Told

EXPRESSIONS = {  # {} takes the attribute that the expression rests on
    "brows: inner raised": "raised inner {}brows",
    "brows: outer raised": "raised outer {}brows",
    "brows: furrowed": "lowered {}brows",
    "cheeks: raised": "raised cheeks",
    "eyes: narrowed": "tight lids",
    "mouth: upper lip raised": "raised {}upper lip",
    "mouth: upturned corners": "raised {}lip corners",
    "mouth: downturned corners": "lowered {}lip corners",
    "mouth: tight lips": "tight {}lips",
    "mouth: pressed lips": "pressed {}lips",
    "mouth: parted lips": "parted {}lips",
    "jaw: dropped": "dropped jaw",
    "eyes: widened": "wide eyes",
    "eyes: drooping": "drooping lids",
    "mouth: one corner up": "a smirk",
    "eyes: tearful": "tears",
    "gaze: away": "averted gaze",
    "gaze: up": "upward gaze",
    "gaze: down": "downward gaze",
    "head: tilted": "tilted head",
}
EMOTIONS = {
    "emotion: happiness": "happy",
    "emotion: sadness": "sad",
    "emotion: neutral": "neutral",
    "emotion: anger": "angry",
    "emotion: surprise": "surprised",
    "emotion: disgust": "disgusted",
    "emotion: fear": "afraid",
    "emotion: contempt": "contemptuous",
    "emotion: anxiety": "anxious",
    "emotion: helplessness": "helpless",
    "emotion: disappointment": "disappointed",
    "emotion: repression": "repressed",
    "emotion: unclear": "unclear",
}
INTENSITIES = {"weak": "slightly ", "medium": "", "strong": "very "}
POSES = {
    "head: turned far left": "turned far left",
    "head: turned far right": "turned far right",
    "head: turned left": "turned slightly left",
    "head: turned right": "turned slightly right",
    "head: lowered": "lowered",
    "head: raised": "raised",
}
ACTIONS = {
    "action: nod": "nods",
    "action: shake head": "shakes the head",
    "action: head wagging": "wags the head",
    "action: turn head": "turns the head",
    "action: talk": "talks",
    "action: wink": "winks",
    "action: close eyes": "closes the eyes",
    "action: look around": "looks around",
    "action: yawn": "yawns",
    "action: kiss": "kisses",
    "action: drink": "drinks",
    "action: read": "reads",
    "action: listen to music": "listens to music",
    "action: sing": "sings",
    "action: smoke": "smokes",
}
THINGS = {  # what is had or worn
    "accessory: eyeglasses": "glasses",
    "accessory: sunglasses": "sunglasses",
    "accessory: mask": "a mask",
    "accessory: hat": "a hat",
    "accessory: earrings": "earrings",
    "accessory: necklace": "a necklace",
    "accessory: necktie": "a tie",
    "accessory: lipstick": "lipstick",
    "accessory: makeup": "makeup",
    "cheeks: rosy": "rosy cheeks",
    "beard: goatee": "a goatee",
    "beard: mustache": "a mustache",
    "beard: stubble": "stubble",
    "mark: freckles": "freckles",
    "mark: mole": "a mole",
    "mark: scar": "a scar",
}


def listed(items: Sequence[str]) -> str:
    """The items in words, empty for none.

    Example:
        >>> listed(["glasses", "a hat", "earrings"])
        'glasses, a hat and earrings'
    """
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def item(label: str) -> str:
    """The item of a label.

    Example:
        >>> item("hair: black")
        'black'
    """
    return label.partition(": ")[2]


def expression(shown: Shown) -> str:
    """An expression in words, with the attribute that it rests on."""
    attribute = f"{item(shown.rests_on)} " if shown.rests_on else ""
    return EXPRESSIONS[shown.label].format(attribute)


def feeling(felt: Felt) -> str:
    """An emotion in words, as strong as it is: ``very sad``."""
    return INTENSITIES[felt.intensity] + EMOTIONS[felt.label]


def is_bald(person: Told) -> bool:
    """Whether a person has no hair to describe."""
    return person.hair == ("hair: bald",)


def hair(person: Told) -> str:
    """The hair in words: ``short wavy black hair``; empty for a bald person."""
    return "" if is_bald(person) else " ".join([*map(item, person.hair), "hair"])


def with_article(words: str) -> str:
    """The words behind "a" or "an".

    Example:
        >>> with_article("elderly man")
        'an elderly man'
    """
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def pronouns(person: Told) -> dict[str, str]:
    """The words that templates put for a person: noun, pronoun, possessive, each also with a capital."""
    noun, subject, owner = ("man", "he", "his") if person.male else ("woman", "she", "her")
    return {"noun": noun, "she": subject, "She": subject.title(), "her": owner, "Her": owner.title()}

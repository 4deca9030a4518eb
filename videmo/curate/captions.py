"""Short captions made of a clip's labels: appearance, action and emotion, each in one sentence.

They say what the labels say and nothing else, in the words of ``wording.yaml``. A single label is asked for as it is;
only of two or more a caption is made.
"""

import re
from collections.abc import Callable, Collection, Mapping

from videmo.curate.wording import draws, pick, templates
from videmo.tasks import Answer

FEW = 2
"""Labels that make a caption."""
_OPTIONAL = re.compile(r"\[([^\]]*)\]")


def compose(labels: Mapping[str, Answer], video: str, seed: int) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Captions of a clip: caption task -> the text, and the tasks whose labels it states.

    Args:
        labels: Task -> what its labels say of the clip.
        video: The clip.
        seed: Of the templates drawn.

    Example:
        >>> labels = {"emotion_dfew": "Sad", "action_unit": frozenset(["AU1", "AU15"])}
        >>> compose(labels, "a.mp4", 0)["emotion_cap"][1]
        ('emotion_dfew', 'action_unit')
    """
    found = {}
    for task, says in _CAPTIONS.items():
        slots, used = says(labels)
        if sum(used.values()) >= FEW and slots:
            template = pick(templates()["captions"][task], draws(seed, task, "caption", video))
            found[task] = _fill(template, {**_who(labels), **slots}), tuple(used)
    return found


def _appearance(labels: Mapping[str, Answer]) -> tuple[dict[str, str], dict[str, int]]:
    """What is had and worn; who has it stands in the noun."""
    words, marks = templates()["words"], labels.get("appearance_cls", ())
    has, worn = ([words[kind][mark] for mark in _in_order(words[kind], marks)] for kind in ("has", "worn"))
    used = {"appearance_cls": len([mark for mark in marks if mark not in words["unsaid"]])}
    return {"has": listed(has), "worn": listed(worn)} if has or worn else {}, used


def _action(labels: Mapping[str, Answer]) -> tuple[dict[str, str], dict[str, int]]:
    words, used = templates()["words"], {}
    does = [words["actions"][action] for action in _in_order(words["actions"], labels.get("action_cls", ()))]
    pose = words["poses"].get(labels.get("head_pose"), "")
    if does:
        used["action_cls"] = len(does)
    if pose:
        used["head_pose"] = 1
    return {"does": listed(does), "pose": pose} if does else {}, used


def _emotion(labels: Mapping[str, Answer]) -> tuple[dict[str, str], dict[str, int]]:
    """How the person feels, by the label that says most, and the action units that show it."""
    words, used = templates()["words"], {}
    felt: list[str] = []
    for task in ("fine_mead", "emotion_multi", "emotion_mafw", "emotion_dfew"):
        said = labels.get(task, ())
        felt = [feeling(label) for label in ([said] if isinstance(said, str) else sorted(said))]
        if felt:
            used[task] = len(felt)
            break
    units = labels.get("action_unit", ())
    shown = list(dict.fromkeys(words["action_units"][unit] for unit in _in_order(words["action_units"], units)))
    if shown:
        used["action_unit"] = len(shown)
    return {"felt": listed(felt), "shown": listed(shown)} if felt else {}, used


_CAPTIONS: dict[str, Callable[[Mapping[str, Answer]], tuple[dict[str, str], dict[str, int]]]] = {
    "appearance_cap": _appearance,
    "action_cap": _action,
    "emotion_cap": _emotion,
}
"""Caption task -> the words of a caption, empty where there is nothing to say, and how many labels of which task."""


def feeling(label: str) -> str:
    """An emotion as an adjective.

    Example:
        >>> feeling("Strong Sad"), feeling("Happiness")
        ('very sad', 'happy')
    """
    words = templates()["words"]
    strength, _, emotion = label.rpartition(" ")
    return words["intensities"].get(strength, "") + words["emotions"][emotion]


def listed(items: list[str]) -> str:
    """Items in words, empty for none.

    Example:
        >>> listed(["a hat", "glasses", "earrings"])
        'a hat, glasses and earrings'
    """
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def _who(labels: Mapping[str, Answer]) -> dict[str, str]:
    marks, said = labels.get("appearance_cls", ()), str(labels.get("qa_gender", "")).lower().split()
    noun = "man" if "male" in marks or "man" in said else "woman" if "woman" in said else "person"
    who = f"a young {noun}" if "young" in marks else f"a {noun}"
    return {"who": who, "Who": who.capitalize(), "noun": f"the {noun}", "Noun": f"The {noun}"}


def _in_order(words: Mapping[str, str], labels: Collection[str]) -> list[str]:
    return [label for label in words if label in labels]


def _fill(template: str, slots: Mapping[str, str]) -> str:
    """A template with its names replaced, without the bracketed parts of which a name stands for nothing."""

    def kept(part: re.Match) -> str:
        return part[1] if all(slots[name] for name in re.findall(r"{(\w+)}", part[1])) else ""

    return _OPTIONAL.sub(kept, template).format(**slots).strip()

"""Which level of the affective tree a question of no task asks about, by its words (paper, section 3.3).

That is a guess, and a safe one: where words of several levels stand, or none that is known, all levels are asked first.
"""

import re

from videmo.affect import load_lexicon
from videmo.affect.matching import find_phrases
from videmo.tasks import LEVELS

_NAMES = {  # what questions call a thing; its kinds ("a hat", "smiling", "sad") are phrases of the lexicon
    "attribute": "accessories accessory age appearance clothes clothing color colour dressed eye eyes gender hair "
    "hairstyle makeup nose old skin wear wearing wears",
    "expression": "action actions brow brows cheeks doing expression expressions eyebrow eyebrows gesture gestures "
    "head lips mouth move moves movement movements moving",
    "emotion": "emotion emotional emotions feel feeling feelings feels felt mood why",
}
_LEVEL_OF = {name: level for level, names in _NAMES.items() for name in names.split()}


def level_of(question: str) -> str:
    """The highest level that a question names; ``emotion`` where it names none.

    Example:
        >>> level_of("What colour is her hair?"), level_of("Is the man with the hat smiling?")
        ('attribute', 'expression')
        >>> level_of("Why is she smiling?"), level_of("Is he sad?"), level_of("What happens here?")
        ('emotion', 'emotion', 'emotion')
    """
    words = re.findall(r"[a-z]+", question.lower())
    named = {_LEVEL_OF.get(word) for word in words}
    named |= {entry.kind for match in find_phrases(words, load_lexicon()) for entry in match.entries}
    return next((level for level in reversed(LEVELS) if level in named), LEVELS[-1])

"""Action units as models write them, in one spelling."""

import re

_NUMBERED = re.compile(
    r"(?<![A-Za-z0-9])(?:FACS )?(?:AUs?|action[ _]units?"
    r"|动作单元)(?:(?: \w+)? are)?[\s_:#-]*\(?[LR]?0*(\d+)[A-Ea-e]?(?![A-Za-z0-9.])"
    r"((?:\s*(?:,|\+|&|/|;|\band\b|,\s*and\b|和|与)\s*0*\d+(?![\w%]|\.\d)(?!\s*[:=(]))*)",
    re.IGNORECASE,
)
_BARE_NUMBERS = re.compile(r"[\s,;.&+\[\]()0-9]+")


def spell_action_units(text: str) -> str:
    """Action units in one spelling: "AU 04", "action unit 4", "au_4" and the 4 of "AUs 1, 2 and 4" become "AU4".

    Numbers alone count only where the text is nothing else, so that an intensity is never taken for a unit.

    Example:
        >>> spell_action_units("Action unit 04 and au 12"), spell_action_units("1, 4"), spell_action_units("AU6+12")
        ('AU4 and AU12', 'AU1, AU4', 'AU6+AU12')
    """
    bare = text.replace(" and ", ", ")
    if _BARE_NUMBERS.fullmatch(bare):
        return re.sub(r"0*(\d+)", r"AU\1", bare)
    return _NUMBERED.sub(lambda match: f"AU{match[1]}" + re.sub(r"0*(\d+)", r"AU\1", match[2]), text)

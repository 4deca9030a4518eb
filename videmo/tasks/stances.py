"""How a label in an answer is meant: denied, considered, stated, decided on, or said and nothing else.

A label is *denied* by a negation within a few words before it in its clause ("not happy", "ruled out fear"), by what
is said of it ("fear is unlikely", "AU2: no"), or with the list that it stands in ("no hat, scarf or mask"). "Might
be", "at first" and "although she smiles," make it *considered*. It is *decided* on where its clause draws a conclusion
("so", "most likely", "fits best"), and *bare* where its sentence says nothing else; one of several that an "or" joins
is an *alternative*, as is what is denied twice ("cannot rule out fear").
"""

import re
from enum import IntEnum


class Stance(IntEnum):
    """How a label is meant, from no to nothing but yes."""

    DENIED = 0
    ALTERNATIVE = 1
    CONSIDERED = 2
    STATED = 3
    DECIDED = 4
    BARE = 5


_REACH = 7  # words between a negation and the label that it negates; CJK text has no spaces: characters
_NOT = re.compile(
    r"\b(?:not|no|never|neither|nor|none|nothing|cannot|than|hardly|barely|less|anything but)\b|n't\b|"
    r"不(?!过)|没|無|无|并非|非(?!常)|未",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:unlikely|rul(?:e|es|ed|ing) out|exclud\w+|eliminat\w+|reject\w*|dismiss\w*|impossible|doubt\w*|den(?:y"
    r"|ies)|without|"
    r"lack\w*|absen\w+|devoid|free of|fails? to|far from|whether|cross(?:ed|ing)? out|discard\w*)\b"
    r"|\bif (?!i\b|you\b|one\b|we\b|forced\b|pressed\b|asked\b|anything\b)|排除|缺乏|是否",
    re.IGNORECASE,
)
_IS_NOT = re.compile(
    r"[\s)\]\"']{0,4}(?:(?:is|are|was|were|does|do|did|can|could|would|seems?|looks?|has|have)(?:\s*n't|\s+not)|不)"
    r"(?:\s+(?:be|seem|look|\w+ly))*\s*"
    r"(?:$|[.,;)]|(?:been )?(?:fit|match|correct|right|it|apply|appl|likely|supported|support|present|visible"
    r"|shown|seen|activ|"
    r"appropriate|suit|plausible|the\b|an option|displayed|detected|observed|a (?:good )?(?:fit|match)|possible"
    r"|work|hold|here|true)"
    r"|符合|是|对|正确|存在|明显)",
    re.IGNORECASE,
)
_IS_DENIED = re.compile(
    r"\W{0,4}(?:(?:is|are|was|were|can|could|should|be|also|therefore|thus|would|seems?|looks?|feels?|very|highly"
    r"|quite|clearly|too|"
    r"itself|as an option|well)\W+){0,4}"
    r"(?:(?:unlikely|excluded|ruled out|eliminated|out|wrong|incorrect|absent|missing|inactive|impossible"
    r"|dismissed|rejected|"
    r"less (?:likely|fitting|suitable|plausible)|off the table|implausible)\b|被?排除)",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    r"(?:[\s)\]]|\([^()\n]{0,40}\))*(?:[:=|]|\s->?\s|→)[^\n,;.]{0,40}?"
    r"(?:\b(?:(?P<no>no|false|absent|inactive|not \w+|none|n|0+(?:\.[0-4]\d*)?|否|无)|(?P<yes>yes|true|present"
    r"|active|y|是|有))(?![\w.])"
    r"|(?P<cross>✗|×)|(?P<tick>✓))|[\s).:\]]*(?:(?P<cross2>✗|×)|(?P<tick2>✓))|\s*\(\s*(?P<no2>no|absent|inactive"
    r"|0(?:\.[0-4]\d*)?|0%)\s*\)",
    re.IGNORECASE,
)
_MAYBE = re.compile(
    r"\b(?:(?:bit|touch|trace|tinge|element) of|with some|tr(?:y|ies|ying) to|pretend\w*|i (?:also )?considered"
    r"|may|might|could|can be|possibly|perhaps|maybe|at first|first glance|first sight|first impression|seemed"
    r"|i (?:first )?thought|"
    r"hints?|resembl\w*|similar|would need|would be|either|options?|choices|among|between|next to|close to"
    r"|confus\w+|mistaken|"
    r"mistake|despite|in spite of|although|though|even if|while|whereas|usually|typically|often|suggest(?:ing"
    r"|ion of)?)\b"
    r"|可能|也许|或许|乍看|虽然|尽管",
    re.IGNORECASE,
)
_MAYBE_AFTER = re.compile(
    r"[\s)]*(?:\((?:maybe|possibly|perhaps)\)|(?:is|are|was) (?:also )?(?:possible|conceivable)|(?:may|might"
    r"|could|would)\b|at first\b|comes (?:close|second)"
    r"|as well\?|[^.\n]{0,30}\?)",
    re.IGNORECASE,
)
_DECIDES = re.compile(
    r"^\W*(?:and )?so\b|\b(?:therefore|thus|hence|consequently|overall|in conclusion|to conclude|conclude"
    r"|concluded|conclusion|best|most likely|"
    r"likely|dominant|dominat\w+|primar\w+|predominant\w*|mainly|mostly|main|answers?|correct|choose|chose|select"
    r"|pick|go with|going with|"
    r"opt for|i'd say|would say|my guess|classified|categori[sz]ed|labell?ed|corresponds?|final|finally"
    r"|points? to|prevail\w*|settle|"
    r"strongest|most|ultimately|in the end|in sum\w*|on balance|surely)\b|所以|因此|综上|总体|主要|最|选",
    re.IGNORECASE,
)
_DECIDES_AFTER = re.compile(
    r"[\s)\]\"',]{0,4}(?:is|seems|appears|looks|would be|must be|remains|fits|matches|describes|dominates"
    r"|prevails)\b[^.;\n,]{0,24}?"
    r"\b(?:the (?:correct |right |best |final |most )?(?:answer|option|choice|one|fit|match)|correct|right|best"
    r"|dominant|most|answer|"
    r"fits best|likely|main|primary)\b|\s*(?:fits|matches|describes [^.,\n]{0,30}) best\b|是正确|最",
    re.IGNORECASE,
)
CJK = re.compile(r"[\u4e00-\u9fff]")


def stance_of(before: str, after: str, is_bare: bool) -> Stance:
    """How a label is meant.

    Args:
        before: What stands before it in its clause.
        after: What stands after it in its sentence.
        is_bare: Whether its sentence says nothing else.

    Example:
        >>> stance_of("she is not ", "", False).name, stance_of("", " is unlikely", False).name
        ('DENIED', 'DENIED')
    """
    near = before[-40:] if CJK.search(before) else " ".join(before.split()[-_REACH:])
    denied = bool(_NOT.search(near))
    doubly = bool(_DENIES.search(near))
    said = _VERDICT.match(after)
    verdict = said and (said["no"] or said["no2"] or said["cross"] or said["cross2"])
    if denied != doubly:
        return Stance.DENIED
    if verdict or _IS_NOT.match(after) or _IS_DENIED.match(after):
        return Stance.DENIED
    if denied:
        return Stance.ALTERNATIVE  # "cannot rule out fear"
    if _MAYBE.search(before) or _MAYBE_AFTER.match(after):
        return Stance.CONSIDERED
    if is_bare:
        return Stance.BARE
    if said or _DECIDES.search(before) or _DECIDES_AFTER.match(after):
        return Stance.DECIDED
    return Stance.STATED

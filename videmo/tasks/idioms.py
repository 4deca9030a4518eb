"""Idioms that hold a label, a negation or a doubt without meaning it, put plainly: "no doubt", "I'm afraid"."""

import re

_NOT_CERTAIN = (  # at a clause's end, it doubts an answer and takes none back; "not sure whether" is a refusal
    r"(?:\b(?:i(?:'m| am) )?not (?:(?:entirely|completely|totally|absolutely|quite|very|really|100%|fully) )?"
    r"(?:sure|certain|confident)(?: about (?:it|this|that))?"
    r"|\b(?:(?:can(?:not|'t)|could not|couldn't)"
    r"|(?:hard|difficult|tough) to) (?:be|say|tell|know) "
    r"(?:\w+ )?(?:sure|certain|for (?:sure|certain)|with (?:\w+ )?certainty))"
    r"(?=\s*(?:[.,;:!?)]|but|though|$))"
)
_TABLE = {
    r"\b(?:there(?:'s| is) )?(?:no|without(?: a| any)?|beyond(?: a| any)?|not a) (?:doubt|question)\b": "surely",
    r"\b(?:do(?:n't| not)|can(?:n't|not|'t)) doubt\b|毫无疑问|无疑": " surely ",
    r"\bimpossible not to\b": "must",
    r"\b(?:can(?:not|'t)|could(?:n't| not)) (?:help but|help|hide|conceal|contain|hold back)\b": "must",
    r"(?:\bnot|n't) (?:only|just|merely|simply|solely)\b|不仅仅?|不但|不只": " both",
    r"\b(?:none|nothing|no) [^.,;\n]{0,30}except(?: for)?\b|\bnothing (?:but|other than)\b|\bnone other than\b": "only",
    r"\b(?:anything|everything|all|any) but\b": "not",
    r"\b(?:rather than|instead of|as opposed to|other than|apart from|aside from|except(?: for)?)\b": "not",
    r"\b(?:could(?:n't| not)|can(?:not|'t)) be (?:any )?more\b": "is very",
    r"\b(?:perhaps|maybe|possibly) not\b(?=\W*$)|(?:也|或)(?:可能|许)不是?": " maybe different people ",
    r"\bi(?:'m| am) afraid\b|\bsadly,|\b(?:happy|glad|pleased) to\b|\bfeel free\b|\bsurprise,? surprise\b": "so to say",
    _NOT_CERTAIN: "so to say",
    r"\byes (?:or|/) ?no\b|\byes/no\b|是或否|是/否": " ",
    r"\bn/a\b": "none",
}
_IDIOMS = tuple((re.compile(idiom, re.IGNORECASE), plainly) for idiom, plainly in _TABLE.items())


def put_plainly(text: str) -> str:
    """A text with its idioms replaced by what they say.

    Example:
        >>> put_plainly("There is no doubt: anything but sad")
        'surely: not sad'
    """
    for idiom, plainly in _IDIOMS:
        text = idiom.sub(plainly, text)
    return text

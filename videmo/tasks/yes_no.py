"""Yes or no, said so, by the letter of a listed option, or in words about being the same person."""

import re
from collections.abc import Iterable

from videmo.tasks.answer_text import answer_text
from videmo.tasks.mentions import Mention, with_stances
from videmo.tasks.options import find_letters, question_options
from videmo.tasks.parsing import corrected_from
from videmo.tasks.stances import Stance

_YES = re.compile(
    r"^\W*y\W*$|^\W*(?:yes|yeah|yep|yup|correct|true|affirmative|absolutely|definitely|indeed|certainly"
    r"|of course)\b(?!\W+not\b)|\byes\b"
    r"|\bi (?:think|believe|suppose|guess) so\b|^\W*(?:it )?(?:seems|appears|looks) so\b|^\W*✓"
    r"|^\W*(?:probably|likely|most likely|possibly)\W*$|^\W*是(?:的|\s*[,.]|\s*$)|^\W*(?:对|没错|正确)",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*n\W*$|^\W*no way\b|^\W*(?:it(?:'s| is) )?(?:\w+ )?unlikely\W*$|^\W*(?:nope|nah|incorrect|false|negative"
    r"|not really)\b|^\W*no(?=\s*(?:$|[.,;:!)\n-]|(?:they|these|the|it|this|i|he|she|there)\b))"
    r"|\bno(?=\s*(?:[.,;:!)]|$))|^\W*(?:\w+ ){0,2}not\W*$|\bdo(?:n't| not) (?:think|believe) so\b|^\W*✗"
    r"|^\W*(?:否|不是|不对|不(?=\s*[,.]|\s*$))",
    re.IGNORECASE,
)
_PERSONS = (
    "persons?|people|m[ae]n|wom[ae]n|individuals?|girls?|boys?|lady|ladies|guys?|actors?|actress|subjects?|one|identity|"
    "identities|human|characters?|speakers?|being|faces?|male|female|child"
)
_ARE = (
    rf"\b(?:(?:they|these|those|both|it)(?: two| {_PERSONS}| videos| clips)*|(?:{_PERSONS}|videos"
    rf"|clips)(?!'s)(?: [^.,;\n]{{0,40}}?)?)"
    r"(?: do(?:es)?(?:n't| not))?(?:'re| (?:is|are|were|be|look|looks|appears?|seems?))"
    r"(?: (?:both|all|clearly|likely|probably|indeed|obviously|really|most likely|to be))*(?:n't| not)?(?: the"
    r"| one and the)? "
)
_ENDS = r"(?=\s*(?:$|[.,;:!)]|in\b|across\b|as\b|and\b|but\b|because\b|from\b))"
_SAME = re.compile(
    rf"\bsame[ _](?:(?!(?:but|and|as|in)\b)\w+[ _-]){{0,2}}?(?:{_PERSONS})(?![a-z])|{_ARE}(?P<are>same"
    rf"|identical){_ENDS}"
    rf"|\b(?:features|they|{_PERSONS})(?: \w+){{0,2}} (?P<agree>match|matches)\b|\ba (?P<a>match)\b"
    rf"|\bone and the same\b|\b(?:are|is|be|just|only) (?:one|a single) (?:person|individual|man|woman)\b"
    rf"|^\W*(?:not? )?(?:the )?(?P<only>same|identical|match)\W*$"
    rf"|(?:is|was) not (?P<is>the (?:{_PERSONS})) (?:in|from|of)\b|同一(?:个人|人|位|名|个)|相同的?人",
    re.IGNORECASE,
)
_DIFFERENT = re.compile(
    rf"\b(?:different|distinct|separate|other|differing)[ _](?:(?!(?:but|and|as"
    rf"|in)\b)\w+[ _-]){{0,2}}?(?:{_PERSONS})(?![a-z])"
    rf"|{_ARE}(?P<are>different|distinct){_ENDS}|\b(?:they|{_PERSONS})(?: (?:clearly|obviously|do))? differ\b"
    rf"|^\W*(?:not )?(?P<only>different)\W*$"
    r"|\b(?:some(?:body|one)|anyone) else\b|\banother (?:person|man|woman)\b"
    rf"|\btwo (?:\w+ )?(?:{_PERSONS})(?=\s*(?:[.,;:!)]|$))"
    rf"|^\W*不同\W*$|不同的?(?:\S{{0,2}}人|\S?个体)|两个人(?=\s*[,.]|\s*$)",
    re.IGNORECASE,
)


def parse_yes_no(text: str, question: str = "") -> str | None:
    """``Yes`` or ``No``, said so or in words about being the same person; None if neither or both.

    Words are turned round where the question asks whether the persons differ. What is meant most counts, as for a
    choice: "it could be the same person" stands back behind "they are different people".
    """
    text = answer_text(text) or ""
    if not text:
        return None
    asks_same = not re.search(r"different|不同", question, re.IGNORECASE) or re.search(
        r"same|同一", question, re.IGNORECASE
    )
    about_persons = [("Yes" if asks_same else "No", _SAME), ("No" if asks_same else "Yes", _DIFFERENT)]
    mentions = with_stances(text, _letters(text, question) + _found(text, about_persons))
    mentions = [_turned(mention) if mention.stance is Stance.DENIED else mention for mention in mentions]
    mentions += _found(text, [("Yes", _YES), ("No", _NO)])
    if corrected := corrected_from(text, mentions):
        mentions = [m for m in mentions if m.start >= corrected]
    for is_meant in (lambda m: m.stance >= Stance.STATED, lambda m: m.stance >= Stance.CONSIDERED):
        if found := {m.meaning for m in mentions if is_meant(m)}:
            return found.pop() if len(found) == 1 else None
    return None


def _found(text: str, patterns: Iterable[tuple[str, re.Pattern]]) -> list[Mention]:
    pairs = ((answer, match) for answer, pattern in patterns for match in pattern.finditer(text))
    return [Mention(answer, *match.span(match.lastgroup or 0)) for answer, match in pairs]


def _letters(text: str, question: str) -> list[Mention]:
    """Letters of options that each mean yes or no: "A. Yes", "B. Different people"."""
    asked = question.partition("\n")[0]
    options = question_options(question)
    listed = {letter: said for letter, option in options.items() if (said := parse_yes_no(option, asked)) is not None}
    if len(listed) < len(options):
        return []
    return [mention._replace(meaning=listed[mention.meaning]) for mention in find_letters(text, listed)]


def _turned(mention: Mention) -> Mention:
    return mention._replace(meaning="No" if mention.meaning == "Yes" else "Yes", stance=Stance.STATED)

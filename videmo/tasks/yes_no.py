"""Yes or no, said so, by the letter of a listed option, or in words about being the same person."""

import re

from videmo.tasks.answer_text import answer_text
from videmo.tasks.mentions import Mention, Stance, find_phrases, normalise, with_stances
from videmo.tasks.parsing import corrected_from, find_letters, question_options

_YES = re.compile(
    r"^\W*y\W*$|^\W*(?:yes|yeah|yep|yup|correct|true|affirmative|absolutely|definitely|indeed|certainly|of course)\b(?!\W+not\b)|\byes\b"
    r"|\bi (?:think|believe|suppose|guess) so\b|^\W*(?:it )?(?:seems|appears|looks) so\b|^\W*✓"
    r"|^\W*(?:probably|likely|most likely|possibly)\W*$|^\W*是(?:的|\s*[,.]|\s*$)|^\W*(?:对|没错|正确)",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*n\W*$|^\W*(?:nope|nah|incorrect|false|negative|not really)\b|^\W*no(?=\s*(?:$|[.,;:!)\n-]|(?:they|these|the|it|this|i|he|she|there)\b))"
    r"|\bno(?=\s*(?:[.,;:!)]|$))|^\W*(?:\w+ ){0,2}not\W*$|\bdo(?:n't| not) (?:think|believe) so\b|^\W*✗"
    r"|^\W*(?:否|不是|不对|不(?=\s*[,.]|\s*$))",
    re.IGNORECASE,
)
_PERSONS = "person|persons|people|man|men|woman|women|individuals?|girls?|boys?|lady|ladies|guys?|actors?|actress|subjects?|one|identity|identities|human|characters?|speakers?|being|face|faces|male|female|child"
_ARE = (
    rf"\b(?:(?:they|these|those|both|it)(?: two| {_PERSONS}| videos| clips)*|(?:{_PERSONS}|videos|clips)(?!'s)(?: [^.,;\n]{{0,40}}?)?)"
    r"(?:'re| (?:is|are|were|be|look|looks|appears?|seems?))"
    r"(?: (?:both|all|clearly|likely|probably|indeed|obviously|really|most likely|to be))*(?:n't| not)?(?: the| one and the)? "
)
_ENDS = r"(?=\s*(?:$|[.,;:!)]|in\b|across\b|as\b|and\b|but\b|because\b|from\b))"
_SAME = re.compile(
    rf"\bsame[ _](?:(?!(?:but|and|as|in)\b)\w+[ _-]){{0,2}}?(?:{_PERSONS})(?![a-z])|{_ARE}(?P<are>same|identical){_ENDS}"
    r"|\b(?:one|a single) (?:and the same )?(?:person|individual|man|woman)\b|^\W*(?:not )?(?:the )?(?P<only>same|identical|match)\W*$"
    rf"|(?:is|was) not (?P<is>the (?:{_PERSONS})) (?:in|from|of)\b|同一(?:个人|人|位|名|个)|相同的?人",
    re.IGNORECASE,
)
_DIFFERENT = re.compile(
    rf"\b(?:different|distinct|separate|other|differing)[ _](?:(?!(?:but|and|as|in)\b)\w+[ _-]){{0,2}}?(?:{_PERSONS})(?![a-z])"
    rf"|{_ARE}(?P<are>different|distinct){_ENDS}|\b(?:they|{_PERSONS})(?: (?:clearly|obviously|do))? differ\b|^\W*(?:not )?(?P<only>different)\W*$"
    r"|\b(?:some(?:body|one)|anyone) else\b|\banother (?:person|man|woman)\b"
    rf"|\btwo (?:\w+ )?(?:{_PERSONS})(?=\s*(?:[.,;:!)]|$))|不同的?(?:\S{{0,2}}人|\S?个体)|两个人(?=\s*[,.]|\s*$)",
    re.IGNORECASE,
)


def parse_yes_no(text: str, question: str = "") -> str | None:
    """``Yes`` or ``No``, said so or in words about being the same person; None if neither or both.

    Words are turned round where the question asks whether the persons differ. What is meant most counts, as for a
    choice: "it could be the same person" stands back behind "they are different people".
    """
    text = answer_text(text)
    if not text:
        return None
    asked_to_differ = bool(re.search(r"different|不同", question, re.IGNORECASE)) and not re.search(r"same|同一", question, re.IGNORECASE)
    listed = {letter: parse_yes_no(option, question.partition("\n")[0]) for letter, option in question_options(question).items()}
    letters = [m._replace(meaning=listed[m.meaning]) for m in find_letters(text, listed)] if None not in listed.values() else []
    words = [Mention(("Yes", "No")[is_same == asked_to_differ], *m.span(m.lastgroup or 0)) for is_same, pattern in ((True, _SAME), (False, _DIFFERENT)) for m in pattern.finditer(text)]
    said = [Mention(answer, *m.span()) for answer, pattern in (("Yes", _YES), ("No", _NO)) for m in pattern.finditer(text)]
    mentions = with_stances(text, letters + words)
    turned = {"Yes": "No", "No": "Yes"}
    mentions = [m._replace(meaning=turned[m.meaning], stance=Stance.STATED) if m.stance is Stance.DENIED else m for m in mentions]
    mentions += [m._replace(stance=min(m.stance, Stance.STATED) or Stance.STATED) for m in with_stances(text, said)]
    if corrected := corrected_from(text, mentions):
        mentions = [m for m in mentions if m.start >= corrected]
    for is_meant in (lambda m: m.stance >= Stance.STATED, lambda m: True):
        if found := {m.meaning for m in mentions if is_meant(m)}:
            return found.pop() if len(found) == 1 else None
    return None

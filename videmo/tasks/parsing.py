"""Answer text to labels, by rule, and no doubt is ever read as an answer.

`answer_text` takes from an output what is its answer, `mentions` finds labels in it, `stances` tells how each is
meant. Here is the decision, by kind of answer. Of one choice, only what is meant most counts: "B. Sad" by itself, or a
conclusion, before what else is said. All of that must agree: a letter, a label and a word of a label ("fear", "30
degrees") each leave some options, and one option must remain of all. A set of labels is all that is not denied. These
are not answers (`None`): a refusal ("I cannot tell"), several options where one is asked, what is only denied ("not
happy"), a letter that contradicts its text ("B. Happy" where B is Sad).
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from videmo.tasks.adjectives import adjectives_of_nouns
from videmo.tasks.answer_text import answer_text
from videmo.tasks.mentions import Mention, find_phrases, normalise, with_stances
from videmo.tasks.options import mentions_of_options, without_listed_options
from videmo.tasks.stances import Stance

_CORRECTION = re.compile(
    r"(?<=[\s.,;(?!-])(?:wait|hold on|actually|correction|scratch that|on (?:second|closer|further) (?:thoughts?"
    r"|look|inspection|"
    r"reflection|viewing)|on reflection|let me (?:correct|reconsider|rethink|revise)|i take that back|i mean"
    r"|i stand corrected|or rather|"
    r"i changed? my mind|(?<=[.?!-]\s)no[,.:](?!\s*no\b)|(?<=[.?!-])no[,.:])(?!\w)|不对|更正|等等|其实|应该是",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"^\W*(?:there(?:'s| is| are) )?(?:none|nothing|n/a|无$|没有|no (?:\w+ ){0,2}(?:units?|aus?|attributes?|labels?"
    r"|actions?|emotions?|apply|applies))\b"
    r"|^\W*(?:no|zero) (?:facial )?(?:action units?|attributes?|actions?)\b|^\W*(?:无|没有|均无)",
    re.IGNORECASE,
)


def parse_single_choice(text: str, options: Mapping[str, str], phrases: Mapping[str, frozenset[str]]) -> str | None:
    """The one option that a text names, by letter, by text or by both; None if none or several.

    Args:
        text: The model's answer.
        options: Letter -> label.
        phrases: Normalised phrase -> the labels that it leaves, as `choice_table` makes it.
    """
    text = answer_text(text) or ""
    if not text:
        return None
    text = without_listed_options(text, options)
    mentions = mentions_of_options(text, options, phrases)
    if corrected := corrected_from(text, mentions):
        mentions = [mention for mention in mentions if mention.start >= corrected]
    if not mentions:
        return _nearly(text, phrases)
    if (labelled := _LETTER_AND_WORD.fullmatch(text)) and mentions[0].end == mentions[-1].start + 1:
        option = options.get(labelled[1], "")
        return option if option.lower().startswith(labelled[2].lower()[:3]) else None  # "B. Hap", but not "B. Jealous"
    return _decide(_highest_scored(text, mentions))


_LETTER_AND_WORD = re.compile(r"\W*([A-Z])\s?[.):-]+\s*([A-Za-z]+)\W*")
_SCORE = re.compile(r"[\s)\]]*(?:[:=|(,-]|\s->)?\s*\(?(\d+(?:\.\d+)?)\s*%?(?=\s*(?:[),;|\n]|/10|\.?$))")


def _highest_scored(text: str, mentions: list[Mention]) -> list[Mention]:
    """Mentions, of which all but the highest scored are denied where several have scores ("Happy: 0.7, Sad: 0.2")."""
    scores = [float(match[1]) if (match := _SCORE.match(text, mention.end)) else None for mention in mentions]
    given = [score for score in scores if score is not None]
    if len(given) < 2 or given.count(max(given)) > 1:
        return mentions
    meant = {max(given): Stance.BARE}
    pairs = zip(mentions, scores, strict=True)
    return [m if score is None else m._replace(stance=meant.get(score, Stance.DENIED)) for m, score in pairs]


def _decide(mentions: list[Mention]) -> str | None:
    """The option that remains of all that is meant most, and of what is meant less where that leaves several."""
    left: frozenset[str] | None = None
    for stance in (Stance.BARE, Stance.DECIDED, Stance.STATED, Stance.CONSIDERED):
        for mention in (mention for mention in mentions if mention.stance is stance):
            left = mention.meaning if left is None else left & mention.meaning
        if left is not None and len(left) <= 1:
            return next(iter(left), None)
    if left is None:
        return None
    denied = frozenset().union(*(m.meaning for m in mentions if m.stance is Stance.DENIED and m.meaning < left))
    plainest = [label for label in left if all(normalise(label) in normalise(other) for other in left)]
    rest = plainest or list(left - denied)  # "negative" is the label Negative, not one of those that say how much
    return rest[0] if len(rest) == 1 else None


def corrected_from(text: str, mentions: Iterable[Mention]) -> int:
    """Where what a text says in correction of itself begins ("A. Wait, actually B"); 0 if it does not."""
    places = [mention.start for mention in mentions if mention.stance is not Stance.DENIED]
    if not places:
        return 0
    starts = [match.start() for match in _CORRECTION.finditer(text) if places[0] < match.start() < places[-1]]
    return starts[-1] if starts else 0


_SHORT_ANSWER = 4  # words


def _nearly(text: str, phrases: Mapping[str, frozenset[str]]) -> str | None:
    """The option that a short answer is but for a typing error ("Comtempt") or its end, which was cut off ("Surpr")."""
    said = normalise(re.sub(r"[^\w\s'-]", " ", text.rpartition(":")[2]))
    if len(said) < 4 or len(said.split()) > _SHORT_ANSWER:
        return None
    near = [phrase for phrase, left in phrases.items() if phrase.startswith(said) and phrase in map(normalise, left)]
    near += [
        phrase
        for phrase in get_close_matches(said, phrases, n=3, cutoff=0.85)
        if phrase[0] == said[0] and abs(len(phrase) - len(said)) <= 1 and len(said) > 4
    ]
    left = frozenset.intersection(*(phrases[phrase] for phrase in near)) if near else frozenset()
    return next(iter(left)) if len(left) == 1 else None


def parse_label_set(text: str, phrases: Mapping[str, str]) -> frozenset[str] | None:
    """All labels that a text names and does not deny; the empty set for "none"; None if it names nothing it could be
    read by.

    Where "no hat" is a label, or stands for one, it is what "she does not wear a hat" names.
    """
    text = answer_text(text) or ""
    return None if not text else _read_set(text, _mentions_of_labels(text, phrases))


def parse_listed_labels(text: str, options: Mapping[str, str], phrases: Mapping[str, str]) -> frozenset[str] | None:
    """All labels that a text names by the letters of listed options, by words or by both.

    "A, C", "AC", "A. Anger, C. Fear" and "anger and fear" are the same; None where a letter contradicts its text.

    Args:
        text: The model's answer.
        options: Letter -> label: what the question lists.
        phrases: Normalised phrase -> label.
    """
    text = answer_text(text) or ""
    if not text:
        return None
    is_label = normalise(text.strip(" .")) in phrases  # "bald" is one, and not B, A, L and D
    if not is_label and (letters := _bare_letters(text, options)):
        return frozenset(options[letter] for letter in letters)
    table = {phrase: frozenset([label]) for phrase, label in phrases.items()}
    mentions = mentions_of_options(text, options, table)
    return None if any(not mention.meaning for mention in mentions) else _read_set(text, mentions)


_BARE_LETTERS = re.compile(r"[A-Z](?:[\s,;.&+/()\[\]]*[A-Z])*[\s.)\]]*", re.IGNORECASE)


def _bare_letters(text: str, options: Mapping[str, str]) -> list[str]:
    """The letters of an answer that is nothing else ("A, C", "AC"), each an option and named once; else none."""
    bare = re.sub(r"\b(?:and|options?|choices?|both)\b|和|及", " ", text, flags=re.IGNORECASE).strip(" ([:")
    letters = re.findall(r"[A-Z]", bare.upper())
    good = _BARE_LETTERS.fullmatch(bare) and set(letters) <= set(options) and len(set(letters)) == len(letters)
    return letters if good else []


def _mentions_of_labels(text: str, phrases: Mapping[str, str]) -> list[Mention]:
    table = {phrase: frozenset([label]) for phrase, label in phrases.items()}
    absences = {phrase.removeprefix("no "): label for phrase, label in phrases.items() if phrase.startswith("no ")}
    nothing = {phrase: frozenset() for phrase in absences if phrase not in table}
    found = with_stances(text, find_phrases(text, table | nothing) + adjectives_of_nouns(text, table))
    return [
        m._replace(meaning=frozenset([absences[said]]), stance=Stance.STATED)
        if m.stance is Stance.DENIED
        and (said := normalise(text[m.start : m.end])) in absences
        and _ABSENT.search(text, max(0, m.start - 40), m.start)
        else m
        for m in found
    ]


# What stands between a negation and what is absent: "does not have any", but not "does not have long" (hair).
_ABSENT = re.compile(
    r"(?:not|n't|no|without|nor|neither|or|,|没有?|无)\s*(?:(?:ha(?:ve|s)|wear\w*|got|any|an?|the|show\w*|see"
    r"|seem to|appear to|be)\s+)*$",
    re.IGNORECASE,
)


def _read_set(text: str, mentions: list[Mention]) -> frozenset[str] | None:
    if corrected := corrected_from(text, mentions):
        mentions = [mention for mention in mentions if mention.start >= corrected]
    meant = [mention for mention in mentions if mention.stance is not Stance.DENIED]
    labels = frozenset().union(*(mention.meaning for mention in meant))
    return labels if labels or _NONE.match(text) else None

"""A caption to its affective tree, by rule: who is spoken of, what is said of them, and which is the reason for which.

An expression in the sentence of an emotion is a reason for it; in a later sentence about the same person a face's
expression still is, a pose or an action is not. An attribute is beneath an expression where both are said of the same
mention of a part of the face ("her bushy brows are drawn together").
"""

from functools import lru_cache
from typing import NamedTuple

from videmo.affect.lexicon import Lexicon, load_lexicon
from videmo.affect.matching import Match, is_light
from videmo.affect.persons import NARROWER, Emotion, Person
from videmo.affect.reading import Fact, Sentence, read_sentences
from videmo.affect.tree import AffectiveTree

_DOING = ("head", "action", "body", "hands")  # aspects that go on beside an emotion unless said to show it
_PLURALS = ("women", "men", "girls", "boys", "children", "people", "persons")
_FEMALE, _MALE = ("woman", "girl"), ("man", "boy")


class Parse(NamedTuple):
    """A caption's tree, and the words with content that found no place in it."""

    tree: AffectiveTree
    unplaced: list[str]


def parse_caption(text: str) -> Parse:
    """The affective tree of a caption in English, and what of it could not be placed. It never fails.

    Example:
        >>> parse = parse_caption("A woman looks sad: the corners of her thin lips turn down. She has zebra hair.")
        >>> str(parse.tree), parse.unplaced
        ('video(person: woman(emotion: sadness(mouth: downturned corners(lips: thin))))', ['zebra'])
    """
    reader = _Reader(load_lexicon())
    unplaced: list[str] = []
    for number, sentence in enumerate(read_sentences(text, reader.lexicon)):
        reader.read(number, sentence)
        unplaced += sentence.unplaced
    return Parse(reader.tree(), unplaced)


@lru_cache(maxsize=2**13)  # metrics and rewards read the same references, and the same completions, again and again
def caption_tree(text: str) -> AffectiveTree:
    """`parse_caption`'s tree, kept for the captions that were read last."""
    return parse_caption(text).tree


class _Reader:
    """Goes through a caption's sentences and keeps who is spoken of."""

    def __init__(self, words: Lexicon) -> None:
        self.lexicon = words
        self.persons: list[Person] = []
        self.current: Person | None = None
        self.ahead: list[Fact] = []  # said before anybody was named
        self.scene: dict[str, None] = {}

    def tree(self) -> AffectiveTree:
        if self.ahead:
            self._meet(Person("person"))
        children = [person.tree() for person in self.persons]
        if self.scene:
            children.append(AffectiveTree("scene", tuple(map(AffectiveTree, self.scene))))
        return AffectiveTree("video", tuple(children))

    def read(self, number: int, sentence: Sentence) -> None:
        """Places one sentence's facts: emotions first, so that their reasons may come before them."""
        owners: dict[int, Person | None] = {}
        held: list[int] = []
        for match in sentence.matches:
            if match.value("person") and match.entries:
                self._name(sentence, match)
                owners.update(dict.fromkeys(held, self.current))
            elif (word := match.value("word")) in ("he", "she", "his", "her"):
                self._pronoun(sentence, match, word)
            held = [*held, match.start] if _describes(sentence, match) else []
            owners[match.start] = self.current
        if self.persons and None in owners.values():
            first = next(person for person in owners.values() if person) if any(owners.values()) else self.current
            owners = {start: person or first for start, person in owners.items()}
        times = _times(sentence)
        for fact in sentence.facts:
            person = owners[fact.match.start]
            if fact.level == "scene":
                self.scene[fact.label] = None
            elif person is None:
                self.ahead.append(fact)
            elif fact.level == "emotion":
                emotion = Emotion(fact.label, (number, fact.match.start), fact.match.group)
                emotion.qualities |= _qualities(sentence, fact.match, times, self.lexicon)
                person.feel(emotion)
        for fact in sentence.facts:
            person = owners[fact.match.start]
            if person is not None and fact.level == "expression":
                self._show(person, fact, number, times)
        for fact in sentence.facts:
            person = owners[fact.match.start]
            if person is not None and fact.level == "attribute":
                person.have(fact.label, _rests(sentence, fact))

    def _show(self, person: Person, fact: Fact, number: int, times: dict[int, str]) -> None:
        emotions = list(person.emotions.values())
        here = [emotion for emotion in emotions if emotion.place[0] == number]
        group = [emotion for emotion in here if emotion.group == fact.match.group]
        first = [emotion for emotion in emotions if "time: first" in emotion.qualities]
        doing = fact.label.partition(":")[0] in _DOING
        if not group and times.get(fact.match.group) == "first":
            person.show(fact.label, first[0].label if first else None)
        elif group or here:
            person.show(fact.label, _nearest(group or here, fact.match.start))
        elif doing or not emotions:
            person.show(fact.label, None)
            if not doing:
                person.waiting.append(fact.label)
        else:
            person.show(fact.label, emotions[-1].label)

    def _meet(self, person: Person) -> None:
        self.persons.append(person)
        self.current = person
        for fact in self.ahead:
            if fact.level == "emotion":
                person.feel(Emotion(fact.label, (0, 0), 0))
            elif fact.level == "expression":
                person.show(fact.label, None)
                person.waiting.append(fact.label)
            else:
                person.have(fact.label, None)
        for fact in self.ahead if person.emotions else ():
            if fact.level == "expression":
                person.show(fact.label, next(iter(person.emotions)))
        self.ahead = []

    def _name(self, sentence: Sentence, match: Match) -> None:
        noun, tokens = match.value("person") or "", sentence.tokens
        said = [token for token in tokens[max(0, match.start - 4) : match.start] if token not in (",",)]
        words = [other.value("word") for other in sentence.matches if match.start - 4 <= other.start < match.start]
        if tokens[match.start] in _PLURALS:
            if "two" in words and not self.persons:
                for _ in range(2):
                    self._meet(Person(noun))
                self.current = self.persons[0]
            return
        side = _side(sentence, match)
        ordinal = next((word[-1] for word in words if word and word.startswith("ordinal")), None)
        known = [person for person in reversed(self.persons) if person.fits(noun)]
        if side:
            known = [p for p in known if p.side == side] or [p for p in known if p.side is None and "a" not in said]
        elif ordinal:
            known = self.persons[int(ordinal) - 1 :][:1]
        elif "other" in words or "another" in said:
            known = [person for person in known if person is not self.current]
        elif not _is_apposition(sentence, match) and ("a" in said or "an" in said):
            known = []
        elif self.current in known:
            known = [self.current]
        if known:
            self.current = person = known[0]
            person.become(noun)
        else:
            person = Person(noun)
            self._meet(person)
        person.side = person.side or side

    def _pronoun(self, sentence: Sentence, match: Match, word: str) -> None:
        nouns, noun = (_FEMALE, "woman") if word in ("she", "her") else (_MALE, "man")
        after = sentence.tokens[match.end] if match.end < len(sentence.tokens) else ","
        if word in ("his", "her") and (after == "," or sentence.tokens[match.start] in ("him", "himself", "herself")):
            return
        if self.current is None:
            self._meet(Person(noun))
        elif self.current.noun in NARROWER:
            self.current.become(noun if self.current.noun == "person" else nouns[1])
        elif self.current.noun not in nouns:
            known = [person for person in reversed(self.persons) if person.noun in nouns or person.noun in NARROWER]
            if known:
                self.current = known[0]
                self.current.become(noun)
            elif word in ("he", "she"):
                self._meet(Person(noun))


def _describes(sentence: Sentence, match: Match) -> bool:
    """Whether a phrase may describe the person named right after it: "young" in "a young Asian woman"."""
    follows = sentence.tokens[match.end] if match.end < len(sentence.tokens) else "."
    ends = follows in ("with", "is", "are", "has", "who", "and", ".", "in", "on", "as", "looks", "wears", ";", ":")
    return match.value("attribute") is not None and not ends


def _is_apposition(sentence: Sentence, match: Match) -> bool:
    """Whether "a man" says who somebody named already is: "the actor, a tall man", "she is a young woman"."""
    before = sentence.tokens[: match.start]
    article = max((place for place, token in enumerate(before) if token in ("a", "an")), default=0)
    earlier = [other for other in sentence.matches if other.start < article]
    named = any(other.value("person") or other.value("word") in ("he", "she") for other in earlier)
    return named and before[article - 1] in ("is", "was", ",")


def _side(sentence: Sentence, match: Match) -> str | None:
    """Left or right, said with the person or at the start of the sentence."""
    for other in sentence.matches:
        word = other.value("word") or ""
        near = other is match or 0 <= other.start - match.end < 3 or (other.start == 0 and match.start - other.end < 7)
        if word.startswith("side ") and near:
            return word.removeprefix("side ")
    return None


def _times(sentence: Sentence) -> dict[int, str]:
    """Group -> "first", "then" or "brief", where a word of the sentence says so."""
    times, now = {}, None
    for match in sentence.matches:
        word = match.value("word")
        if word in ("first", "then", "brief"):
            now = word
        if now:
            times[match.group] = now
    return times


def _qualities(sentence: Sentence, match: Match, times: dict[int, str], words: Lexicon) -> set[str]:
    """How strong an emotion is said to be, and when it is felt."""
    qualities, tokens = set(), sentence.tokens
    before = [other for other in sentence.matches if other.end <= match.start]
    if before and before[-1].value("intensity") and all(map(is_light, tokens[before[-1].end : match.start])):
        qualities.add(f"intensity: {before[-1].value('intensity')}")
    elif " ".join(tokens[match.start : match.end]) in words.strong:
        qualities.add("intensity: strong")
    turned_from = before and before[-1].value("word") == "from" and "to" in tokens[match.end :]
    if turned_from or times.get(match.group) == "first":
        qualities.add("time: first")
    elif times.get(match.group) == "brief":
        qualities.add("time: brief")
    return qualities


def _nearest(emotions: list[Emotion], place: int) -> str:
    """The last emotion named before a place in the sentence, else the first after it."""
    before = [emotion for emotion in emotions if emotion.place[1] <= place]
    return max(before, key=lambda e: e.place[1]).label if before else min(emotions, key=lambda e: e.place[1]).label


def _rests(sentence: Sentence, attribute: Fact) -> str | None:
    """The first expression said of the same mention of a part of the face as an attribute."""
    if attribute.part is None:
        return None
    shown = (f.label for f in sentence.facts if f.level == "expression" and f.part is attribute.part)
    return next(shown, None)

"""What a caption has said so far of one person: emotions, the expressions that show them, the attributes beneath."""

from dataclasses import dataclass, field

from videmo.affect.tree import AffectiveTree

PLACEHOLDER = "-"
NARROWER = {"person": ("woman", "man", "girl", "boy", "child"), "child": ("girl", "boy")}
"""A noun that leaves something open -> the nouns that say more."""


@dataclass
class Emotion:
    """An emotion, and where the caption last named it: sentence and token, and the group within the sentence."""

    label: str
    place: tuple[int, int]
    group: int
    qualities: set[str] = field(default_factory=set)


@dataclass
class Person:
    """What is known of a person so far.

    Attributes:
        noun: A person of the lexicon.
        side: Left or right, where it was said.
        emotions: Label -> emotion, in order of mention.
        expressions: Label -> the label of the emotion that it shows; None where it shows none.
        attributes: Label -> the label of the expression that rests on it; None where none does.
        waiting: Expressions said before any emotion, which the first one takes.
    """

    noun: str
    side: str | None = None
    emotions: dict[str, Emotion] = field(default_factory=dict)
    expressions: dict[str, str | None] = field(default_factory=dict)
    attributes: dict[str, str | None] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)

    def fits(self, noun: str) -> bool:
        """Whether the noun can mean this person."""
        return noun == self.noun or noun in NARROWER.get(self.noun, ()) or self.noun in NARROWER.get(noun, ())

    def become(self, noun: str) -> None:
        """Takes the noun where it says more than the present one."""
        if noun in NARROWER.get(self.noun, ()):
            self.noun = noun

    def feel(self, emotion: Emotion) -> None:
        """One more emotion, or more about one; expressions that waited for one now show it."""
        known = self.emotions.setdefault(emotion.label, emotion)
        known.qualities |= emotion.qualities
        known.place, known.group = emotion.place, emotion.group
        for label in self.waiting:
            self.expressions[label] = self.expressions[label] or emotion.label
        self.waiting.clear()

    def show(self, label: str, emotion: str | None) -> None:
        """One more expression; the first reason given is kept."""
        self.expressions[label] = self.expressions.get(label) or emotion

    def have(self, label: str, expression: str | None) -> None:
        """One more attribute; the first expression that rests on it is kept."""
        self.attributes[label] = self.attributes.get(label) or expression

    def tree(self) -> AffectiveTree:
        """The person's node with all that was said."""
        loose = tuple(AffectiveTree(label) for label, reason in self.attributes.items() if reason is None)
        beside = (*self._shown(None), *([AffectiveTree(f"expression: {PLACEHOLDER}", loose)] if loose else []))
        felt = [
            AffectiveTree(emotion.label, (*map(AffectiveTree, emotion.qualities), *self._shown(emotion.label)))
            for emotion in self.emotions.values()
        ]
        if beside:
            felt.append(AffectiveTree(f"emotion: {PLACEHOLDER}", beside))
        return AffectiveTree(f"person: {self.noun}", tuple(felt))

    def _shown(self, emotion: str | None) -> tuple[AffectiveTree, ...]:
        return tuple(
            AffectiveTree(label, tuple(AffectiveTree(name) for name, on in self.attributes.items() if on == label))
            for label, reason in self.expressions.items()
            if reason == emotion
        )

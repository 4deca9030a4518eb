"""What a page shows of a talk, as HTML; every text goes through Jinja's escaping: what a model says is never markup."""

from functools import cache
from typing import Any

from videmo.affect import AffectiveTree, draw_tree
from videmo.app.choice import what_scores_mean, why_chosen, wordings
from videmo.app.talk import Talk
from videmo.errors import printable
from videmo.pages import environment
from videmo.pictures import picture_uri
from videmo.reasoning import Reasoning, Step


def head_html(model: str) -> str:
    """What the page is, and which model answers."""
    return _macros().head(model)


def now_html(talk: Talk, seconds: float) -> str:
    """What is under way in the search of a talk, and for how long."""
    taken = len(talk.reasoning.steps) if talk.reasoning else 0
    return _macros().now(talk.clip.name, talk.strip is None, talk.levels, taken, talk.n, int(seconds))


def asking_html(talk: Talk, seconds: float) -> str:
    """The same of one more question."""
    return _macros().drawing(talk.n, int(seconds))


def strip_html(talk: Talk) -> str:
    """The frames that the model sees."""
    return _macros().strip(talk.strip)


def levels_html(talk: Talk) -> str:
    """The steps taken so far, each with the tree after it."""
    found = talk.reasoning
    assert found is not None
    cards, before = [], None
    for count, step in enumerate(found.steps, start=1):
        tree = Reasoning(found.record, found.steps[:count]).tree
        card = _card(step) | {"tree": _picture(tree, before), "said": _growth(tree, before)}
        card["has_legend"] = not cards or card["scores"] != cards[-1]["scores"]
        cards.append(card)
        before = tree
    return _macros().levels(cards)


def answer_html(talk: Talk) -> str:
    """The answer, how sure it is, and the whole tree."""
    found = talk.reasoning
    assert found is not None
    about = {"clip": talk.clip.name, "question": talk.question, "tree": _picture(found.tree)}
    return _macros().answer(_answer(found) | about)


def more_html(talk: Talk) -> str:
    """What was asked after the answer, each question with its candidates and its own answer."""
    return _macros().more(
        [
            _answer(found) | {"question": question, "cards": [_card(step) | {"question": ""} for step in found.steps]}
            for question, found in talk.more
        ]
    )


def note_html(sentence: str) -> str:
    """A sentence on what went wrong."""
    return _macros().note(sentence)


def _card(step: Step) -> dict:
    return {
        "level": step.level,
        "question": step.question,
        "count": len(step.candidates),
        "seconds": step.seconds,
        "wordings": wordings(step),
        "scores": what_scores_mean(step),
        "has_legend": True,
        "why": why_chosen(step),
        "missing": step.missing,
    }


def _growth(tree: AffectiveTree, before: AffectiveTree | None) -> str:
    if before is None:
        return "The tree after this level."
    return (
        "The tree after this level: as it was."
        if tree == before
        else "The tree after this level; what is new is coloured."
    )


def _answer(found: Reasoning) -> dict:
    return {
        "answer": found.answer,
        "rationale": found.rationale,
        "confidence": found.confidence,
        "agreement": found.agreement,
        "presence": found.presence,
        "count": len(found.steps[-1].candidates),
        "doubt": found.doubt,
    }


def _picture(tree: AffectiveTree, before: AffectiveTree | None = None) -> dict:
    """A tree's picture, and its text for who cannot see it."""
    picture = draw_tree(tree, before)
    return {
        "uri": picture_uri(picture, "PNG", optimize=True),
        "width": picture.width,
        "height": picture.height,
        "text": tree.to_text().replace(": -\n", ": not stated\n"),
        "empty": not tree.children,
    }


@cache
def _macros() -> Any:
    return environment("videmo.app", printable=printable).get_template("talk.html").module

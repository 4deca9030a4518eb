"""Tree search against plain generation of its dialogues, and what it shares, keeps and draws."""

from dataclasses import replace

import pytest

from videmo.data.records import Message, Record
from videmo.errors import InputError
from videmo.models.generation import generate
from videmo.reasoning import Scorer, ScorerTerm, SearchSettings, TreeSearch
from videmo.reasoning.dialogue import asked

LENGTH = 8


@pytest.fixture
def questions(make_record):
    """About emotions (two of one video), an attribute, an action unit, an identity; and one in mid-dialogue."""
    return [
        make_record("<video>What emotion?", "Happy", ("a",), source="DFEW_Single-Label-Emotion-Recognition"),
        make_record("<video>What hair?", "black", ("a",), source="QA_Hair"),
        make_record("<video>Which AU?", "AU1", ("a",), source="AffWild2_Action_Unit_Detection"),
        make_record("<video><video>Same?", "Yes", ("a", "b"), source="MEAD_ID"),
        make_record("Sad?<video>", "Happy", ("b",), source="MAFW_Single-Label-Emotion-Recognition"),
        make_record("<video>What emotion is it?", "Sad", ("a",), source="MAFW_Single-Label-Emotion-Recognition"),
        make_record("<video>What emotion?", "Sad", ("b",), "Why?", "The brows.", source="rationale"),
    ]


@pytest.fixture
def search(decisive, tokenizer):
    """A function that makes a search."""

    def make(settings: SearchSettings, why: str | None = None) -> TreeSearch:
        return TreeSearch(decisive, tokenizer, settings, LENGTH, why)

    return make


def plain(decisive, tokenizer, make_batch, turns, videos) -> str:
    """What greedy generation says to a dialogue that stands in a record."""
    record = Record((*turns, Message("assistant", "?")), videos, "QA_Hair", "f", 1)
    batch = make_batch([record], SearchSettings(method="flat"))
    (answer,) = generate(decisive, batch, max_new_tokens=LENGTH, eos_token_id=tokenizer.eos_token_id)
    return tokenizer.decode(answer.tokens, skip_special_tokens=True).strip()


class ByText(Scorer):
    """Chooses by the letters of the text."""

    name = "by_text"

    def __call__(self, groups):
        return [[(sum(map(ord, one.text)) % 97) / 97 for one in group.candidates] for group in groups]


def test_levels_come_before_what_asks_beyond_them(questions):
    assert [SearchSettings().depth(record) for record in questions] == [2, 0, 1, 0, 2, 2, 0]
    assert [SearchSettings(method="flat").depth(record) for record in questions] == [0] * 7
    assert [record.videos for record in SearchSettings().first_records(questions)] == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("question", "levels"),
    [
        ("Describe the person's appearance.", ["attribute"]),
        ("describe the person's appearance", ["attribute"]),
        ("Does he wear a hat?", ["attribute"]),
        ("Which one?\nA. black hair\nB. blonde hair", ["attribute"]),
        ("Describe the person's facial expressions and actions.", ["attribute", "expression"]),
        ("Is the man with the hat smiling?", ["attribute", "expression"]),
        ("Describe the person's emotion.", ["attribute", "expression", "emotion", "rationale"]),
        ("Why does she wear black?", ["attribute", "expression", "emotion", "rationale"]),
        ("What happens here?", ["attribute", "expression", "emotion", "rationale"]),
    ],
)
def test_a_question_of_no_task_is_asked_at_the_level_of_its_words(question, levels, search, make_batch):
    settings, record = SearchSettings(n=1), asked(question, ["a"])
    found = search(settings, "Why?")
    assert found.levels_of(record) == levels
    (answer,) = found(make_batch([record], settings))
    assert [step.level for step in answer.steps] == levels
    own = -2 if "rationale" in levels else -1
    assert answer.answer == answer.path[own].text and answer.steps[own].question == question
    assert len({step.question for step in answer.steps}) == len(levels), "nothing is asked twice"


def test_a_level_of_ones_own_is_known_by_its_question():
    settings = SearchSettings(levels={"scene": "What is there?", "attribute": "What is he like?"})
    assert settings.depth(asked("What is there", ["a"])) == 0 and settings.depth(asked("What hair?", ["a"])) == 1
    assert settings.depth(asked("Does he smile?", ["a"])) == 2


@pytest.mark.parametrize("max_branches", [1, 8])
def test_greedy_search_equals_plain_generation_of_its_dialogues(
    max_branches, search, questions, make_batch, digits, tokenizer
):
    """Turn by turn, from prompts that hold the whole dialogue as text."""
    settings = SearchSettings(n=1)
    found = search(settings, "Why?")(make_batch(questions, settings, max_branches))
    assert [[step.level for step in one.steps] for one in found] == [
        ["attribute", "expression", "emotion", "rationale"],
        ["attribute"],
        ["attribute", "expression"],
        ["attribute"],
        ["attribute", "expression", "emotion", "rationale"],
        ["attribute", "expression", "emotion", "rationale"],
        ["emotion", "rationale"],
    ]
    for one in found:
        turns = () if len(one.record.messages) == 2 and len(one.steps) > 1 else one.record.prompt
        for place, (step, candidate) in enumerate(zip(one.steps, one.path, strict=True)):
            if place or not turns:
                video = "" if place else "<video>"
                turns = (*turns, Message("user", video + step.question))
            said = plain(digits, tokenizer, make_batch, turns, one.record.videos)
            assert candidate.text == said, (one.record.question, step.level)
            turns = (*turns, Message("assistant", candidate.text or "-"))


def test_questions_on_one_video_share_its_levels(search, questions, make_batch):
    settings = SearchSettings(n=3)
    found = search(settings)(make_batch(questions, settings))
    assert found[0].steps[0] is found[5].steps[0] and found[0].steps[1] is found[5].steps[1]
    assert found[2].steps[0] is found[0].steps[0] and found[4].steps[0] is not found[0].steps[0]
    assert [len(one.steps[-1].candidates) for one in found] == [3] * 7
    assert found[0].drawn_tokens == sum(one.num_tokens for step in found[0].steps for one in step.candidates)


def test_same_seed_same_search_in_any_company(search, questions, make_batch):
    def texts(found):
        return [[[one.text for one in step.candidates] for step in each.steps] for each in found]

    settings = SearchSettings(n=4, seed=3)
    together = texts(search(settings)(make_batch(questions, settings)))
    assert texts(search(settings)(make_batch(questions, settings))) == together
    for number, question in enumerate(questions):
        assert texts(search(settings)(make_batch([question], settings, 1))) == [together[number]]
    other = SearchSettings(n=4, seed=4)
    assert texts(search(other)(make_batch(questions, other))) != together
    fewer = SearchSettings(n=2, seed=3)
    first = [one[0][:2] for one in together]
    assert [one[0] for one in texts(search(fewer)(make_batch(questions, fewer)))] == first


def test_what_scorers_prefer_is_gone_on_from(search, questions, make_batch):
    terms = [ScorerTerm(ByText())]
    settings = SearchSettings(n=4, scorers=terms)
    for one in search(settings, "Why?")(make_batch(questions, settings)):
        for step, chosen in zip(one.steps, one.path, strict=True):
            best = max(range(4), key=lambda n, s=step: (s.scores[n], s.candidates[n].logp))
            assert chosen is step.candidates[best] is step.best


def test_a_beam_goes_on_from_several_and_the_path_is_one_of_theirs(search, questions, make_batch):
    settings = SearchSettings(n=3, beam=2, scorers=[ScorerTerm(ByText())])
    found = search(settings)(make_batch(questions, settings))
    one = found[0]
    assert [len(step.candidates) for step in one.steps] == [3, 6, 6]
    assert [one.parent for one in one.steps[1].candidates] == [0, 0, 0, 1, 1, 1]
    for step, after in zip(one.steps, one.steps[1:], strict=False):
        assert step.kept == sorted(range(len(step.scores)), key=lambda n, s=step: -s.scores[n])[:2]
        assert {candidate.parent for candidate in after.candidates} == {0, 1}
    last, before = one.path[2], one.path[1]
    assert before is one.steps[1].candidates[one.steps[1].kept[last.parent]]


def test_the_search_is_seen_level_by_level(search, questions, make_batch):
    settings = SearchSettings(n=2)
    steps = [
        [len(one.steps) for one in found] for found in search(settings, "Why?").grow(make_batch(questions, settings))
    ]
    assert steps == [[1, 1, 1, 1, 1, 1, 1], [2, 1, 2, 1, 2, 2, 2], [3, 1, 2, 1, 3, 3, 2], [4, 1, 2, 1, 4, 4, 2]]


def test_flat_search_asks_the_question_alone(search, questions, make_batch, decisive, tokenizer):
    settings = SearchSettings(n=1, method="flat")
    batch = make_batch(questions, settings)
    answers = generate(decisive, batch, max_new_tokens=LENGTH, eos_token_id=tokenizer.eos_token_id)
    found = search(settings)(batch)
    expected = [tokenizer.decode(answer.tokens, skip_special_tokens=True).strip() for answer in answers]
    assert [one.answer for one in found] == expected
    assert [one.logp for one in found] == pytest.approx([answer.logps.mean().item() for answer in answers])


def test_a_result_says_all_of_its_search(search, questions, make_batch):
    settings = SearchSettings(n=2)
    (found, *_) = search(settings, "Why?")(make_batch(questions, settings))
    said = found.to_json()
    assert said["answer"] == found.path[2].text and said["rationale"] == found.path[3].text == found.rationale
    assert said["videos"] == ["a"] and said["question"] == "What emotion?"
    assert [step["level"] for step in said["steps"]] == ["attribute", "expression", "emotion", "rationale"]
    assert 0 <= said["confidence"] <= 1 and said["drawn_tokens"] == found.drawn_tokens > 0
    first = said["steps"][0]
    assert {"text", "parent", "score", "scores", "logprob", "tokens", "truncated"} == {*first["candidates"][0]}
    assert first["candidates"][0]["scores"].keys() == {"consensus"}
    assert said["tree"]["label"] == "video" and said["seconds"] > 0


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (SearchSettings(n=0), "n, the candidates of a step, is from 1 to 1024"),
        (SearchSettings(n=2, beam=3), "beam, the candidates gone on from, is from 1 to n"),
        (SearchSettings(levels={"attribute": " "}), "the question of 'attribute' is empty"),
        (SearchSettings(seed=-1), "seed must be 0 or more"),
        (SearchSettings(temperature=-0.5), "temperature must be 0"),
        (SearchSettings(n=2, temperature=0.0), "the likeliest tokens give one candidate"),
        (SearchSettings(top_p=0.0), "top_p is a share"),
        (SearchSettings(scorers=[]), "a search needs a scorer"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, what, search):
    with pytest.raises(InputError, match=what):
        search(settings)


@pytest.mark.parametrize(
    ("agreement", "presence", "says"),
    [
        (
            1.0,
            0.12,
            "The candidates agree, but the model doubts that a person is in this video (12% that there is one)",
        ),
        (0.3, 0.12, "The model doubts that a person is in this video (12%"),
        (0.6, 0.7, "neither agreement (0.60) nor a person (70% that there is one) is certain"),
        (0.3, 0.9, "the candidates disagree"),
        (0.3, None, "the candidates disagree"),
        (0.8, 0.9, None),
    ],
)
def test_a_doubt_says_which_part_of_confidence_is_low(agreement, presence, says, search, make_batch):
    (found,) = search(SearchSettings(n=2))(make_batch([asked("What?", ["a"])], SearchSettings(n=2)))
    last = replace(found.steps[-1], agreement=agreement, candidates=[whole(one) for one in found.steps[-1].candidates])
    found = replace(found, steps=[*found.steps[:-1], last], presence=presence)
    assert found.confidence == pytest.approx(agreement * (presence or 1.0))
    assert found.to_json()["agreement"] == agreement
    assert found.doubt is None if says is None else says in found.doubt


def whole(candidate):
    return replace(candidate, truncated=False)

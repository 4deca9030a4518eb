"""Tree search against plain generation of its dialogues, and what it shares, keeps and draws."""

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
    assert SearchSettings().depth(asked("How does she feel?", ["a"])) == 2


@pytest.mark.parametrize("max_branches", [1, 8])
def test_greedy_search_equals_plain_generation_of_its_dialogues(
    max_branches, search, questions, make_batch, digits, tokenizer
):
    """Turn by turn, from prompts that hold the whole dialogue as text."""
    settings = SearchSettings(n=1)
    found = search(settings, "Why?")(make_batch(questions, settings, max_branches))
    assert [[step.level for step in one.steps] for one in found] == [
        ["attribute", "expression", "emotion", "rationale"],
        ["attribute", "rationale"],
        ["attribute", "expression", "rationale"],
        ["attribute", "rationale"],
        ["attribute", "expression", "emotion", "rationale"],
        ["attribute", "expression", "emotion", "rationale"],
        ["emotion", "rationale"],
    ]
    for one in found:
        turns = () if len(one.record.messages) == 2 and len(one.steps) > 2 else one.record.prompt
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
    assert steps == [[1, 1, 1, 1, 1, 1, 1], [2, 2, 2, 2, 2, 2, 2], [3, 2, 3, 2, 3, 3, 2], [4, 2, 3, 2, 4, 4, 2]]


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

"""What scorers make of candidates, and what a mixture of them chooses."""

import math

import pytest
from judge_server import KEY, JudgeServer, says

from videmo.affect import caption_tree, edit_distance
from videmo.data.records import Message
from videmo.errors import InputError
from videmo.judge import JudgeSettings
from videmo.reasoning import (
    Candidate,
    ConsensusScorer,
    Group,
    JudgeScorer,
    LikelihoodScorer,
    OracleScorer,
    Scorer,
    ScorerTerm,
)
from videmo.reasoning.dialogue import asked, task_of
from videmo.reasoning.scorers import score_groups
from videmo.tasks import find_task


def candidates(*texts: str, logps=None) -> list[Candidate]:
    logps = logps or [-0.5] * len(texts)
    return [Candidate(text, 0, logp, 5, False) for text, logp in zip(texts, logps, strict=True)]


@pytest.fixture
def choice(make_record):
    """A function that makes the group of a single choice."""

    def make(*texts: str, answer="Happy", logps=None, source="DFEW_Single-Label-Emotion-Recognition") -> Group:
        record = make_record("<video>What emotion?", answer, source=source)
        return Group(record, find_task(source), candidates(*texts, logps=logps), has_reference=True)

    return make


def captions(*texts: str, logps=None) -> Group:
    record = asked("Describe the person.", ["a.mp4"])
    return Group(record, task_of(record), candidates(*texts, logps=logps))


def test_consensus_of_choices_is_the_share_of_votes(choice):
    group = choice("Happy", "Sad", "It is happiness.", "Happy", "zebra")
    (scores,) = ConsensusScorer()([group])
    assert scores == pytest.approx([3 / 5, 1 / 5, 3 / 5, 3 / 5, 0])


def test_votes_weigh_by_how_likely_they_are(choice):
    group = choice("Happy", "Sad", "Sad", logps=[-0.1, -1.5, -2.0])
    weights = [math.exp(logp) for logp in (-0.1, -1.5, -2.0)]
    assert ConsensusScorer()([group])[0] == pytest.approx(
        [weights[0] / sum(weights), *[sum(weights[1:]) / sum(weights)] * 2]
    )
    assert ConsensusScorer(weighted=False)([group])[0] == pytest.approx([1 / 3, 2 / 3, 2 / 3])


def test_votes_for_sets_count_in_part(choice):
    group = choice("AU1, AU12", "AU12", "AU4", source="AffWild2_Action_Unit_Detection", answer="AU1")
    assert ConsensusScorer()([group])[0] == pytest.approx([(1 + 2 / 3) / 3, (2 / 3 + 1) / 3, 1 / 3])


def test_consensus_of_captions_is_the_smallest_mean_tree_edit_distance():
    texts = [
        "A woman with black hair looks sad.",
        "A woman with long black hair looks sad.",
        "A man with brown hair looks happy.",
        "A woman with black hair looks afraid.",
        "qwerty",
    ]
    (scores,) = ConsensusScorer()([captions(*texts)])
    trees = [caption_tree(text) for text in texts]
    means = [sum(edit_distance(a, b) for b in trees) / (len(trees) - 1) for a in trees]
    assert scores[:4] == pytest.approx([math.exp(-0.1 * mean) for mean in means[:4]])
    assert scores[4] == 0 and max(scores) == scores[means.index(min(means))]


def test_one_candidate_agrees_with_itself(choice):
    assert ConsensusScorer()([captions("A woman smiles."), choice("Happy")]) == [[1.0], [1.0]]


def test_likelihood_breaks_ties_and_then_the_order(choice):
    group = choice("Sad", "Happy", "Happy", "Sad", logps=[-1.0, -0.5, -1.0, -0.5])
    (scored,) = score_groups([ScorerTerm(ConsensusScorer(weighted=False))], [group])
    assert scored.best_first == [1, 3, 0, 2]


class Fixed(Scorer):
    """Says what it is given."""

    def __init__(self, name: str, *values) -> None:
        self.name, self._values = name, [*values]

    def __call__(self, groups):
        return [[self.missing("it is asleep") if v is None else v for v in self._values] for _ in groups]


def test_a_mixture_is_the_weighted_mean(choice):
    terms = [ScorerTerm(Fixed("a", 1.0, 0.0), 3.0), ScorerTerm(Fixed("b", 0.0, 1.0), 1.0)]
    (scored,) = score_groups(terms, [choice("Happy", "Sad")])
    assert scored.totals == pytest.approx([0.75, 0.25]) and scored.parts == {"a": [1.0, 0.0], "b": [0.0, 1.0]}


def test_a_scorer_that_says_nothing_of_one_is_left_out_for_its_group(choice):
    terms = [ScorerTerm(Fixed("a", 0.2, 0.1)), ScorerTerm(Fixed("judge", None, 1.0), 9.0)]
    (scored,) = score_groups(terms, [choice("Happy", "Sad")])
    assert scored.totals == pytest.approx([0.2, 0.1]) and scored.missing == {"judge": "it is asleep"}
    (alone,) = score_groups(terms[1:], [choice("Happy", "Sad", logps=[-2.0, -1.0])])
    assert alone.totals == [0.0, 0.0] and alone.best_first == [1, 0]


@pytest.mark.parametrize("values", [[1.0], [1.0, float("nan")], [1.0, "x"], 3])
def test_what_is_no_score_is_refused_by_name(values, choice):
    class Odd(Scorer):
        name = "odd"

        def __call__(self, groups):
            return [values for _ in groups]

    with pytest.raises(InputError, match="scorer 'odd' "):
        score_groups([ScorerTerm(Odd())], [choice("Happy", "Sad")])


def test_the_oracle_reads_the_reference_and_says_so_where_there_is_none(choice):
    oracle = OracleScorer()
    caption = captions("A woman smiles.")
    record = caption.record
    named = Group(record, task_of(record), candidates("A sad man.", "?"), has_reference=True)
    said = oracle([choice("Sad", "Happy"), caption, named])
    assert said[0] == [0.0, 1.0] and said[1] == [None]
    assert oracle.reasons == {"there is no reference": 1}
    assert said[2][1] > said[2][0]


def test_likelihood_is_the_mean_probability(choice):
    assert LikelihoodScorer()([choice("a", "b", logps=[-1.0, -2.0])])[0] == pytest.approx([math.exp(-1), math.exp(-2)])


def test_a_judge_scores_by_the_dialogue_and_is_left_out_where_it_fails(tmp_path, monkeypatch):
    """A real server; of the second group one reply is nonsense, so likelihood chooses there."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    script = {1: [says('{"score": 20}')], 2: [says('{"score": 90}')], 3: [says("I cannot tell.")]}
    dialogue = [Message("user", "<video>Describe the person's appearance."), Message("assistant", "A bald man.")]
    question = asked("Describe the person's emotion.", ["a.mp4"])
    groups = [
        Group(question, task_of(question), candidates("sample 0001", "sample 0002"), [dialogue]),
        Group(question, task_of(question), candidates("sample 0003", "sample 0002", logps=[-0.1, -0.2])),
    ]
    with JudgeServer(script) as server:
        settings = JudgeSettings(server.url, "judge-1", backoff=0.002, max_retries=1, cache=str(tmp_path / "j.sqlite"))
        good, bad = score_groups([ScorerTerm(JudgeScorer(settings))], groups)
        sent = server.requests[0]["body"]["messages"][-1]["content"]
    assert "user: Describe the person's appearance.\nassistant: A bald man." in sent and "<video>" not in sent
    assert "Describe the person's emotion." in sent
    assert good.totals == pytest.approx([0.2, 0.9]) and good.best_first == [1, 0] and not good.missing
    assert bad.parts["judge"] == [None, 0.9] and bad.best_first == [0, 1] and "judge" in bad.missing


def test_a_judge_is_told_the_dialogue_that_each_candidate_of_a_beam_goes_on_from(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    question = asked("Describe the person's emotion.", ["a.mp4"])
    dialogues = [[Message("user", "Who?"), Message("assistant", text)] for text in ("A bald man.", "A tall woman.")]
    beams = [Candidate(f"sample {number:04d}", number, -0.5, 5, False) for number in (0, 1)]
    with JudgeServer() as server:
        settings = JudgeSettings(server.url, "judge-1", cache=str(tmp_path / "j.sqlite"))
        score_groups([ScorerTerm(JudgeScorer(settings))], [Group(question, task_of(question), beams, dialogues)])
        sent = {request["sample"]: request["body"]["messages"][-1]["content"] for request in server.requests}
    assert "A bald man." in sent[0] and "A tall woman." not in sent[0]
    assert "A tall woman." in sent[1] and "A bald man." not in sent[1]

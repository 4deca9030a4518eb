"""Every cause for which nothing can be learned, from rounds of a real model or of one that says what it is told."""

from dataclasses import dataclass

import pytest
import torch
from judge_server import JudgeServer, status

from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.models.generation import Generation
from videmo.rewards import CaptionReward, QAReward, Reward, RewardTerm
from videmo.tasks import find_task
from videmo.training import GRPOModule
from videmo.training.completions import Answered, Round, Row
from videmo.training.diagnosis import Obstacle, diagnose
from videmo.training.rollouts import answering

SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)
EMOTIONS = find_task("DFEW_Single-Label-Emotion-Recognition").labels
SIZE = 4


class Taste(Reward):
    """Likes nothing better than anything else."""

    name = "taste"

    def __call__(self, completions):
        return [0.5] * len(completions)


@dataclass
class Told:
    """Says of each query and number what a function tells it."""

    tokenizer: object
    say: object

    def generate(self, prompts, *, num_generations, **_) -> list[Generation]:
        texts = [self.say(record, number) for record in prompts.records for number in range(num_generations)]
        tokens = [torch.tensor(self.tokenizer.encode(text), dtype=torch.long) for text in texts]
        return [Generation(answer, torch.zeros(len(answer) + 1), True) for answer in tokens]


@pytest.fixture(scope="module")
def data(world, world_checkpoint) -> EmoCFGDataModule:
    return EmoCFGDataModule(str(world), str(world_checkpoint), video=SMALL, num_workers=0)


@pytest.fixture
def answered(data, world_checkpoint):
    """A function that returns two rounds of four queries of a task, and what else a diagnosis is given."""

    def run(task, reward, say=None, **options) -> tuple[list[Round], dict]:
        options = {"num_generations": SIZE, "max_completion_length": 16, **options}
        module = GRPOModule([RewardTerm(reward)], checkpoint=str(world_checkpoint), **options)
        module.configure_model()
        if say is not None:
            module.engine = Told(module.tokenizer, say)
        numbers = [n for n, r in enumerate(data.records("train")) if find_task(r.source, r.file).name == task][:4]
        prompts = data.prompts("train", numbers)
        torch.manual_seed(0)
        with answering(module.backbone):
            rounds = [Answered(*module._reward(prompts, module._draw(prompts))).round for _ in range(2)]
        return rounds, {n: module.hparams[n] for n in ("num_generations", "max_completion_length", "temperature")}

    return run


@pytest.fixture
def diagnosed(answered):
    """A function that says what such rounds show."""

    def run(*asked, **options) -> Obstacle | None:
        rounds, given = answered(*asked, **options)
        return diagnose(rounds, **given)

    return run


def wrong(record, number: int) -> str:
    return [label for label in EMOTIONS if label != record.answer][number]


def test_a_limit_of_two_tokens_cuts_every_answer_and_an_example_is_shown(diagnosed):
    cause, sentence = diagnosed("emotion_dfew", QAReward(), max_completion_length=2)
    assert cause == "truncated"
    assert sentence.startswith(
        "all of the 32 completions of the last 2 rounds ended by max_completion_length=2, such as"
    )
    assert "(emotion_dfew)" in sentence


def test_a_judge_that_is_down_takes_every_reward_away_and_its_reason_is_told(diagnosed, make_judge):
    with JudgeServer(otherwise=status(500, "out of memory")) as server:
        judge = make_judge(server, max_retries=0)
        cause, sentence = diagnosed("emotion_cap", CaptionReward(judge.settings), lambda r, n: f"A man {n}.")
    assert cause == "masked"
    assert "none of the 32 completions" in sentence
    assert "'caption' is missing as" in sentence and "out of memory" in sentence


def test_answers_that_cannot_be_read_are_shown(diagnosed):
    cause, sentence = diagnosed("emotion_dfew", QAReward(), lambda r, n: "Yes" if n else wrong(r, 0))
    assert cause == "unread"
    assert "75% of the 32 completions" in sentence and "such as 'Yes' (emotion_dfew)" in sentence


def test_one_text_for_each_query_is_a_matter_of_temperature(diagnosed):
    cause, sentence = diagnosed("emotion_dfew", QAReward(), lambda r, n: wrong(r, 0), temperature=1e-3)
    assert cause == "identical"
    assert "temperature=0.001" in sentence


@pytest.mark.parametrize(("temperature", "cause"), [(1e-3, "identical"), (1.0, "constant")])
def test_a_real_model_repeats_itself_at_a_low_temperature_only(answered, temperature, cause):
    rounds, given = answered("emotion_dfew", Taste(), temperature=temperature, max_completion_length=4)
    for rows in (answers.rows for answers in rounds):  # one of random weights never stops, and says nothing readable
        rows[:] = [row._replace(truncated=False, unparsed=False) for row in rows]
    assert diagnose(rounds, **given).cause == cause


def test_answers_all_right_all_wrong_and_equal_within_groups_are_told_apart(diagnosed):
    def right(record, number):
        return record.answer + "." * (number % 2)

    def one_way_or_the_other(record, number):
        return (right if record.line % 2 else wrong)(record, number)

    found = [diagnosed("emotion_dfew", QAReward(), say) for say in (right, wrong, one_way_or_the_other)]
    assert [obstacle.cause for obstacle in found] == ["solved", "zero", "equal"]
    assert "(0% cannot be read)" in found[1].sentence


def test_a_reward_that_is_constant_is_named(diagnosed):
    cause, sentence = diagnosed("emotion_dfew", Taste(), wrong)
    assert cause == "constant"
    assert "are 0.5, whatever was said" in sentence and "(taste)" in sentence


def test_where_one_group_differs_there_is_nothing_to_say(diagnosed):
    first = []

    def say(record, number):
        first.append(record.line)
        return record.answer if record.line == first[0] and number == 0 else wrong(record, number)

    assert diagnosed("emotion_dfew", QAReward(), say) is None


def test_one_group_of_many_that_differs_is_an_odd_one():
    def group(*rewards):
        return [Row("emotion_dfew", "Sad", reward, {"qa": reward}, 2, False, False, False) for reward in rewards]

    rounds = [Round([row for _ in range(40) for row in group(1.0, 1.0)] + group(1.0, 0.0), {}, {})]
    found = diagnose(rounds, num_generations=2, max_completion_length=8, temperature=1.0)
    assert found.cause == "identical" and "temperature=1" in found.sentence


def test_nothing_drawn_shows_nothing():
    assert diagnose([Round([], {}, {})], num_generations=2, max_completion_length=8, temperature=1.0) is None

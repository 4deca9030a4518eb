"""What a GRPO run shows in TensorBoard, and the weights that it keeps: three real rounds, each trained on twice."""

import io
import json
from collections import Counter
from zlib import crc32

import lightning as L
import numpy as np
import pytest
import torch
from judge_server import JudgeServer, status
from lightning.pytorch.loggers import TensorBoardLogger
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from callbacks import CompletionLogger, Diagnosis, StageCheckpoint
from callbacks.completions import Group, Scored, draw_group
from callbacks.pictures import FRAME_HEIGHT
from videmo.data.curriculum import Stage
from videmo.data.datamodule import EmoCFGDataModule
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.judge import JudgeSettings
from videmo.losses.grpo import grpo_loss
from videmo.report.curriculum import read_curriculum
from videmo.rewards import CaptionReward, Completion, QAReward, Reward, RewardTerm, TreeReward
from videmo.tasks import find_task
from videmo.training import GRPOModule, grpo
from videmo.training.completions import Row

SMALL = VideoSettings(max_frames=4, min_pixels=56 * 56, max_pixels=56 * 56)
STAGES = [Stage("grpo", {"emotion_single": 1.0, "caption": 1.0, "emotion_caption": 1.0}, steps=3)]


class Spelling(Reward):
    """Tells the nonsense of a model of random weights apart."""

    name = "spelling"

    def __call__(self, completions):
        return [crc32(completion.text.encode()) % 7 / 6 for completion in completions]


class Turned(L.Callback):
    """Notes each validation's reward, the round's tasks, and what the loss says of the tokens that count."""

    def __init__(self, patch) -> None:
        self.rewards, self.weights, self.tasks, self.terms = [], [], [], []
        patch.setattr(grpo, "grpo_loss", self._loss)

    def _loss(self, *given, **options):
        terms = grpo_loss(*given, **options)
        kept = options["keep"][given[4]]
        self.terms.append([values[kept].float().mean().item() for values in terms[1:]])
        return terms

    def on_train_batch_end(self, trainer, pl_module, *args) -> None:
        self.tasks.append({row.task for row in pl_module.round.rows if row.parts})

    def on_validation_end(self, trainer, pl_module) -> None:
        self.rewards.append(float(trainer.callback_metrics["val_stage/grpo_reward"]))
        self.weights.append(pl_module.state_dict()["backbone.model.lm_head.weight"].clone())


@pytest.fixture(scope="module")
def ran(world, world_checkpoint, tmp_path_factory, quiet):
    """Folder, events, notes and module of a run in which the judge of short captions is down."""
    folder = tmp_path_factory.mktemp("grpo")
    with JudgeServer(otherwise=status(503, "down for | ever")) as server, pytest.MonkeyPatch.context() as patch:
        notes = Turned(patch)
        trainer = L.Trainer(
            **{**quiet, "logger": TensorBoardLogger(folder, name="", version="tensorboard")},
            default_root_dir=folder,
            devices=1,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
            val_check_interval=2,
            limit_val_batches=1,
            callbacks=[notes, StageCheckpoint(), CompletionLogger(every_n_steps=4), Diagnosis(rounds=3)],
        )
        patch.setenv("OPENAI_API_KEY", "none")
        patch.setenv("NO_PROXY", "127.0.0.1")
        judge = JudgeSettings(server.url, "judge-1", max_retries=0, cache=str(folder / "judge.sqlite"))
        rewards = [QAReward(), TreeReward(), CaptionReward(judge)]
        terms = [RewardTerm(reward) for reward in rewards]
        terms.append(RewardTerm(Spelling(), tasks=["emotion_single", "caption"]))
        L.seed_everything(0)
        module = GRPOModule(
            terms,
            checkpoint=str(world_checkpoint),
            num_generations=3,
            max_completion_length=3,
            num_iterations=2,
            learning_rate=1e-2,
            warmup_ratio=0.0,
        )
        data = EmoCFGDataModule(
            str(world), str(world_checkpoint), video=SMALL, batch_size=6, eval_batch_size=24, num_workers=0,
            curriculum=STAGES,
        )  # fmt: skip
        trainer.fit(module, data)
    events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"images": 0, "tensors": 0, "scalars": 0})
    return folder, events.Reload(), notes, module


def test_pictures_come_at_the_first_step_and_every_fourth(ran):
    _, events, _, _ = ran
    tags = events.Tags()["images"]
    assert set(tags) <= {"completions/caption", "completions/single_choice"} and tags
    steps = {event.step for tag in tags for event in events.Images(tag)}
    assert steps == {1, 4}
    picture = Image.open(io.BytesIO(events.Images(tags[0])[0].encoded_image_string))
    assert picture.width >= 1360 and picture.height > FRAME_HEIGHT + 200


def test_a_diagnosis_and_the_missing_rewards_are_texts(ran):
    _, events, _, _ = ran
    (event,) = events.Tensors("diagnosis/text_summary")
    said = event.tensor_proto.string_val[0].decode()
    assert event.step == 5 and "54 completions of the last 3 rounds ended by max_completion_length=3" in said
    table = events.Tensors("missing_rewards/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| caption |" in table and "down for / ever" in table


def test_what_a_round_has_no_completions_of_is_not_logged_again(ran):
    _, events, notes, _ = ran
    logged: dict[str, list[int]] = {}
    for tag in events.Tags()["scalars"]:
        if tag.startswith("rewards_by_task/") and tag.endswith("/mean"):
            logged.setdefault(tag.split("/")[2], []).extend(event.step for event in events.Scalars(tag))
    for step, tasks in enumerate(notes.tasks):
        assert {task for task, steps in logged.items() if step in steps} == tasks


def test_all_figures_of_a_step_are_there(ran):
    _, events, _, _ = ran
    scalars = set(events.Tags()["scalars"])
    assert {f"time/{name}" for name in ("rollout", "reward", "update")} <= scalars
    assert {f"train/clip_ratio/{name}_mean" for name in ("low", "high", "region")} <= scalars
    assert {"train/kl", "train/entropy", "train/reward", "train/reward_std", "train/frac_reward_zero_std"} <= scalars
    assert {"completions/mean_length", "completions/clipped_ratio", "completions/unparsed_ratio"} <= scalars
    assert {"rewards/caption/missing_ratio", "rewards/caption/seconds", "throughput/completions_per_sec"} <= scalars
    assert "rewards/caption/mean" not in scalars  # nothing is 0 for being missing
    assert [event.value for event in events.Scalars("rewards/caption/missing_ratio")] == [1.0] * len(
        events.Scalars("rewards/caption/missing_ratio")
    )
    seconds = [events.Scalars(f"time/{name}")[-1].value for name in ("rollout", "reward", "update")]
    rate = events.Scalars("throughput/completions_per_sec")[-1].value
    assert rate == pytest.approx(18 / (2 * sum(seconds)), rel=1e-3)  # a round's over both its steps


def test_kl_and_clip_shares_are_means_over_the_tokens_that_count(ran):
    _, events, notes, _ = ran
    names = ("kl", "clip_ratio/low_mean", "clip_ratio/high_mean")
    logged = [[event.value for event in events.Scalars(f"train/{name}")] for name in names]
    assert np.transpose(logged) == pytest.approx(np.array(notes.terms), rel=1e-4, abs=1e-6)
    assert max(logged[0]) > 0 and max(logged[1] + logged[2]) > 0
    region = [event.value for event in events.Scalars("train/clip_ratio/region_mean")]
    assert region == pytest.approx(np.add(*logged[1:]), rel=1e-4)


def test_the_stage_keeps_the_weights_of_the_highest_reward(ran):
    folder, _, notes, module = ran
    best = max(range(len(notes.rewards)), key=lambda n: (notes.rewards[n], -n))
    saved = torch.load(folder / "checkpoints" / "grpo.ckpt", weights_only=True)
    assert torch.equal(saved["state_dict"]["backbone.model.lm_head.weight"], notes.weights[best])
    assert torch.equal(module.state_dict()["backbone.model.lm_head.weight"], notes.weights[best])
    (stage,) = json.loads((folder / "curriculum.json").read_text())["stages"]
    assert stage["best_step"] == 2 * (best + 1)
    (read,) = read_curriculum(folder)
    assert read.val["grpo"]["reward"] == pytest.approx(notes.rewards[best]) and "exact" in read.val["grpo"]


def group(make_record, rewards, texts, source="DFEW_Single-Label-Emotion-Recognition") -> Group:
    record = make_record("<video>What emotion?", "Sad", source=source)
    task = find_task(record.source)
    return [
        Scored(
            Completion(text, record, task, 5, text == "cut"),
            Row(task.name, text, reward, {"qa": reward}, 5, text == "cut", text == "cut", exact=False),
            reward - 0.5,
        )
        for text, reward in zip(texts, rewards, strict=True)
    ]


def test_completions_are_ranked_by_reward_and_masked_ones_come_last(make_record):
    nan = float("nan")
    ranked = sorted(group(make_record, [0.2, nan, 1.0, 0.2], ["b", "x", "c", "a"]), key=lambda one: one.place)
    assert [one.row.text for one in ranked] == ["c", "a", "b", "x"]


def test_equal_completions_are_one_row_and_any_text_fits(make_record):
    def height(texts):
        return draw_group(group(make_record, [0.0] * 4, texts), [np.zeros((4, 50, 80, 3), np.uint8)]).height

    assert height(["same"] * 4) < height(["a", "b", "c", "d"])
    assert height(["", "a" * 3000, "\x1b[2J\n\n悲伤", "cut"]) < 1000


def test_queries_of_a_kind_are_shown_of_its_tasks_in_turn(make_record):
    logger = CompletionLogger(queries=2)
    one = group(make_record, [1.0, 0.0], ["a", "b"])
    other = group(make_record, [1.0, 0.0], ["a", "b"], "MAFW_Single-Label-Emotion-Recognition")
    caption = group(make_record, [1.0, 0.0], ["a", "b"], "caption_test_sampling_v2_all_example")
    chosen = [(tag, shown[0].row.task) for tag, shown in logger._choose([one, one, other, caption])]
    assert chosen == [
        ("completions/caption/0", "caption"),
        ("completions/single_choice/0", "emotion_dfew"),
        ("completions/single_choice/1", "emotion_mafw"),
    ]
    assert logger._shown == Counter(caption=1, emotion_dfew=1, emotion_mafw=1)


@pytest.mark.parametrize(
    "make", [lambda: CompletionLogger(0), lambda: CompletionLogger(queries=0), lambda: Diagnosis(0)]
)
def test_intervals_are_at_least_1(make):
    with pytest.raises(InputError, match="at least 1"):
        make()

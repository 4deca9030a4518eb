"""Group Relative Policy Optimization with the mixed affective-tree reward, stage 2 of the recipe (section 3.2).

videmo fit --config configs/demo/grpo.yaml
"""

import logging
import time
from collections.abc import Sequence

import torch
from lightning.pytorch.utilities.types import STEP_OUTPUT
from torch import Tensor

from videmo.data.loader import Rounds
from videmo.errors import InputError, check_positive
from videmo.losses.grpo import GRPOTerms, LossType, group_advantages, grpo_loss
from videmo.models.encoding import is_sharded, largest
from videmo.models.generation import Generation
from videmo.models.reference import Reference
from videmo.models.sampling import Sampling
from videmo.models.token_scores import TokenScores
from videmo.rewards import Completion, RewardMixture, Rewards, RewardTerm
from videmo.token_tree import TreeBatch
from videmo.training.completions import Answered, Round, completion_metrics, completions_of, task_figures
from videmo.training.module import VidEmoModule, gather, logging_is_due
from videmo.training.rollouts import Rollout, RolloutEngine, TreeEngine, answering, cut, features_kept
from videmo.tree_growth import with_features

CHANGEABLE = (
    *("num_generations", "max_completion_length", "temperature", "top_p", "top_k", "beta", "epsilon", "epsilon_high"),
    *("loss_type", "scale_rewards", "mask_truncated_completions", "zero_std_retries"),
)
"""What a resumed run may have otherwise, and is told so."""
log = logging.getLogger(__name__)


class GRPOModule(VidEmoModule):
    """Trains the backbone on answers of its own, by what rewards say of them. Dropout is off, that of adapters, too.

    Args:
        rewards: What completions are rewarded for, each with the tasks that it is for and its weight among theirs.
        num_generations: Completions of a query, G (paper: 8).
        max_completion_length: Tokens that a completion may have, the stop token included.
        temperature: Of the draws, and of the log-probabilities that are learned from.
        top_p: Draws from the likeliest tokens only that together have this probability.
        top_k: Draws from so many of the likeliest tokens only; 0 from all.
        beta: Weight of the KL penalty for leaving the SFT model; 0 does without, and without its copy.
        epsilon: How far a token's ratio to the policy that drew it may fall before it pulls no more.
        epsilon_high: How far it may rise; ``epsilon`` by default.
        loss_type: How tokens are averaged: ``grpo`` over each completion and then over these (the paper's), ``dr_grpo``
            over ``max_completion_length`` tokens of each, ``dapo`` over all tokens.
        scale_rewards: Whether advantages are divided by the standard deviation of their group.
        num_iterations: How often completions are trained on.
        steps_per_generation: Optimizer steps whose completions are drawn together, before the first of them.
        mask_truncated_completions: Learns nothing from completions that ended by the limit; their rewards still count
            in the mean of their group.
        zero_std_retries: How often the completions of a query are drawn anew where their rewards are all equal, which
            teaches nothing.
        kwargs: As ``VidEmoModule`` takes them; paper: ``learning_rate`` 1e-5.

    Attributes:
        answered: This rank's completions of the last round, each with what it scored.
        round: Those of all ranks in numbers.
    """

    selected_by, higher_is_better = "reward", True
    rounds: Rounds  # pyrefly: ignore[bad-override-mutable-attribute]  (it has some)
    answered: Answered
    round: Round
    engine: RolloutEngine

    def __init__(
        self,
        rewards: list[RewardTerm],
        num_generations: int = 8,
        max_completion_length: int = 256,
        temperature: float = 1.0,
        top_p: float = 1.0,
        top_k: int = 0,
        beta: float = 0.04,
        epsilon: float = 0.2,
        epsilon_high: float | None = None,
        loss_type: LossType = "grpo",
        scale_rewards: bool = True,
        num_iterations: int = 1,
        steps_per_generation: int = 1,
        mask_truncated_completions: bool = False,
        zero_std_retries: int = 0,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.sampling = Sampling(temperature, top_p, top_k)
        self.sampling.check()
        check_positive("epsilon", epsilon)
        check_positive("epsilon_high", epsilon_high)
        for name in ("num_iterations", "steps_per_generation", "max_completion_length"):
            if self.hparams[name] < 1:
                raise InputError(f"{name} must be at least 1, got {self.hparams[name]}")
        if num_generations < 2:
            raise InputError(f"num_generations must be at least 2, as completions are compared; got {num_generations}")
        if beta < 0 or zero_std_retries < 0:
            raise InputError(f"beta and zero_std_retries must be 0 or more, got {beta} and {zero_std_retries}")
        self.mixture = RewardMixture(rewards)
        self.rounds = Rounds(steps_per_generation, num_iterations)
        self._reference: Reference | None = None
        self._rollouts: list[Rollout] = []
        self._turns_left = 0
        self._sums = torch.zeros(6)
        self._seconds = {"rollout": 0.0, "reward": 0.0}  # of the round
        self._since = 0.0
        self._pace: dict[str, float] = {}
        self._validated: list[Round] = []

    def configure_model(self) -> None:
        super().configure_model()
        for module in self.backbone.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0  # or the policy would differ from itself, when it drew and when it learns
        if not hasattr(self, "engine"):
            self.engine = TreeEngine(self.backbone, self.tokenizer.eos_token_id)

    def on_load_checkpoint(self, checkpoint) -> None:
        """
        Raises:
            InputError: If a run would go on that was not of GRPO, or started from another model.
        """
        given = checkpoint.get("hyper_parameters", {})
        if self._resuming and "num_generations" not in given:
            raise InputError(
                "the checkpoint is not of GRPO, so there is no run to resume; leave --ckpt_path out and give it as "
                "--model.init_args.start_from"
            )
        super().on_load_checkpoint(checkpoint)
        if not self._resuming:
            return
        was, now = checkpoint.get("started_from"), self._started_from
        if self.hparams.beta and was != now:
            said = f"start_from {given.get('start_from')} ({was})", f"{self.hparams.start_from} ({now})"
            raise InputError(
                f"the checkpoint was saved in a run with {said[0]}, from which its KL penalty is measured, and this "
                f"one has {said[1]}; resume with that file as it was, or start anew in another default_root_dir"
            )
        for name in CHANGEABLE:
            if name in given and given[name] != self.hparams[name] and self.trainer.is_global_zero:
                log.warning("the run goes on with %s %s, after %s", name, self.hparams[name], given[name])
        was, now = checkpoint.get("rewards"), self.mixture.outline
        if was not in (None, now) and self.trainer.is_global_zero:
            log.warning("the run goes on with the rewards %s, after %s", "; ".join(now), "; ".join(was))
        self._keep_reference()  # before the weights of the run that is resumed take its place

    def on_save_checkpoint(self, checkpoint) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["rewards"] = self.mixture.outline

    def on_fit_start(self) -> None:
        """
        Raises:
            InputError: If the run trains on a task that nothing rewards.
        """
        plan, records = self.curriculum, self.data.records("train")
        held = [records.index.tasks[number] for number in set(records.task.tolist())] if plan is None else []
        for task in [task for stage in plan.stages for task in plan.tasks_of(stage)] if plan else held:
            self.mixture.terms_of(task)
        super().on_fit_start()
        self._keep_reference()

    def _keep_reference(self) -> None:
        if self._reference is None and self.hparams.beta:
            self._reference = Reference(self.backbone)

    @property
    def between_rounds(self) -> bool:
        return self._turns_left == 0

    def training_step(self, batch: TreeBatch, batch_idx: int) -> STEP_OUTPUT:
        if batch.parts:
            self._rollouts = self._roll_out(batch)
            self._turns_left = len(self._rollouts) * self.rounds.iterations
        self._turns_left -= 1
        rollout = self._rollouts[batch.turn % len(self._rollouts)]
        scores = self.backbone.score(rollout.batch, self._distribution)
        if rollout.old_logps is None:  # the policy is still the one that drew them
            rollout.old_logps = scores.logps.detach()
        terms = grpo_loss(
            scores.logps,
            rollout.old_logps,
            rollout.ref_logps,
            rollout.advantages,
            rollout.sample,
            keep=rollout.keep,
            num_sequences=rollout.num_sequences,
            num_tokens=rollout.num_tokens,
            max_completion_length=self.hparams.max_completion_length,
            loss_type=self.hparams.loss_type,
            epsilon=self.hparams.epsilon,
            epsilon_high=self.hparams.epsilon_high,
            beta=self.hparams.beta,
        )
        self._log_step(terms, scores, rollout)
        # The loss is already a part of the step's; Lightning divides by accumulation, DDP by ranks: undo both.
        return terms.loss * self.trainer.accumulate_grad_batches * self.trainer.world_size

    @property
    def _distribution(self):
        """What completions are drawn from, and their log-probabilities are of."""
        return self.backbone.drawn(self.sampling.temperature)

    def _roll_out(self, prompts: TreeBatch) -> list[Rollout]:
        """Completions of a round's queries, their rewards and advantages, and what the reference says of them."""
        size = self.hparams.num_generations
        with answering(self.backbone), features_kept(self.backbone, prompts) as (prompts, features):
            generations = self._draw(prompts)
            completions, rewards = self._reward(prompts, generations)
            prompts = with_features(prompts, features)  # none of a tower that trains
            for _ in range(self.hparams.zero_std_retries):
                if not self._draw_again(prompts, generations, rewards):
                    break
                completions, rewards = self._reward(prompts, generations)
            advantages = group_advantages(rewards.totals.view(-1, size), self.hparams.scale_rewards).flatten()
            self.answered = Answered(completions, rewards, advantages)
            keep = ~rewards.totals.isnan()
            if self.hparams.mask_truncated_completions:
                keep &= torch.tensor([not c.truncated for c in completions], dtype=torch.bool)
            rollouts = cut(prompts, generations, advantages, keep, features, self.tokenizer.eos_token_id)
            self._count(rollouts)
            if self.rounds.steps > 1:  # else the first pass over them tells
                for rollout in rollouts:
                    rollout.old_logps = self.backbone.score(rollout.batch, self._distribution).logps
            if self._reference is not None:
                with self._reference.in_place():
                    for rollout in rollouts:
                        rollout.ref_logps = self.backbone.score(rollout.batch, self._distribution).logps
        self.round = Round.join(gather(self.answered.round))
        self._metrics = completion_metrics(self.round, size)
        return rollouts

    def _draw(self, prompts: TreeBatch, samples: Tensor | None = None) -> list[Generation]:
        begun = time.perf_counter()
        generations = self.engine.generate(
            prompts,
            num_generations=self.hparams.num_generations,
            max_completion_length=self.hparams.max_completion_length,
            sampling=self.sampling,
            samples=samples,
        )
        self._seconds["rollout"] += time.perf_counter() - begun
        return generations

    def _reward(self, prompts: TreeBatch, generations: Sequence[Generation]) -> tuple[list[Completion], Rewards]:
        begun, size = time.perf_counter(), self.hparams.num_generations
        completions = completions_of(self.tokenizer, prompts.records, generations, size)
        rewards = self.mixture(completions, size)
        self._seconds["reward"] += time.perf_counter() - begun
        return completions, rewards

    def _draw_again(self, prompts: TreeBatch, generations: list[Generation], rewards: Rewards) -> bool:
        """Replaces the completions of queries whose rewards are all equal; False if no rank has any."""
        size = self.hparams.num_generations
        groups = rewards.totals.view(-1, size)
        equal = torch.nonzero((groups == groups[:, :1]).all(1))[:, 0]
        if (largest(len(equal), self.device) if is_sharded(self.backbone) else len(equal)) == 0:
            return False
        fresh = self._draw(prompts, equal.to(self.device))
        for place, query in enumerate(equal.tolist()):
            generations[query * size : (query + 1) * size] = fresh[place * size : (place + 1) * size]
        return True

    def _count(self, rollouts: list[Rollout]) -> None:
        """Tell each rollout how many completions and tokens its optimizer step learns from, over all ranks."""
        window = self.trainer.accumulate_grad_batches
        counts = torch.tensor([[int(r.keep.sum()), int(r.keep[r.sample].sum())] for r in rollouts], device=self.device)
        for first in range(0, len(rollouts), window):
            total = self.trainer.strategy.reduce(counts[first : first + window].sum(0), reduce_op="sum").tolist()
            for rollout in rollouts[first : first + window]:
                rollout.num_sequences, rollout.num_tokens = total

    def _log_step(self, terms: GRPOTerms, scores: TokenScores, rollout: Rollout) -> None:
        """Log means over the step's tokens, and what the completions of its round scored."""
        kept = rollout.keep[rollout.sample]
        sums = [
            values[kept].float().sum() for values in (terms.kl, scores.entropy, terms.clipped_low, terms.clipped_high)
        ]
        self._sums = self._sums.to(self.device) + torch.stack((terms.loss.detach(), *sums, kept.sum().float()))
        if self.trainer.fit_loop._should_accumulate():
            return
        loss, *means, tokens = self.trainer.strategy.reduce(self._sums, reduce_op="sum").tolist()
        self._sums = torch.zeros(6)
        kl, entropy, low, high = (value / max(1.0, tokens) for value in means)
        self.log("train/loss", loss)
        self.log("train/kl", kl, prog_bar=True)
        self.log("train/entropy", entropy)
        self.log("train/clip_ratio/low_mean", low)
        self.log("train/clip_ratio/high_mean", high)
        self.log("train/clip_ratio/region_mean", low + high)
        # Not every round has completions of every task. Lightning would log what one lacks once more from the last.
        metrics = {name if "/" in name else f"train/{name}": value for name, value in self._metrics.items()}
        for name, value in metrics.items():
            self.log(name, value, prog_bar=name == "train/reward", logger=False)
        step = self.trainer.fit_loop.epoch_loop._batches_that_stepped
        if logging_is_due(self.trainer, step + 1):
            for logger in self.loggers:
                logger.log_metrics(metrics, step)

    def on_train_batch_start(self, batch: TreeBatch, batch_idx: int) -> None:
        super().on_train_batch_start(batch, batch_idx)
        if batch.parts:
            self._seconds, self._since = dict.fromkeys(self._seconds, 0.0), time.perf_counter()

    def on_train_batch_end(self, outputs: STEP_OUTPUT, batch: TreeBatch, batch_idx: int) -> None:
        """Log what the steps of the last whole round took, each on average."""
        if self.between_rounds:
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)
            whole = time.perf_counter() - self._since
            seconds = {**self._seconds, "update": whole - sum(self._seconds.values())}
            steps = max(1, len(self._rollouts) * self.rounds.iterations // self.trainer.accumulate_grad_batches)
            self._pace = {f"time/{name}": value / steps for name, value in seconds.items()}
            self._pace["throughput/completions_per_sec"] = len(self.round.rows) / whole
        self.log_dict(self._pace)

    def on_validation_epoch_start(self) -> None:
        self._validated = []

    def validation_step(self, batch: TreeBatch, batch_idx: int) -> None:
        """Reward the likeliest answers, those of tasks that have a reward."""
        generations = self.engine.generate(
            batch, num_generations=1, max_completion_length=self.hparams.max_completion_length, sampling=None
        )
        completions = [
            completion
            for completion in completions_of(self.tokenizer, batch.records, generations, 1)
            if any(term.applies(completion.task) for term in self.mixture.terms)  # a mix may leave the others out
        ]
        self._validated.append(Answered(completions, self.mixture(completions, 1)).round)

    def on_validation_epoch_end(self) -> None:
        answered = Round.join(gather(Round.join(self._validated)))
        self.log_by_task(task_figures(answered))
        for name, value in completion_metrics(answered, 1).items():
            if name.startswith(("completions/", "rewards/", "frac_")):  # rewards of tasks, and their mean, stand above
                self.log(f"val/{name}", value)

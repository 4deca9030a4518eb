"""Supervised fine-tuning, stage 1 of the recipe: cross-entropy of the answers, given video and question.

videmo fit --config configs/demo/sft.yaml
"""

import torch
from torch import Tensor

from videmo.losses.sft import sft_loss
from videmo.models.backbone import TokenScores
from videmo.token_tree import TreeBatch
from videmo.training.module import VidEmoModule


class SFTModule(VidEmoModule):
    """Trains the backbone on answer tokens; see ``VidEmoModule`` for the arguments."""

    _sums: Tensor | float = 0.0  # of the optimizer step so far: its loss, and its share of tokens that are right

    def training_step(self, batch: TreeBatch, batch_idx: int) -> Tensor:
        scores = self.backbone.score(batch)
        loss = sft_loss(scores.logps, batch.num_items_in_batch)
        self._log_step(loss.detach(), scores, batch.num_items_in_batch)
        # The loss is already a part of the step's mean; Lightning divides by accumulation, DDP by ranks: undo both.
        return loss * self.trainer.accumulate_grad_batches * self.trainer.world_size

    def _log_step(self, loss: Tensor, scores: TokenScores, num_items: int) -> None:
        """Log what the step differentiates: means over the answer tokens of all its micro-batches and ranks."""
        self._sums = self._sums + torch.stack((loss, scores.correct.float().sum() / num_items))
        if not self.trainer.fit_loop._should_accumulate():
            loss, right = self.trainer.strategy.reduce(self._sums, reduce_op="sum")
            self._sums = 0.0
            self.log("train/loss", loss, prog_bar=True)
            self.log("train/token_accuracy", right)

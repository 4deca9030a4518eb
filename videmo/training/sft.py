"""Supervised fine-tuning, stage 1 of the recipe: cross-entropy of the answers, given video and question.

videmo fit --config configs/demo/sft.yaml
"""

from torch import Tensor

from videmo.losses.sft import sft_loss
from videmo.token_tree import TreeBatch
from videmo.training.module import VidEmoModule


class SFTModule(VidEmoModule):
    """Trains the backbone on answer tokens; see ``VidEmoModule`` for the arguments."""

    def training_step(self, batch: TreeBatch, batch_idx: int) -> Tensor:
        scores = self.backbone.score(batch)
        loss = sft_loss(scores.logps, batch.num_items_in_batch)
        tokens = max(1, len(scores.logps))
        self.log("train/loss", -scores.logps.detach().sum() / tokens, prog_bar=True, batch_size=tokens)
        self.log("train/token_accuracy", scores.correct.float().sum() / tokens, batch_size=tokens)
        # The loss is already a part of the step's mean; Lightning divides by accumulation, DDP by ranks: undo both.
        return loss * self.trainer.accumulate_grad_batches * self.trainer.world_size

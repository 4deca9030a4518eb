"""LightningModules: thin wiring of backbone, losses and benchmark."""

from videmo.training.grpo import GRPOModule
from videmo.training.module import VidEmoModule
from videmo.training.sft import SFTModule

__all__ = ["GRPOModule", "SFTModule", "VidEmoModule"]

"""The judge: a language model that reads answers where no rule can, asked through any OpenAI-compatible server."""

from videmo.judge.judge import Judge
from videmo.judge.question import SCORES, Question, SupportsAsk, Verdict
from videmo.judge.settings import JudgeSettings

__all__ = ["SCORES", "Judge", "JudgeSettings", "Question", "SupportsAsk", "Verdict"]

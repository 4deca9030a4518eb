"""Emotion reasoning (paper, section 3.3): search over the affective tree, attributes to expressions to emotions."""

from videmo.reasoning.candidates import Candidate, Group, Reasoning, Step
from videmo.reasoning.reasoner import Reasoner
from videmo.reasoning.scorers import (
    ConsensusScorer,
    JudgeScorer,
    LikelihoodScorer,
    OracleScorer,
    Scorer,
    ScorerTerm,
)
from videmo.reasoning.search import TreeSearch
from videmo.reasoning.settings import SearchSettings

__all__ = [
    "Candidate",
    "ConsensusScorer",
    "Group",
    "JudgeScorer",
    "LikelihoodScorer",
    "OracleScorer",
    "Reasoner",
    "Reasoning",
    "Scorer",
    "ScorerTerm",
    "SearchSettings",
    "Step",
    "TreeSearch",
]

"""A batch of questions about two random videos, and a model whose answers differ."""

from collections.abc import Callable, Sequence

import pytest
import torch

from videmo.data.chat import encode_record
from videmo.data.records import Record
from videmo.data.trees import Sample, build_trees
from videmo.models.sampling import Distribution
from videmo.reasoning import SearchSettings
from videmo.token_tree import TreeBatch, flatten


@pytest.fixture
def digits(decisive, tokenizer):
    """The same model, that says nothing but digits: what it said reads as the very tokens that it drew."""
    said = {*tokenizer("0123456789").input_ids, tokenizer.eos_token_id}
    assert len(said) == 11
    banned = torch.tensor([token for token in range(decisive.config.text_config.vocab_size) if token not in said])
    decisive.drawn = lambda temperature: Distribution(temperature, banned)
    return decisive


@pytest.fixture
def make_batch(make_video, tokenizer, layout) -> Callable[[Sequence[Record], SearchSettings], TreeBatch]:
    """A function from questions to their batch, with what a search needs besides."""
    videos = {"a": make_video(2, 4, 6, seed=1, second_per_grid=1.25), "b": make_video(3, 4, 4, seed=2)}

    def make(records: Sequence[Record], settings: SearchSettings, max_branches: int = 8) -> TreeBatch:
        records = [*records, *settings.first_records(records)]
        samples = [
            Sample(
                encode_record(record, tokenizer, with_answer=False),
                tuple(videos[name] for name in record.videos),
                record.videos,
            )
            for record in records
        ]
        return flatten(build_trees(samples, layout.video_token_id, max_branches), layout, records)

    return make

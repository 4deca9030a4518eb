"""What trains, counted; models of the published sizes without their weights."""

import io

import pytest
import torch
from rich.console import Console
from transformers import Qwen2_5_VLForConditionalGeneration

from videmo.models.backbone import Backbone
from videmo.models.scopes import Count, Scope, count_scopes, scope_table
from videmo.pretrained import published_config

LORA = {"vision": Scope("frozen"), "merger": Scope("frozen"), "language": Scope("lora", 1e-4)}


def on_meta(size: str, **training) -> Backbone:
    with torch.device("meta"):
        return Backbone.random(size, dtype="bfloat16", **training)


def test_scopes_sum_to_the_model_and_tied_embeddings_count_once(checkpoint):
    plain = Qwen2_5_VLForConditionalGeneration.from_pretrained(checkpoint)
    assert plain.config.tie_word_embeddings
    counts = count_scopes(Backbone.load(str(checkpoint)).named_parameters())
    assert sum(count.total for count in counts.values()) == plain.num_parameters()
    assert counts["merger"].total == sum(p.numel() for p in plain.model.visual.merger.parameters())
    assert all(count.trained == count.total and count.num_bytes == 4 * count.total for count in counts.values())


@pytest.mark.slow
def test_a_3b_lora_of_rank_16_fits_its_limits():
    """Weights at most 130 MB; with AdamW's two moments, a checkpoint to resume from, at most 400 MB."""
    backbone = on_meta("3b", **LORA)
    count = count_scopes(backbone.named_parameters())["language"]
    # 36 layers of q, k, v, o on 2048 (256 for k, v) and gate, up, down on 11008; rank 16 each side
    sides = (2048 + 2048) + 2 * (2048 + 256) + (2048 + 2048) + 3 * (2048 + 11008)
    assert count.trained == 36 * 16 * sides
    assert 4 * count.trained <= 130e6 and 3 * 4 * count.trained <= 400e6
    with torch.device("meta"):
        plain = Qwen2_5_VLForConditionalGeneration._from_config(published_config("3b"), dtype=torch.bfloat16)
    assert sum(c.total for c in count_scopes(plain.named_parameters()).values()) == 3_754_622_976
    assert backbone.model.lm_head.weight is backbone.model.get_input_embeddings().weight


@pytest.mark.slow
def test_a_7b_in_4_bits_is_counted_without_its_weights():
    counts = count_scopes(on_meta("7b", **LORA, quantization="nf4").named_parameters())
    assert counts["language"].total - counts["language"].trained == 8_292_166_656 - 631_975_680 - 44_574_464
    packed = 28 * (2 * 3584 * 3584 + 2 * 3584 * 512 + 3 * 3584 * 18944)  # attention and MLP; head and embeddings stay
    head = 2 * 2 * 152064 * 3584
    assert counts["language"].num_bytes == pytest.approx(
        0.516 * packed + head + 4 * counts["language"].trained, rel=1e-3
    )


def test_the_table_says_what_trains():
    counts = {"vision": Count(0, 1000, 2000), "merger": Count(50, 50, 200), "language": Count(30, 3000, 2_500_000)}
    scopes = {"vision": Scope("frozen"), "merger": Scope("full", 1e-3), "language": Scope("lora")}
    console = Console(file=io.StringIO(), width=100)
    console.print(scope_table(counts, scopes, learning_rate=2e-5))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in console.file.getvalue().splitlines()]
    assert [row for row in rows if row] == [
        ["vision", "frozen", "0", "1,000", "0.0 MB", "-"],
        ["merger", "full", "50", "50", "0.0 MB", "0.001"],
        ["language", "lora", "30", "3,000", "2.5 MB", "2e-05"],
        ["all", "2%", "80", "4,050", "2.5 MB", ""],
    ]

import random

import pytest
from torchmetrics.functional.text import rouge_score

from videmo.metrics import CaptionRougeL, caption_rouge_l, rouge_l

WORDS = "The woman's short, wavy black hair frames a SAD face; brows lowered, mouth turned-down at 30 degrees."


def _captions(number: int) -> list[str]:
    rng = random.Random(0)
    return [" ".join(rng.choices(WORDS.split(), k=rng.randint(1, 40))) for _ in range(number)]


def test_equals_torchmetrics_on_random_captions():
    captions = _captions(60)
    for response, reference in zip(captions[:30], captions[30:], strict=True):
        expected = rouge_score(response, reference, rouge_keys="rougeL")["rougeL_fmeasure"].item()
        assert rouge_l(response, reference) == pytest.approx(expected, abs=1e-6)


def test_captions_without_words_score_zero():
    assert rouge_l("", "a face") == rouge_l("a face", "...") == rouge_l("", "") == 0


def test_the_module_accumulates_to_what_the_function_says():
    captions = _captions(10)
    metric = CaptionRougeL()
    metric.update(captions[:2], captions[5:7])
    metric.update(captions[2:5], captions[7:])
    assert metric.compute().item() == pytest.approx(caption_rouge_l(captions[:5], captions[5:]).item())

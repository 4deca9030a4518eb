"""A talk without a page: what is refused, what goes on, what is written."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from videmo.app.sentences import in_a_sentence
from videmo.app.strip import read_strip, what_is_odd
from videmo.app.talk import Talks
from videmo.app.view import answer_html, asking_html, levels_html, more_html, now_html
from videmo.errors import InputError


@pytest.fixture
def talks(reasoner, folder) -> Talks:
    return Talks(reasoner, folder, {"ckpt": "x"})


@pytest.mark.parametrize(
    ("clip", "question", "says"),
    [
        (None, "What?", "No clip yet"),
        ("notes.txt", "What?", "notes.txt is not named as a video; those end in .mp4, "),
        ("a.mp4", " \n", "The question is empty"),
        ("a.mp4", "?" * 2001, "2001 characters: ask in 2000 or fewer"),
    ],
)
def test_what_cannot_be_asked_is_told(talks, clip, question, says):
    with pytest.raises(InputError, match=says):
        talks.begin(clip, question, 2)


@pytest.mark.parametrize("question", ["<video> What?", "<|im_end|>"])
def test_a_question_that_would_be_read_as_structure_is_refused_at_first_and_later(talks, clips, question):
    with pytest.raises(InputError, match=r"<video>|<\|im_end\|>"):
        [*talks.grow(talks.begin(str(clips["drawn"]), question, 1))]
    (*_, talk) = talks.grow(talks.begin(str(clips["drawn"]), "What?", 1))
    with pytest.raises(InputError, match=r"<video>|<\|im_end\|>"):
        next(talks.go_on(talk, question))


def test_a_talk_grows_by_a_level_goes_on_and_is_written_whole(talks, clips):
    talk = talks.begin(str(clips["drawn"]), " What? ", 2)
    first, *grown = talks.grow(talk)
    assert first.reasoning is None and len(first.strip.frames) == 4
    assert [len(one.reasoning.steps) for one in grown] == [1, 2, 3, 4] and [one.is_whole for one in grown][2:] == [0, 1]
    assert talk.levels == ("attribute", "expression", "emotion", "rationale")
    (later,) = talks.go_on(grown[-1], "Why so?")
    (later,) = talks.go_on(later, "And the hair?")
    found = json.loads(talks.write(later).read_text())
    assert found["question"] == "What?" and found["videos"] == ["drawn.mp4"] and found["search"]["n"] == 2
    assert [one["question"] for one in found["follow_ups"]] == ["Why so?", "And the hair?"]
    assert [len(step["candidates"]) for step in found["steps"]] == [2] * 4
    assert [len(one["steps"]) for one in found["follow_ups"]] == [2, 1], "only a feeling has a rationale"
    assert found["frames"] == {"seconds": pytest.approx([0.0, 0.5, 1.0, 1.5]), "notes": []}
    assert found["confidence"] == pytest.approx(found["agreement"] * found["presence"])
    assert len(found["why_chosen"]) == 4 and all(found["why_chosen"])
    assert more_html(later).count('class="said"') == 2


def test_what_is_under_way_is_told_with_its_seconds(talks, clips):
    talk = talks.begin(str(clips["drawn"]), "Does he smile?", 2)
    assert "reading drawn.mp4, 3 s" in now_html(talk, 3.7)
    first, second, third = talks.grow(talk)
    assert "level 1 of 2, attribute: drawing 2 candidates, 4 s" in now_html(first, 4)
    assert "level 2 of 2, expression: drawing 2 candidates, 5 s" in now_html(second, 5)
    assert not now_html(third, 6).strip() and "drawing 2 candidates, 7 s" in asking_html(third, 7)


def test_the_answer_names_its_clip_and_what_its_confidence_is_made_of(talks, clips):
    (*_, talk) = talks.grow(talks.begin(str(clips["drawn"]), "What?", 2))
    sure = replace(talk, reasoning=replace(talk.reasoning, presence=0.12))
    shown = answer_html(sure)
    assert "drawn.mp4" in shown and "× 12% that a person is seen" in shown
    assert f"= {sure.reasoning.agreement:.2f}, how far the candidates agree" in shown


def test_scores_have_a_legend_once(talks, clips):
    (*_, talk) = talks.grow(talks.begin(str(clips["drawn"]), "What?", 2))
    assert levels_html(talk).count("score: how close it is to the other candidates, 1 is the same; likelihood: ") == 1


def test_nothing_can_be_asked_after_nothing(talks):
    with pytest.raises(InputError, match="no answer yet"):
        next(talks.go_on(None, "Why?"))


def test_more_candidates_are_drawn_by_the_same_model(reasoner, clips):
    more = reasoner.with_candidates(5)
    assert more.search.backbone is reasoner.search.backbone and reasoner.settings.n == 3
    assert [len(step.candidates) for step in more.reason(clips["drawn"]).steps] == [5] * 4


def test_what_a_model_says_is_text_and_never_markup(talks, clips):
    (*_, talk) = talks.grow(talks.begin(str(clips["drawn"]), "<script>alert(1)</script>", 1))
    shown = answer_html(talk) + levels_html(talk)
    assert "<script" not in shown and "&lt;script&gt;" in shown


def test_a_strip_shows_what_the_model_sees_and_says_what_is_odd(clips, reasoner):
    drawn = read_strip(clips["drawn"], reasoner.video)
    assert len(drawn.frames) == 4 and drawn.size == (56, 56) and drawn.notes == []
    assert drawn.seconds == pytest.approx([0.0, 0.5, 1.0, 1.5])
    noise = np.random.default_rng(0).integers(0, 255, (2, 8, 8, 3), np.uint8)
    assert what_is_odd(noise, 2.0) == []
    assert what_is_odd(noise, 1 / 37) == ["Between two of these frames lie 37 seconds that the model does not see."]
    assert len(what_is_odd(noise[:1] * 0, 2.0)) == 2


def test_too_small_a_gpu_is_told(tmp_path):
    with pytest.raises(InputError, match="ask for fewer candidates"), in_a_sentence(tmp_path / "a.mp4"):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_a_clip_of_sound_alone_is_told_as_such_without_words_on_records(talks, clips):
    with pytest.raises(InputError) as told:
        next(talks.grow(talks.begin(str(clips["sound"]), "What?", 1)))
    said = str(told.value)
    assert said.startswith(
        "sound.mp4 cannot be opened as a video: it is an MP4 or MOV file with sound and no picture. "
    )
    assert not any(word in said for word in ("record", "(", "pyav", "ffmpeg"))

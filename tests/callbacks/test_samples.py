"""The pictures of sample answers."""

import numpy as np

from callbacks.samples import draw_sample


def test_a_picture_shows_every_video_and_colours_the_answer(make_record):
    record = make_record("<video><video>Are these the same person?", "Yes", ("a.mp4", "b.mp4"), source="MEAD_ID")
    frames = [np.full((4, 60, 80, 3), value, np.uint8) for value in (50, 200)]
    right, wrong = (np.asarray(draw_sample(record, answer, frames)) for answer in ("Yes", "No"))
    assert (right[0, 0] == 50).all() and (right[130, 0] == 200).all()

    def green(picture):
        r, g, b = (picture[..., i].astype(int) for i in range(3))
        return int(((g > r + 40) & (g > b + 20)).sum())

    assert green(right) > 20
    assert green(wrong) == 0


def test_an_empty_answer_and_a_long_question_fit(make_record):
    record = make_record("<video>" + "What? " * 60, "word " * 60)
    picture = draw_sample(record, "", [np.zeros((2, 30, 30, 3), np.uint8)])
    assert picture.width < 800

"""How far work is, where the output is no terminal."""

from videmo import terminal
from videmo.terminal import Steps, watch


def test_a_log_is_told_what_is_done_with_the_last_note(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "_NOTED", -1.0)
    with Steps("clips", 3000, "0 replies") as bar:
        bar.step(0, "2 replies")
        bar.step(1000)
    assert list(watch("drawing", 2, "ab")) == ["a", "b"]
    said = capsys.readouterr()
    lines = ["clips: 0 of 3,000, 2 replies", "clips: 1,000 of 3,000, 2 replies", "drawing: 1 of 2", "drawing: 2 of 2"]
    assert said.out == "" and said.err.splitlines() == lines


def test_a_log_is_told_at_most_once_a_minute_and_nothing_that_is_not_shown(monkeypatch, capsys):
    list(watch("drawing", 1000, range(1000)))
    monkeypatch.setattr(terminal, "_NOTED", -1.0)
    with Steps("judge", 1, shown=False) as bar:
        bar.step()
    assert capsys.readouterr().err == "" and bar.done == 1

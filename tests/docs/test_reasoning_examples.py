"""The Python of docs/reasoning.md, with a tiny model where it names one."""

from documented import DOCS, texts, write_files

from videmo.reasoning import Reasoner, ScorerTerm, SearchSettings


def test_a_clip_is_reasoned_about_and_asked_after(world, world_checkpoint, tmp_path, monkeypatch, capsys):
    (tmp_path / "runs/sft").mkdir(parents=True)
    (tmp_path / "runs/sft/model").symlink_to(world_checkpoint)
    (tmp_path / "clip.mp4").symlink_to(next(iter(sorted(world.glob("videos/*/*/*.mp4")))))
    monkeypatch.chdir(tmp_path)
    (example,) = (block for block in texts(DOCS / "reasoning.md", "python") if "Reasoner.load" in block)
    names: dict = {}
    exec(example, names)
    assert names["found"].tree.label == "video"
    assert names["more"].record.prompt[-1].content == "What are they wearing?"
    assert capsys.readouterr().out


def test_a_scorer_of_ones_own_chooses(world, world_checkpoint, tmp_path, monkeypatch):
    write_files(DOCS / "reasoning.md", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    from my_scorers import GroundedScorer

    settings = SearchSettings(n=2, scorers=[ScorerTerm(GroundedScorer())])
    reasoner = Reasoner.load(str(world_checkpoint), settings, max_new_tokens=4)
    clip = next(iter(sorted(world.glob("videos/*/*/*.mp4"))))
    found = reasoner.reason(clip, "How does the person feel?\nA. Sad\nB. Happy")
    assert [len(step.scores) for step in found.steps] == [2] * len(found.steps)
    assert found.steps[2].missing == {"grounded": "the answers are no captions"} and not found.steps[0].missing

"""Facts about splits when a table grows: clips of the earlier run stay where they were."""

from pathlib import Path

from videmo.cli import main
from videmo.curate.grouping import earlier_splits
from videmo.curate.splits import SHARES


def labels(folder: Path, count: int) -> Path:
    rows = [f"{number:03d}.mp4,{'happy' if number % 3 else 'sad'},P{number % 10}" for number in range(count)]
    file = folder / "labels.csv"
    file.write_text("\n".join(["path,emotion,identity", *rows]))
    return file


def test_clips_of_an_earlier_run_keep_their_split(tmp_path, capsys):
    clips, out = tmp_path / "clips", tmp_path / "data"
    clips.mkdir()
    for number in range(60):
        (clips / f"{number:03d}.mp4").write_bytes(b"clip %d" % number)
    assert main(["curate", str(clips), f"--labels={labels(tmp_path, 25)}", f"--out={out}"]) == 0
    first = earlier_splits(out, SHARES, 0)
    assert len(first) == 25
    assert main(["curate", str(clips), f"--labels={labels(tmp_path, 60)}", f"--out={out}"]) == 0
    second = earlier_splits(out, SHARES, 0)
    assert len(second) == 60 and first.items() <= second.items()
    assert "stay in the split of the earlier run: 25" in capsys.readouterr().out
    people = {f"P{int(path[:3]) % 10}": set() for path in second}
    for path, split in second.items():
        people[f"P{int(path[:3]) % 10}"].add(split)
    assert all(len(splits) == 1 for splits in people.values())
    assert earlier_splits(out, SHARES, 1) == {} == earlier_splits(tmp_path, SHARES, 0)


def test_cells_that_say_nothing_are_empty_and_misspelt_columns_are_named(tmp_path, capsys):
    clips = tmp_path / "clips"
    clips.mkdir()
    for name in ("a", "b", "c"):
        (clips / f"{name}.mp4").write_bytes(name.encode())
    file = tmp_path / "labels.csv"
    file.write_text("path,emotion,hair,sentimnt\na.mp4,happy,n/a,x\nb.mp4,NA,short,x\nc.mp4,sad,?,x\n")
    assert main(["curate", str(clips), f"--labels={file}", f"--out={tmp_path / 'data'}"]) == 0
    assert "sentimnt (did you mean sentiment?)" in capsys.readouterr().out
    text = "".join(path.read_text() for path in (tmp_path / "data").glob("jsons/*/*/full/*.json"))
    assert "n/a" not in text and '"NA"' not in text and text.count("QA_Hair") >= 1

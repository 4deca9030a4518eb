"""The command ``videmo curate``: a data folder from videos and their labels.

videmo curate clips --labels labels.csv --out data/mine
videmo curate clips --labels labels.csv --tasks my_tasks.yaml --out data/mine
"""

from pathlib import Path

from videmo.curate.folder import check_destination, write_folder
from videmo.curate.labels import curate_labels
from videmo.curate.splits import SHARES, check_shares
from videmo.errors import InputError
from videmo.tasks import use_tasks
from videmo.terminal import output


def curate(
    videos: str,
    labels: str | None = None,
    out: str | None = None,
    tasks: str | None = None,
    copy: bool = False,
    shares: dict[str, float] = SHARES,
    seed: int = 0,
) -> None:
    """Make instruction data from a folder of videos and the labels that you have of them.

    Every label becomes a question as a choice and an open one, several labels a short caption; questions are worded in
    six ways or more. Clips of one person or source video stay in one split.

    Args:
        videos: Folder of the clips; subfolders and links in it are followed.
        labels: CSV, JSON list or JSON lines, a line a clip. Columns: path; emotion, emotions (several, between ;),
            sentiment, action_units, head_pose, appearance, actions, micro_expression, relation; eyes, eyebrows, mouth,
            nose, hair, chin, face_shape, facial_features, accessories, age, gender, skin, body_actions, head_actions,
            facial_actions; caption, appearance_caption, action_caption, emotion_caption, rationale; identity,
            source_video, split; and the names of your own tasks. An empty cell is no label.
        out: The data folder to write. A second run replaces what the first wrote.
        tasks: YAML of tasks of your own, an entry each: `tension: {kind: single_choice, labels: [calm, uneasy, tense],
            question: "How tense is the person?"}`.
        copy: Copies the clips into the data folder (--copy); otherwise a link leads to them.
        shares: Of the clips in train, val and test.
        seed: Of wordings, the order of options and the splits.
    """
    if labels is None:
        raise InputError("name the labels of the videos by --labels, a CSV or JSON file with a line a clip")
    if out is None:
        raise InputError("name the data folder to write by --out")
    check_shares(shares)
    place = Path(out)
    check_destination(place)
    use_tasks(*([tasks] if tasks else []))
    curated, told = curate_labels(Path(videos), Path(labels), place, shares=shares, seed=seed)
    write_folder(place, Path(videos), curated, tasks=Path(tasks) if tasks else None, copy=copy)
    console = output()
    for line in told:
        console.print(line)
    records = sum(sum(counts.values()) for counts in curated.counts.values())
    kinds = len({task for counts in curated.counts.values() for task in counts})
    console.print(
        f"{records} records of {kinds} tasks are in {place}; `videmo check {place}` tries them and their videos"
    )

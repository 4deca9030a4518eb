"""The command ``videmo curate``: a data folder from videos, by the labels that you have of them or by models.

videmo curate clips --labels labels.csv --out data/mine
videmo curate clips --labels labels.csv --tasks my_tasks.yaml --out data/mine
videmo curate clips --models qwen2.5-vl-72b internvl3-78b gemma-3-27b --base_url http://localhost:4000/v1 --out mine
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from videmo.committee.dry_run import bills, bills_table
from videmo.committee.member import VisionModel
from videmo.committee.run import Models, clips_in
from videmo.curate.clips import Clips
from videmo.curate.folder import Curated, check_destination, write_folder
from videmo.curate.labels import curate_labels
from videmo.curate.splits import SHARES, check_shares
from videmo.curate.unlabelled import curate_unlabelled
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError, as_word
from videmo.tasks import all_tasks, use_tasks
from videmo.terminal import output

SHOWN = VideoSettings(max_frames=8)
"""What models see of a clip."""


def curate(
    videos: str,
    labels: str | None = None,
    out: str | None = None,
    tasks: str | None = None,
    models: list[VisionModel] = [],  # noqa: B006 (never changed; jsonargparse shows it in --help)
    author: VisionModel | None = None,
    base_url: str | None = None,
    emotions: str = "emotion_dfew",
    rewrites: int = 2,
    video: VideoSettings = SHOWN,
    retry_missing: bool = False,
    dry_run: bool = False,
    copy: bool = False,
    shares: dict[str, float] = SHARES,
    seed: int = 0,
) -> int:
    """Make instruction data from a folder of videos: from labels that you have (--labels), or by models (--models).

    Every label becomes a question as a choice and an open one, several labels a short caption; questions are worded in
    six ways or more. Clips of one person or source video stay in one split.

    Without labels, the first model looks at each clip, bottom-up: attributes, expressions, an emotion, a caption and
    reasons. All models vote on each answer; what most find wrong is written anew with what they said, voted on again,
    and in the end left out with its reason. Replies are kept on disk: a run that was ended goes on where it was.

    Args:
        videos: Folder of the clips; subfolders and links in it are followed.
        labels: CSV, JSON list or JSON lines, a line a clip. Columns: path; emotion, emotions (several, between ;),
            sentiment, action_units, head_pose, appearance, actions, micro_expression, relation; eyes, eyebrows, mouth,
            nose, hair, chin, face_shape, facial_features, accessories, age, gender, skin, body_actions, head_actions,
            facial_actions; caption, appearance_caption, action_caption, emotion_caption, rationale; identity,
            source_video, split; and the names of your own tasks. An empty cell is no label.
        out: The data folder to write. A second run replaces what the first wrote.
        tasks: YAML of tasks of your own, an entry each: `tension: {kind: single_choice, labels: [calm, uneasy, tense],
            question: How tense is the person?}`.
        models: Three or more vision models by their names at the server; the first one writes, all vote. In YAML
            each may have a server, prices and limits of its own.
        author: Writes instead of the first model, and does not vote.
        base_url: The OpenAI-compatible server of the models that name none of their own.
        emotions: The task, yours or the benchmark's, whose labels the models choose from.
        rewrites: How often an answer that most find wrong is written anew.
        video: What the models see of a clip: 8 frames by default.
        retry_missing: Ask again what got a reply before that could not be read.
        dry_run: Say what the models would be asked, with tokens and cost, and send nothing.
        copy: Copies the clips into the data folder; otherwise a link leads to them.
        shares: Of the clips in train, val and test.
        seed: Of wordings, the order of options and the splits.
    """
    if not (labels or models):
        raise InputError(
            "name the labels of the videos by --labels, a CSV or JSON file; or, where there are none, three models or "
            "more by --models, which write them and vote"
        )
    if out is None:
        raise InputError("name the data folder to write by --out")
    check_shares(shares)
    place, folder, console = Path(out), Path(videos), output()
    check_destination(place)
    use_tasks(*([tasks] if tasks else []))
    whole, table = True, Path(labels) if labels else None
    if not models:
        assert table is not None
        curated, told = curate_labels(folder, table, place, shares=shares, seed=seed)
        if dry_run:
            console.print("\n".join([*told, "nothing was written"]))
            return 0
    else:
        asked = _models(models, author, base_url, emotions, rewrites, retry_missing)
        if dry_run:
            clips = clips_in(folder, Clips(folder, besides=place).paths, video)
            console.print(bills_table(bills(clips, asked), len(clips)))
            return 0
        curated, told, whole = curate_unlabelled(folder, place, asked, video, table=table, shares=shares, seed=seed)
    write_folder(place, folder, curated, tasks=Path(tasks) if tasks else None, copy=copy)
    for line in told:
        console.print(line)
    console.print(_closing(curated, place))
    return 0 if whole else 1


def _models(
    models: Sequence[VisionModel],
    author: VisionModel | None,
    base_url: str | None,
    emotions: str,
    rewrites: int,
    retry_missing: bool,
) -> Models:
    """Who is asked.

    Raises:
        InputError: If one has no server, or they are no committee.
    """

    task = next((task for task in all_tasks() if task.name == emotions), None)
    if task is None:
        known = ", ".join(task.name for task in all_tasks() if task.kind == "single_choice")
        raise InputError(f"--emotions {emotions!r} is no task; those with one label an answer are {known}")

    def complete(model: VisionModel) -> VisionModel:
        again = retry_missing or model.retry_missing
        return replace(model, base_url=model.base_url or base_url or "", retry_missing=again)

    committee = tuple(map(complete, models))
    if author and author.model in {model.model for model in committee}:
        raise InputError(f"--author {author.model} writes and does not vote: leave it out of --models, or of --author")
    found = Models(complete(author) if author else committee[0], committee, task, rewrites)
    for model in (found.author, *committee):
        if not model.base_url:
            raise InputError(
                f"the model {model.model} has no server: name it by --base_url, such as http://localhost:8000/v1"
            )
    return found


def _closing(curated: Curated, place: Path) -> str:
    records = sum(sum(counts.values()) for counts in curated.counts.values())
    kinds = len({task for counts in curated.counts.values() for task in counts})
    tries = f"`videmo check {as_word(place)}` tries them and their videos"
    return f"{records} records of {kinds} tasks are in {place}; {tries}"

"""The command ``videmo check``."""

from json import dumps
from pathlib import Path

from videmo.check.assemble import assemble
from videmo.check.folder import DataFolder
from videmo.check.memory import GoodVideos
from videmo.check.outputs import check_outputs
from videmo.check.table import RecordTable
from videmo.check.terminal import show, show_interrupted
from videmo.check.videos import Examined, Reading, examine
from videmo.data.decode import usable
from videmo.data.index import RecordIndex
from videmo.data.leaks import find_leaks, subject_reader
from videmo.data.patterns import RELEASE, Patterns
from videmo.data.pool import available_cores
from videmo.data.quarantine import QUARANTINE_FILE, Quarantine
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError
from videmo.tasks import use_tasks_of
from videmo.terminal import output


def check(
    data: str,
    videos: Reading = "decode",
    train: Patterns = RELEASE["train"],
    val: Patterns = RELEASE["val"],
    test: Patterns = RELEASE["test"],
    video_root: str | None = None,
    allow_outside_root: bool = False,
    video: VideoSettings = VideoSettings(),  # noqa: B008 (frozen)
    checkpoint: str | None = None,
    subject: str | None = None,
    quarantine: str | None = None,
    json: str | None = None,
    workers: int | None = None,
) -> int:
    """Find every record and video of a data folder that training could not use, before it does.

    The exit status is 0 where all records can be used, and 1 where some cannot; leaks and repeated records are reported
    and change nothing. An interrupted check goes on where it stopped, and a later one reads only videos that are new.

    Args:
        data: The data folder.
        videos: decode every video as training does, open it only, or none of them.
        train: Pattern of the training files, relative to the data folder; or several, as a list or as the data module
            takes them with weights. An empty list leaves them out.
        val: The same of the validation files.
        test: The same of the benchmark's files.
        video_root: What the records' video paths are relative to; DATA/videos by default.
        allow_outside_root: Lets records name videos outside the video root, as in training.
        video: How training samples and sizes frames, and what decodes them.
        checkpoint: A model's folder: finds texts that hold its special tokens, and counts tokens for training.
        subject: Regular expression that tells who is seen in a video from its path, by its first group; known datasets
            have theirs.
        quarantine: The manifest to write; DATA/quarantine.jsonl by default, the one that training honours.
        json: A file that everything found is written to, too, for machines. Neither may be a file that no check wrote.
        workers: Videos decoded at once; by default one a core.
    """
    if workers is not None and workers < 1:
        raise InputError(f"--workers must be at least 1, got {workers}")
    root = Path(data)
    use_tasks_of(root)
    folder = DataFolder.of(data, {"train": train, "val": val, "test": test}, video_root, allow_outside_root)
    files = folder.files()
    tell_subject = subject_reader(subject)
    if videos != "none":
        usable(video.backends)  # what no video could be read with is said of none
    manifest = Path(quarantine) if quarantine else root / QUARANTINE_FILE
    check_outputs(folder, manifest, Path(json) if json else None)
    console = output()
    examined = Examined()
    try:
        tokenizer = None
        if checkpoint is not None:
            from videmo.pretrained import load_tokenizer

            tokenizer = load_tokenizer(checkpoint)
        indexes = {
            split: RecordIndex.open(names, folder=folder.index_folder, tokenizer=tokenizer, workers=workers)
            for split, names in files.items()
        }
        table = RecordTable(indexes)
        memory = next(iter(indexes.values())).folder.parent
        with GoodVideos(memory, f"{videos} {video}") as good:
            examine(table.videos, folder, videos, video, workers or available_cores(), good, examined)
        leaks = find_leaks(
            {split: table.videos_of(split) for split in indexes},
            {path: size for path, (size, _) in examined.there.items()},
            folder.video_root,
            tell_subject,
        )
        found = assemble(table, examined, folder, videos, leaks)
    except KeyboardInterrupt:
        show_interrupted(examined, console)
        raise
    Quarantine.write(manifest, found.quarantine, root, folder.video_root)
    if json:
        Path(json).write_text(dumps(found.to_json(), indent=1) + "\n", encoding="utf-8")
    show(found, console, root, manifest)
    return 1 if found.quarantine else 0

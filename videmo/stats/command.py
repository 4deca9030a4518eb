"""The command ``videmo stats``.

videmo stats runs/demo/data
videmo stats data/Emo-CFG --ckpt runs/sft/model --out runs/stats
"""

from pathlib import Path
from typing import Literal

import videmo
from videmo.check.folder import DataFolder
from videmo.data.patterns import RELEASE, Patterns
from videmo.data.presence import Place
from videmo.errors import InputError
from videmo.stats.balance import Balance
from videmo.stats.corpus import Corpus
from videmo.stats.durations import durations
from videmo.stats.faces import faces_and_views
from videmo.stats.lengths import Lengths
from videmo.stats.outputs import NUMBERS, check_writable, numbers_of, write
from videmo.stats.page import draw, render
from videmo.stats.perplexity import perplexity
from videmo.stats.problems import fault_counts, problems
from videmo.stats.published import published
from videmo.stats.questions import questions, records_a_video
from videmo.stats.section import LeftOut, Section, plural
from videmo.stats.taxonomy import splits, taxonomy
from videmo.stats.words import Words
from videmo.tasks import use_tasks_of
from videmo.terminal import output, watch

LETTERS = 10  # that no font has, of which a sentence names so many


def stats(
    data: str,
    split: Literal["train", "val", "test"] = "train",
    out: str | None = None,
    faces: int = 500,
    sample: int = 2000,
    ckpt: str | None = None,
    answers: int = 100,
    base: str | None = None,
    seed: int = 0,
    train: Patterns = RELEASE["train"],
    val: Patterns = RELEASE["val"],
    test: Patterns = RELEASE["test"],
    video_root: str | None = None,
) -> None:
    """Draw the pictures of a dataset: what it asks, of which videos, in how many words, and how that is balanced.

    Writes one page, stats.html, which loads nothing; a PNG file of each picture; and stats.json with all their numbers.
    All records are counted; answers, captions and videos are read from a sample, whose size stands at the picture. What
    is missing, videos or captions, leaves its picture out, and the page says so.

    Args:
        data: The data folder.
        split: The one that is looked at; the others are counted beside it.
        out: The folder to write; DATA/stats by default.
        faces: Clips in which faces are looked for, at four frames each; 0 for none. Needs `pip install
            'videmo[faces]'`, on Python 3.11.
        sample: Answers of each task that are read, and videos that are opened, at most.
        ckpt: A model's folder or hub id, or a run's folder or checkpoint: adds the perplexity of the answers by class
            of the curriculum and by task, and the order that it suggests.
        answers: Answers of each task that this model scores, at most.
        base: The model that a checkpoint was trained from, where it has moved since.
        seed: Of the samples: the same draws the same.
        train: Pattern of the training files, relative to the data folder; or several, as a list or as the data module
            takes them with weights. An empty list leaves them out.
        val: The same of the validation files.
        test: The same of the benchmark's files.
        video_root: What the records' video paths are relative to; DATA/videos by default.
    """
    for name, value, least in (("faces", faces, 0), ("sample", sample, 1), ("answers", answers, 1), ("seed", seed, 0)):
        if value < least:
            raise InputError(f"--{name} must be at least {least}, got {value}")
    root = Path(data)
    use_tasks_of(root)
    folder = DataFolder.of(data, {"train": train, "val": val, "test": test}, video_root)
    folder.files()  # its sentences on what is no data folder come before any folder is made
    place = Path(out) if out else root / "stats"
    check_writable(place, folder)
    if ckpt is not None:
        from videmo.reason.model import fingerprint

        fingerprint(ckpt)  # as what is no model is to be said before minutes of work
    corpus = Corpus.open(folder, split, seed)
    scored = perplexity(corpus, ckpt, answers, base)  # first, as a model's faults are to be said before other work
    sections = [
        taxonomy(corpus),
        splits(corpus),
        published(corpus),
        questions(corpus),
        durations(corpus, sample),
        *faces_and_views(corpus, faces),
        *_texts(corpus, sample),
        scored,
    ]
    drawn = [section for section in sections if isinstance(section, Section)]
    pictures = dict(watch("drawing", len(drawn), ((section.name, draw(section)) for section in drawn)))
    told = problems(corpus, sections)
    if lacking := "".join(sorted({letter for own in pictures.values() for letter in own.lacking})):
        told.append(
            f"no font here has the letters {lacking[:LETTERS]}{'…' if lacking[LETTERS:] else ''}: they are boxes in "
            "the PNG files; install one that does, such as Noto Sans CJK (the page itself uses the reader's fonts)"
        )
    page = render(root.resolve().name, _facts(corpus), _headlines(corpus), told, sections, pictures)
    chosen = {"data": root.resolve().name, "split": split, "seed": seed, "sample": sample}
    about = {"videmo": videmo.__version__, **chosen, "left_out_records": fault_counts(corpus)}
    written = write(place, page, {name: own.png for name, own in pictures.items()}, about | numbers_of(sections))
    console = output()
    console.print(
        f"{written}: {plural(len(drawn), 'picture')} of {plural(len(corpus.index), 'record')}; each as a PNG,"
    )
    console.print(f"and all numbers in {NUMBERS}, beside it")
    for section in sections:
        if isinstance(section, LeftOut):
            console.print(f"left out, {section.title}: {section.why}")
    for problem in told:
        console.print(problem)


def _texts(corpus: Corpus, sample: int) -> list[Section | LeftOut]:
    """What answers show, each read once."""
    counters = (Lengths(), Words(), Balance())
    for task, records in watch("reading answers", len(corpus.tasks), corpus.samples(sample)):
        for counter in counters:
            counter.count(task, records, len(corpus.tasks[task]))
    return [counter.section(corpus.split) for counter in counters]


def _facts(corpus: Corpus) -> list[tuple[str, str]]:
    """Name and value of what the header says."""
    return [
        ("split", corpus.split),
        ("files", f"{len(corpus.index.files):,}"),
        ("seed of the samples", f"{corpus.seed}"),
        ("videmo", videmo.__version__),
    ]


def _headlines(corpus: Corpus) -> list[tuple[str, str]]:
    """The few numbers that a reader looks for first."""
    index = corpus.index
    found = [_number(len(index), "record", f" of {corpus.split}"), _number(len(corpus.tasks), "task")]
    if len(index.videos):
        there = int((corpus.places == Place.THERE).sum())
        here = "all" if there == len(index.videos) else f"{there:,}"
        found.append(_number(len(index.videos), "video", f", {here} here"))
        counts = records_a_video(index.family[corpus.has_videos])
        asked = f"questions a video: {counts.sum():,} about {plural(len(counts), 'video')} or sets of videos"
        found.append((f"{counts.mean():.2f}", asked))
    return found


def _number(count: int, noun: str, more: str = "") -> tuple[str, str]:
    number, what = plural(count, noun).split(" ", 1)
    return number, what + more

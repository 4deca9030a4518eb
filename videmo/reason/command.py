"""The command ``videmo reason``.

videmo reason clip.mp4 --ckpt runs/demo/grpo
videmo reason clips/ --ckpt runs/sft/model --n 4 --out runs/reason.jsonl --trees runs/trees
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.text import Text

from videmo.affect import AffectiveTree, draw_tree
from videmo.data.records import Record
from videmo.data.sampling import VideoSettings
from videmo.errors import InputError, check_positive, printable
from videmo.reason.model import fingerprint, load_reasoner
from videmo.reason.questions import find_questions, own_part, rank_and_size
from videmo.reason.results import ResultFile, key_of
from videmo.reason.show import show_answer, show_step
from videmo.reasoning import OracleScorer, Reasoner, Reasoning, ScorerTerm, SearchSettings
from videmo.reasoning.dialogue import is_made_up
from videmo.reasoning.reasoner import MAX_NEW_TOKENS
from videmo.reasoning.scorers import in_full
from videmo.reasoning.settings import Method
from videmo.tasks import FEELING, LEVEL_QUESTIONS, WHY
from videmo.terminal import Steps, output


def reason(
    ckpt: str,
    videos: list[str] = [],  # noqa: B006 (never changed; jsonargparse shows it in --help)
    question: str = FEELING,
    n: int = 8,
    method: Method = "tree",
    beam: int = 1,
    levels: dict[str, str] = LEVEL_QUESTIONS,
    why: str | None = WHY,
    scorers: list[ScorerTerm] | None = None,
    temperature: float | None = None,
    top_p: float = 1.0,
    top_k: int = 0,
    seed: int = 0,
    out: str | None = None,
    trees: str | None = None,
    batch_size: int = 8,
    max_new_tokens: int = MAX_NEW_TOKENS,
    video: VideoSettings | None = None,
    video_root: str | None = None,
    base: str | None = None,
) -> int:
    """Answer questions about videos by search over the affective tree: attributes, then expressions, then emotion.

    The exit status is 1 where a video is not there or could not be read; the others have their answers. Under torchrun
    each process takes its part.

    Args:
        ckpt: A model's folder or hub id; or a run's folder or checkpoint.
        videos: Video files, folders of them, or JSON files of questions in the release's format; the option's name may
            be left out.
        question: Asked of every video; files of questions have their own.
        n: Candidates that each level draws.
        method: tree asks the levels first; flat asks the question alone.
        beam: How many candidates of a level are gone on from.
        levels: What is asked before, by the names of the levels.
        why: Asked at last of an answer about an emotion, for its rationale; null leaves it out.
        scorers: What chooses among candidates; consensus by default.
        temperature: Of the draws, 0.7 by default; 0 takes the likeliest tokens, as n = 1 does by default.
        top_p: Draws from the likeliest tokens only that together have this probability.
        top_k: Draws from so many of the likeliest tokens only; 0 draws from all.
        seed: Of the draws: the same gives the same answers.
        out: A file for the results, JSON lines; a second run goes on where the first ended.
        trees: A folder for pictures of the trees.
        batch_size: Questions at a time.
        max_new_tokens: Longest candidate, in tokens.
        video: How frames are sampled and sized; as in training by default.
        video_root: What the paths in files of questions are relative to.
        base: The model that a run's checkpoint was trained from, where it has moved since.
    """
    check_positive("--batch_size", batch_size)
    check_positive("--max_new_tokens", max_new_tokens)
    settings = SearchSettings(n, method, beam, levels, scorers, temperature, top_p, top_k, seed)
    settings.check()
    records, faults = find_questions(videos, question, video_root)
    for fault in faults:
        print(f"videmo: {fault}", file=sys.stderr)
    _refuse_oracle(settings, records)
    own = own_part(records)
    if trees:
        Path(trees).mkdir(parents=True, exist_ok=True)
    about = {"ckpt": ckpt, "weights": fingerprint(ckpt), **settings.to_json(), "why": why or None}
    about |= {"scorers": [in_full(term) for term in settings.terms], "max_new_tokens": max_new_tokens}
    about |= {"base": base, "video": asdict(video) if video else None}
    results = ResultFile(Path(out), about) if out else None
    done = results.done if results else {}
    todo = [record for record in own if key_of(record) not in done]
    console = output()
    if len(todo) < len(own):
        console.print(f"{len(own) - len(todo)} of {len(own)} questions are answered already")
    if trees:
        for record in own:
            if said := done.get(key_of(record)):
                _draw(AffectiveTree.from_json(said["tree"]), record, Path(trees), records.index(record))
    if not todo:
        return 1 if faults else 0
    reasoner = load_reasoner(ckpt, settings, base=base, video=video, max_new_tokens=max_new_tokens, why=why or None)
    alone = len(records) == 1 and not out
    counts = Counter()
    for record, found in _alone(reasoner, todo[0], console) if alone else _many(reasoner, todo, batch_size):
        if isinstance(found, InputError):
            counts["failed"] += 1
            print(f"videmo: {found}", file=sys.stderr)
            if results:
                results.add_error(record, str(found))
            continue
        counts["answers"] += 1
        counts["of low confidence"] += found.doubt is not None
        counts["chosen by likelihood, as no scorer said anything"] += any(step.undecided for step in found.steps)
        if results:
            results.add(record, found)
        elif not alone:
            console.print(_line(record, found))
        if trees:
            _draw(found.tree, record, Path(trees), records.index(record))
    if results:
        parts = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
        console.print(f"{results.path}: {parts}")
    return 1 if faults or counts["failed"] else 0


def _refuse_oracle(settings: SearchSettings, records: Sequence[Record]) -> None:
    """
    Raises:
        InputError: If the references are to choose, and there are none.
    """
    oracle = any(isinstance(term.scorer, OracleScorer) for term in settings.terms)
    if oracle and all(map(is_made_up, records)):
        raise InputError(
            "the oracle reads references, to analyse a search, and these questions have none; take another scorer"
        )
    if oracle:
        print("videmo: the oracle reads the references: this is an analysis, no result", file=sys.stderr)


def _alone(reasoner: Reasoner, record: Record, console: Console):
    """One question, seen level by level."""
    console.print(Text(", ".join(record.videos), style="bold"))
    reasoning = None
    try:
        for reasoning in reasoner.grow_record(record):
            show_step(reasoning.steps[-1], console)
    except InputError as error:
        yield record, error
        return
    show_answer(reasoning, console)
    yield record, reasoning


def _many(reasoner: Reasoner, records: Sequence[Record], batch_size: int):
    """Questions in batches, with a progress bar; where a batch fails, each for itself."""
    with Steps("reason", len(records), shown=rank_and_size()[0] == 0) as bar:
        for first in range(0, len(records), batch_size):
            for record, found in _batch(reasoner, records[first : first + batch_size]):
                yield record, found
                bar.step()


def _batch(reasoner: Reasoner, records: Sequence[Record]):
    try:
        return [*zip(records, reasoner.answer(records), strict=True)]
    except InputError as error:
        if len(records) == 1:
            return [(records[0], error)]
        return [pair for record in records for pair in _batch(reasoner, [record])]


def _line(record: Record, found: Reasoning) -> Text:
    text = Text(f"{', '.join(record.videos)}: ").append(printable(found.answer) or "(nothing)", style="bold")
    text.append(f"  (confidence {found.confidence:.2f})", style="dim")
    return text.append(f"  {found.doubt}", style="yellow") if found.doubt else text


def _draw(tree: AffectiveTree, record: Record, folder: Path, number: int) -> None:
    name = Path(record.videos[0]).stem if record.videos else "no video"
    draw_tree(tree).save(folder / f"{number:05d}-{name}.png")

"""Assembles the page: one HTML file with its style, scripts, pictures and numbers inside, and nothing from the network.

Every text goes through Jinja's escaping, and a content security policy lets only the page's own script run, by its
hash: what a model answered can be read, never executed.
"""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from videmo.aside import write_atomically
from videmo.benchmark.table import FEW
from videmo.errors import InputError
from videmo.pages import environment, printable_page, style
from videmo.report.confusion import UNREAD, confusions
from videmo.report.curriculum import CURRICULUM_FILE, forgetting_table, read_curriculum, stage_bands
from videmo.report.curves import curve_panels, read_scalars
from videmo.report.frames import FrameReader
from videmo.report.provenance import Provenance, read_provenance
from videmo.report.results import Method, read_methods
from videmo.report.samples import choose_samples
from videmo.report.scores import ScoreTable, score_table

SCRIPTS = ("address.js", "curves.js", "confusion.js", "filters.js")


def write_report(run: Path, out: Path | None = None) -> Path:
    """Write the page of a run.

    Args:
        run: A run folder: ``results/<method>/``, ``tensorboard/``, ``curriculum.json``, ``config.yaml``; any may be
            missing, and the page says what is.
        out: The file to write; ``report.html`` in the run folder by default.

    Returns:
        The file; it appears whole or not at all.

    Raises:
        InputError: If the folder does not exist or holds neither results, nor curves, nor a curriculum.
    """
    run = Path(run)
    if not run.is_dir():
        raise InputError(f"no such run folder: {run}; give the folder that `videmo fit` or `videmo test` wrote into")
    out = Path(out) if out is not None else run / "report.html"
    write_atomically(out, render(run))
    return out


def render(run: Path) -> str:
    """The page as text."""
    methods, problems = read_methods(run)
    scalars = read_scalars(run)
    stages = []
    try:
        stages = read_curriculum(run)
    except InputError as error:
        problems.append(str(error))
    if not (methods or scalars or stages):
        raise InputError(
            f"{run} holds nothing to report on: looked for results/<method>/benchmark.json and prediction files beside "
            f"it, TensorBoard event files under tensorboard/, and {CURRICULUM_FILE}"
            + "".join(f". {problem}" for problem in problems)
        )
    provenance = read_provenance(run)
    main = methods[0] if methods else None
    answers = main.predictions if main else {}
    samples = choose_samples(answers, FrameReader(provenance.video_root), provenance.truth)
    if samples:
        problems += provenance.problems
    table = score_table(methods)
    matrices = confusions(methods)
    panels = curve_panels(scalars)
    page = _environment().get_template("page.html")
    text = page.render(
        title=run.resolve().name,
        problems=problems,
        main=main,
        facts=_facts(run, main, provenance),
        headlines=_headlines(table, panels),
        table=table,
        panels=panels,
        bands=stage_bands(stages, scalars),
        dropped={tag: s.dropped for tag, s in scalars.items() if s.dropped},
        forgetting=forgetting_table(stages) if any(stage.val for stage in stages) else None,
        stages=stages,
        matrices={task: {name: m.to_json() for name, m in by.items()} for task, by in matrices.items()},
        unread=UNREAD,
        few=FEW,
        samples=samples,
        tasks=list(dict.fromkeys(sample.task for sample in samples)),
        style=style("videmo.report", "style.css"),
        script=Markup(script := "\n".join(map(_asset, SCRIPTS))),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return printable_page(text)


def _environment() -> Environment:
    made = environment(
        "videmo.report",
        score=lambda value: "–" if value is None else f"{value:.1f}",
        breakable=lambda name: Markup("_<wbr>").join(name.split("_")),
        signed=lambda value: f"{value:+.1f}".replace("-", "−"),
    )
    made.policies["json.dumps_kwargs"] = {}  # else names are sorted; the main method is to stand first
    return made


def _asset(name: str) -> str:
    return (files("videmo.report") / name).read_text(encoding="utf-8")


def _facts(run: Path, main: Method | None, provenance: Provenance) -> list[tuple[str, str]]:
    """Name and value of what the header says."""
    data = provenance.config.get("data")
    root = data.get("root") if isinstance(data, dict) else None
    seed = provenance.config.get("seed_everything")
    facts = []
    if main is not None:
        facts += [("method", main.name), ("results of", f"{main.date:%d %B %Y, %H:%M} UTC")]
    if main is not None and main.result is not None and main.result.data:
        facts.append(("data", " ".join(value[:16] for key, value in main.result.data.items() if key != "drawn")))
    elif isinstance(root, str):
        facts.append(("data", "/".join(Path(root).parts[-2:])))
    if provenance.num_parameters:
        facts.append(("parameters", _count(provenance.num_parameters)))
    if isinstance(seed, int):
        facts.append(("seed", str(seed)))
    return facts


def question_set(column: str) -> str:
    """The questions that a column scores: two scores of the same captions are of one set.

    Example:
        >>> question_set("caption_tree_f1"), question_set("hair")
        ('caption', 'hair')
    """
    return column.removesuffix("_rouge_l").removesuffix("_tree_f1")


def _count(number: int) -> str:
    for unit, size in (("billion", 1e9), ("million", 1e6)):
        if number >= size:
            return f"{number / size:.2f} {unit}"
    return f"{number:,}"


def _headlines(table: ScoreTable | None, panels: list[dict]) -> list[tuple[str, str]]:
    """Number and what it counts: the few that a reader looks for first."""
    headlines = []
    if table is not None:
        judged = [row for row in table.columns if row.verdict]
        if judged:
            headlines.append((f"{len(table.lying('above'))} of {len(judged)}", "columns lie above blind"))
        if (mean := table.mean("score")) is not None:
            blind = table.mean("blind")
            beside = "" if blind is None else f", blind {blind:.1f}"
            headlines.append((f"{mean:.1f}", f"mean of the {len(table.papers)} columns asked{beside}"))
        rows = {question_set(row.column): row for rows in table.sections.values() for row in rows if row.asked}
        asked = sum(row.asked or 0 for row in rows.values())
        unread = sum(row.unread or 0 for row in rows.values())
        if asked:
            headlines.append((f"{100 * unread / asked:.1f}%", f"of {asked:,} answers could not be read"))
    points = {s["tag"]: list(zip(s["values"], s["steps"], strict=True)) for panel in panels for s in panel["series"]}
    for tag, best, which in (("val/loss", min, "lowest"), ("val/reward", max, "highest")):
        if tag in points:
            value, step = best(points[tag], key=lambda point: point[0])
            headlines.append((f"{value:.3f}", f"{which} validation {tag.removeprefix('val/')}, at step {step:,}"))
    return headlines

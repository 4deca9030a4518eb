"""An export's README.md: how it is loaded, what was trained on what, its scores and its limits."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import videmo
from videmo.benchmark import RESULT_FILE, BenchmarkResult
from videmo.cards import LICENCE, PAPER, head, read_head
from videmo.errors import InputError
from videmo.export.checkpoint import TrainedWeights
from videmo.export.loading import adapter_lines, weights_beside, whole_lines
from videmo.export.model import has_adapters
from videmo.models.scopes import SCOPES
from videmo.pretrained import VIDEMO_FILE
from videmo.training.checkpoints import content_hash

_SETTINGS = "How videos were sampled and sized stands in `video_preprocessor_config.json` and `videmo.json`."
_WHOLE = f"""\
`AutoProcessor` reads its files, too, and needs torchvision, and torchcodec to read videos; `videmo reason clip.mp4
--ckpt FOLDER` asks it about a clip without them.
{_SETTINGS}"""
_BESIDE = f"""\
Loaded by these lines the two compute what training did; read in another type, they do not. `videmo export --merge=true`
gives a whole model, for programs that do not load the two like this.
{_SETTINGS}"""
_NO_SCORES = """\
None are known of this checkpoint. `videmo test --ckpt_path=CHECKPOINT` measures it; an export after that has them."""
_LIMITS = """\
- It puts into words how somebody in a video looks and acts, and which label fits that. What a person feels cannot be
  read off a face, and a clip shows a moment without what led to it.
- Labels are opinions, of annotators or of other models. Ages, genders, skins and cultures are not equally many in data
  sets of faces; scores by such groups were not measured, and what it says of them is a guess.
- Take no decision about a person by it (work, school, insurance, police, borders, medicine), and watch nobody who has
  not agreed to it. In the EU, systems that infer emotions at work and in schools are prohibited, but for medical and
  safety reasons (AI Act, Article 5(1)(f)).
"""
_DRAWN = "- It was trained on drawn faces alone, and means nothing on videos of people.\n"


def card(folder: Path, base: str, files: Path | None, trained: TrainedWeights, dtype: str | None = None) -> str:
    """The text of README.md.

    Args:
        folder: Where the export will be.
        base: The folder or hub id of the model that it was trained from.
        files: Where the base's files are, if it has some.
        trained: What was trained.
        dtype: Of a whole model's weights; None for an adapter.
    """
    given, by = trained.arguments, _method(trained)
    lora = ["lora"] if has_adapters(given) else []
    facts = {
        "library_name": "transformers" if dtype else "peft",
        "pipeline_tag": "video-text-to-text",
        **_origin(base, files, "finetune" if dtype else "adapter"),
        "tags": ["videmo", "emotion", "affective-computing", "qwen2_5_vl", by.lower(), *lora],
    }
    named = Path(base).name if Path(base).is_dir() else base  # where it lies on this machine concerns nobody
    if dtype:
        what = f"A whole model in {dtype}, trained from {named}"
        code, more = whole_lines(folder, dtype), _WHOLE
    else:
        what = f"An adapter of {named}, trained beside that model's weights {weights_beside(given)}"
        code, more = adapter_lines(folder, named, given), _BESIDE
    sections = {
        f"# {folder.absolute().name}": f"{what}, by {by} with videmo {videmo.__version__}: an emotion-centric video "
        f"language model after {PAPER}.",
        "## How to load it": "\n".join(["```python", *code, "```", "", more]),
        "## What was trained on what": "\n".join(_training(trained)),
        "## Scores": "\n\n".join(map(_scores, _results(trained))) or _NO_SCORES,
        "## Limits, and what it is not for": _LIMITS + (_DRAWN if trained.drawn else ""),
    }
    return head(facts) + "".join(f"\n{title}\n\n{text.rstrip()}\n" for title, text in sections.items())


def _method(trained: TrainedWeights) -> str:
    return "GRPO" if "num_generations" in trained.arguments else "SFT"


def _origin(base: str, files: Path | None, relation: str) -> dict[str, Any]:
    """Licence and base as a hub names them. A folder is nothing to it, but an export knows what it was trained from."""
    said = read_head(files)
    if files is not None and Path(base).is_dir():
        base = said.get("base_model", "") if (files / VIDEMO_FILE).is_file() else ""
    licence = {key: said[key] for key in LICENCE if key in said} or {"license": "unknown"}
    return {**licence, **({"base_model": base, "base_model_relation": relation} if _is_hub_id(base) else {})}


def _is_hub_id(base: object) -> bool:
    return isinstance(base, str) and base.count("/") == 1 and not base.startswith(("/", ".")) and ":" not in base


def _training(trained: TrainedWeights) -> Iterator[str]:
    given, video = trained.arguments, trained.video
    data = f"the data folder `{trained.data}`" if trained.data else "a data folder that the checkpoint does not name"
    yield f"{_method(trained)}, {trained.step:,} optimizer steps in all, on {data}."
    yield ""
    parts = [f"{scope} {_mode(given, scope)}" for scope in SCOPES]
    yield f"- trained: {', '.join(parts)}"
    yield f"- videos: at most {video.max_frames} frames, {video.fps:g} a second, of {video.max_pixels:,} pixels at most"
    yield f"- optimizer: {given.get('optimizer', 'adamw')}, learning rate {given.get('learning_rate', 2e-5):g}"
    if trained.stages:
        yield ""
        yield "| stage | records an epoch takes, as shares of each task's | epochs | steps | learning rate | replay |"
        yield "|---|---|---:|---:|---:|---:|"
    for stage in trained.stages:
        mix = ", ".join(f"{name} {share:g}" for name, share in stage["mix"].items())
        rate = stage["learning_rate"] or given.get("learning_rate", 2e-5)
        yield f"| {stage['name']} | {mix} | {stage['epochs']} | {stage['steps']} | {rate:g} | {stage['replay']:g} |"


def _mode(given: Mapping[str, Any], scope: str) -> str:
    mode = given.get(scope, {}).get("mode", "full")
    return f"by LoRA of rank {given['lora']['rank']}" if mode == "lora" else mode


def _results(trained: TrainedWeights) -> Sequence[BenchmarkResult]:
    """What tests of this very checkpoint wrote beside its run."""
    if not trained.path.is_file():
        return []
    run, found = trained.path.absolute().parents[1], []
    for file in sorted(file for folder in (run, run.parent) for file in folder.glob(f"results/*/{RESULT_FILE}")):
        with suppress(InputError, OSError):
            found.append(BenchmarkResult.load(file))
    mine = content_hash(trained.path) if found else ""
    return [result for result in found if result.generation.get("checkpoint") == mine]


def _scores(result: BenchmarkResult) -> str:
    data, judge = result.data, result.judge.get("model", "rules")
    lines = [
        f"The test split of {data.get('name', 'unnamed data')} ({data.get('content', 'no hash')}), judged by {judge}.",
        "`blind` is the best answer without looking: a score means something where its whole interval lies above that.",
        "",
        "| column | answers | blind | score | 95% |",
        "|---|---:|---:|---:|:---:|",
    ]
    for column, score in result.columns.items():
        blind = f"{result.blind[column]:.1f}" if column in result.blind else "–"
        interval = " to ".join(f"{bound:.1f}" for bound in result.intervals.get(column, ()))
        answers = result.counts.get(column, {}).get("judged", "–")
        lines.append(f"| {column} | {answers} | {blind} | {score:.1f} | {interval or '–'} |")
    return "\n".join(lines)

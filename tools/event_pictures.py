"""The pictures and texts of a run's TensorBoard as files, to look at or to show without it.

python tools/event_pictures.py runs/demo/grpo --out pictures

docs/images/grpo_completions.png is the caption's picture of one step on captions alone:

videmo fit --config configs/demo/grpo.yaml --trainer.default_root_dir=runs/captions --seed_everything=0 \
    --data.curriculum='[{"name": "grpo", "mix": {"caption": 1}, "steps": 1}]'
"""

import argparse
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import IMAGES, TENSORS, EventAccumulator


def write_pictures(run: Path, out: Path) -> list[Path]:
    """Write each picture as ``<tag>_<step>.png`` and each text as ``<tag>_<step>.md``; returns the files."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for folder in sorted({file.parent for file in run.rglob("events.out.tfevents.*")}):
        events = EventAccumulator(str(folder), size_guidance={IMAGES: 0, TENSORS: 0}).Reload()
        for tag in events.Tags()["images"]:
            for event in events.Images(tag):
                written.append(out / f"{tag.replace('/', '_')}_{event.step}.png")
                written[-1].write_bytes(event.encoded_image_string)
        for tag in events.Tags()["tensors"]:
            for event in events.Tensors(tag):
                name = tag.removesuffix("/text_summary").replace("/", "_")
                written.append(out / f"{name}_{event.step}.md")
                written[-1].write_bytes(b"\n".join(event.tensor_proto.string_val))
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run folder, or any with event files in it")
    parser.add_argument("--out", type=Path, default=Path("pictures"), help="a folder")
    args = parser.parse_args()
    for file in write_pictures(args.run, args.out):
        print(file)


if __name__ == "__main__":
    main()

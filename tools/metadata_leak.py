"""Can a label be told without a pixel? A classifier on what lies around the pictures of a drawn world.

It sees file size, duration, packet sizes and flags, codec data, the clip's name, its place in a record file and in the
truth, and the time of writing; it is fitted on the training split and scored on the test split, label by label.

python tools/metadata_leak.py ROOT

The last line is JSON: labels, how many have an AUC whose 95% interval (from shuffled test labels) does not hold it, how
many that would be by chance, and the largest AUC.
"""

import argparse
import json
import os
from pathlib import Path

import av
import numpy as np
from rich.progress import track
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from videmo.data.records import read_records

SHUFFLES = 400
MOST_PACKETS = 64
FEWEST = 8  # test clips with and without a label, for its AUC to mean something
CATEGORIES = (
    *("kind", "emotion", "second", "intensity", "micro", "pose", "head_action", "face_action", "body_action"),
    *("relation", "background", "occluder"),
)
PERSON = (
    *("male", "age", "skin", "face_shape", "eye_colour", "eye_shape", "eye_bags", "eyebrows", "nose", "lips", "chin"),
    *("hair_colour", "hair_texture", "hair_length", "bangs", "receding", "beard", "sideburns", "mark"),
)


def clip_labels(clip: dict) -> set[str]:
    """Everything true of a clip, as ``field=value``."""
    found = {f"{name}={clip[name]}" for name in CATEGORIES} | {f"{name}={clip['identity'][name]}" for name in PERSON}
    return found | {f"shows {unit}" for unit in clip["aus"]} | {f"wears {name}" for name in clip["accessories"]}


def features(root: Path, split: str) -> tuple[np.ndarray, list[set[str]]]:
    """One row of numbers a clip, and its labels."""
    places: dict[str, list[float]] = {}
    for file in sorted((root / "jsons" / split).glob("*/full/*.json")):
        records = list(read_records(file))
        for number, record in enumerate(records):
            for path in record.videos:
                places.setdefault(path, []).append(number / len(records))
    clips = [json.loads(line) for line in (root / "truth" / f"{split}.jsonl").read_text().splitlines()]
    rows, rng = [], np.random.default_rng(0)
    for number, clip in enumerate(track(clips, f"reading {split}")):
        file = root / "videos" / clip["path"]
        with av.open(str(file)) as container:
            stream = container.streams.video[0]
            packets = [packet for packet in container.demux(stream) if packet.size]
            own = [container.size, container.duration or 0, container.bit_rate or 0, stream.bit_rate or 0]
            own += [stream.frames, stream.duration or 0, float(stream.average_rate or 0)]
            own += [len(str(container.metadata)), sum(stream.codec_context.extradata or b"")]
            for values in ([p.size for p in packets], [p.dts or 0 for p in packets], [p.is_keyframe for p in packets]):
                own += (values + [0] * MOST_PACKETS)[:MOST_PACKETS]
        name = [int(digit, 16) for digit in file.stem.removeprefix("clip_")]
        # One place at random: several would tell how many questions a clip is asked, which is no secret of the file's.
        place = rng.choice(places.get(clip["path"], [0.5]))
        rows.append([*own, *name, number / len(clips), place, os.stat(file).st_mtime])
    return np.array(rows, float), [clip_labels(clip) for clip in clips]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="a folder that `videmo synth` made")
    root = parser.parse_args().root
    train_x, train_labels = features(root, "train")
    test_x, test_labels = features(root, "test")
    rng = np.random.default_rng(0)
    outside, aucs = [], {}
    names = sorted(set().union(*test_labels))
    for name in track(names, "fitting"):
        train_y = np.array([name in labels for labels in train_labels])
        test_y = np.array([name in labels for labels in test_labels])
        if min(train_y.sum(), len(train_y) - train_y.sum(), test_y.sum(), len(test_y) - test_y.sum()) < FEWEST:
            continue
        model = RandomForestClassifier(100, min_samples_leaf=4, random_state=0, n_jobs=-1).fit(train_x, train_y)
        guess = model.predict_proba(test_x)[:, 1]
        aucs[name] = roc_auc_score(test_y, guess)
        chance = [roc_auc_score(rng.permutation(test_y), guess) for _ in range(SHUFFLES)]
        low, high = np.quantile(chance, [0.025, 0.975])
        if not low <= aucs[name] <= high:
            outside.append(name)
    highest = max(aucs, key=aucs.get)
    varying = int((np.ptp(np.concatenate([train_x, test_x]), axis=0) > 0).sum())
    for name in outside:
        print(f"{name}: AUC {aucs[name]:.3f}")
    print(
        json.dumps(
            {
                "labels": len(aucs),
                "outside": len(outside),
                "expected_by_chance": round(0.05 * len(aucs), 1),
                "mean_auc": round(float(np.mean(list(aucs.values()))), 4),
                "largest_auc": round(aucs[highest], 3),
                "largest": highest,
                "features": train_x.shape[1],
                "features_that_vary": varying,
            }
        )
    )


if __name__ == "__main__":
    main()

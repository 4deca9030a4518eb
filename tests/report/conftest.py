"""Run folders made up for the report, and a browser to see it in."""

import json
import shutil
from pathlib import Path

import pytest
from chromium import chromium
from made_up import benchmark, stages, write_answers, write_clip, write_scalars


def write_results(run: Path) -> Path:
    """A run with answers to three tasks and their scores, without videos, curves or a config."""
    folder = run / "results" / "after"
    said = ["Happy", "B. Sad", "Neutral", "Happy", "perhaps", "Angry", "Sad", "Sad"]
    true = ["Happy", "Sad", "Sad", "Angry", "Happy", "Angry", "Sad", "Neutral"]
    rows = [{"response": response, "labels": label} for response, label in zip(said, true, strict=True)]
    write_answers(folder / "DFEW_Single-Label-Emotion-Recognition.json", rows)
    rows = [{"response": r, "labels": "Yes", "question": "<video><video>The same?"} for r in ("Yes", "No", "Yes", "?")]
    write_answers(folder / "MEAD_ID.json", rows)
    captions = ["A sad woman with black hair.", "A dog.", "A woman with black hair looks sad. She frowns."]
    rows = [{"response": c, "labels": captions[2], "question": "<video>Describe."} for c in captions]
    write_answers(folder / "caption_test_sampling_v2_all_example.json", rows)
    (folder / "benchmark.json").write_text(json.dumps(benchmark()))
    return run


@pytest.fixture
def results(tmp_path) -> Path:
    return write_results(tmp_path / "first-run")


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> Path:
    """The same run with everything that a report can show. To be looked at: it is made once."""
    results = write_results(tmp_path_factory.mktemp("whole") / "first-run")
    steps = range(0, 100, 10)
    write_scalars(
        results / "tensorboard",
        {
            "train/loss": [(step, 2 / (1 + step / 20)) for step in steps],
            "val/loss": [(step, 2.2 / (1 + step / 20)) for step in steps[4::5]],
            "val/head_pose_loss": [(step, 1.5 / (1 + step / 20)) for step in steps[4::5]],
            "val/head_pose_exact": [(step, step / 100) for step in steps[4::5]],
            "lr-AdamW": [(step, 1e-3 * (1 - step / 100)) for step in steps],
        },
    )
    (results / "curriculum.json").write_text(json.dumps({"stages": stages()}))
    for number in range(8):
        write_clip(results / "data" / "videos" / "clips" / f"{number}.mp4", number)
    config = f"seed_everything: 7\ndata:\n  root: {results.name}/data\n  video_root: null\n"
    (results / "config.yaml").write_text(config)
    return results


@pytest.fixture
def whole_run(whole, tmp_path) -> Path:
    """A copy of the whole run."""
    return shutil.copytree(whole, tmp_path / "first-run")


@pytest.fixture(scope="module")  # an idle page takes a tenth of a core from the tests that follow
def browser():
    """Headless Chromium that reaches no network."""
    with chromium({"browser": "ALL"}) as chrome:
        chrome.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        chrome.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        yield chrome

"""The whole page of made-up runs: what is missing is said, what is untrusted is text, and nothing is loaded."""

import json
import re
import shutil
from html.parser import HTMLParser

import pytest
from made_up import benchmark, write_answers
from markupsafe import escape

from videmo.errors import InputError
from videmo.report import write_report

EMOTION_FILE = "DFEW_Single-Label-Emotion-Recognition.json"


class Page(HTMLParser):
    """Tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.text, self._silent = [], "", False
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._silent = tag in ("script", "style")

    def handle_endtag(self, tag):
        self._silent = False

    def handle_data(self, data):
        self.text += "" if self._silent else data + " "

    def classes(self, tag):
        return [attrs.get("class", "") for name, attrs in self.tags if name == tag]


def page_of(run) -> Page:
    return Page(write_report(run).read_text())


def test_a_whole_run_gives_a_page_with_every_part_and_nothing_missing(whole_run):
    page = page_of(whole_run)
    assert not any(name == "aside" for name, _ in page.tags)
    empty = [attributes for _, attributes in page.tags if attributes.get("class") == "empty"]
    assert empty == [
        {"class": "empty"},  # without scripts there are no curves ...
        {"class": "empty"},  # ... and no matrix
        {"class": "empty", "id": "no-samples", "hidden": None},
    ]
    for text in (
        "first-run",
        "data first-run/data",
        "seed 7",
        "1 of 3 columns lie above blind",
        "Learned and forgotten",
    ):
        assert text in page.text
    assert sum(name == "img" for name, _ in page.tags) == 4 * len(re.findall("confidence", page.text)) + 4 * 4


def test_the_main_method_stands_first_in_the_matrices(results):
    own = (results / "results" / "after").rename(results / "results" / "tuned")
    (own / "benchmark.json").write_text(json.dumps(benchmark(method="tuned")))
    shutil.copytree(own, own / "blank", ignore=shutil.ignore_patterns("benchmark.json", "blank"))
    data = re.search(r'id="page-data"[^>]*>(.*?)</script>', write_report(results).read_text(), re.DOTALL)[1]
    assert [list(by_method) for by_method in json.loads(data)["matrices"].values()] == [["tuned", "blank"]] * 2


def test_the_page_goes_where_it_is_told(results, tmp_path):
    out = tmp_path / "pages" / "x.html"
    assert write_report(results, out) == out
    assert out.read_text().startswith("<!doctype html>")
    assert not (results / "report.html").exists()


def test_nothing_is_loaded_from_elsewhere(whole_run):
    page = page_of(whole_run)
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "srcset", "data"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
    assert "url(" not in write_report(whole_run).read_text()


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7*7 }}</script>\u2028"


def test_hostile_text_stays_text(results):
    folder = results / "results" / "after"
    write_answers(folder / EMOTION_FILE, [{"response": HOSTILE, "labels": "Sad"}, {"response": "Sad", "labels": "Sad"}])
    options = f"<video>Which?\nA. {HOSTILE[:40]}\nB. Sad"
    rows = [
        {"response": "A", "labels": "A", "question": options},
        {"response": "A", "labels": "B", "question": options},
    ]
    write_answers(folder / "MAFW_Single-Label-Emotion-Recognition.json", rows)
    notes = {"head_pose": HOSTILE, HOSTILE: HOSTILE}
    data = {"name": HOSTILE[:12]}
    (folder / "benchmark.json").write_text(
        json.dumps(benchmark(notes=notes, data=data, controls={HOSTILE: {"hair": 1}}))
    )
    (results / "curriculum.json").write_text(json.dumps({"stages": [{"name": HOSTILE, "first_step": 0, "steps": 9}]}))
    html = write_report(results).read_text()
    page = Page(html)
    assert sum(name == "script" for name, _ in page.tags) == 2
    assert not any("onerror" in attributes or attributes.get("src") == "x" for _, attributes in page.tags)
    assert str(escape(HOSTILE)) in html
    embedded = json.loads(re.search(r'id="page-data">(.*?)</script>', html, re.DOTALL)[1])
    assert embedded["bands"][0]["name"] == HOSTILE


def test_text_that_is_no_unicode_is_replaced(results):
    rows = [{"response": "Sad \ud800 \x00 \x07", "labels": "Sad"}]
    write_answers(results / "results" / "after" / EMOTION_FILE, rows)
    assert "Sad � � �" in write_report(results).read_text()


def test_a_run_without_results_shows_its_curves(whole_run):
    shutil.rmtree(whole_run / "results")
    page = page_of(whole_run)
    assert "No scores: there is no results/<method>/benchmark.json in this run." in page.text
    assert "No samples" in page.text and "No confusion matrices" in page.text
    assert {"id": "panels", "class": "panels"} in [attributes for _, attributes in page.tags]


def test_answers_without_a_benchmark_file_are_shown_without_scores(results):
    (results / "results" / "after" / "benchmark.json").unlink()
    page = page_of(results)
    assert "results/after/benchmark.json is missing" in page.text
    assert "confidence" in page.text


def test_what_is_missing_is_said_once_each(results):
    page = page_of(results)
    assert "No curves: there are no TensorBoard event files under tensorboard/." in page.text
    assert page.text.count("No frames: the folder of videos, data/videos, is not on this machine.") == 1


def test_a_missing_clip_is_named_on_its_card(whole_run):
    (whole_run / "data" / "videos" / "clips" / "0.mp4").unlink()
    assert "clips/0.mp4: clips/0.mp4 does not exist" in page_of(whole_run).text


def test_truncated_files_are_named_and_the_rest_is_used(whole_run):
    folder = whole_run / "results" / "after"
    for file, length in (
        (folder / "benchmark.json", 300),
        (folder / EMOTION_FILE, -20),
        (whole_run / "curriculum.json", 40),
        (whole_run / "config.yaml", 0),
    ):
        file.write_text(file.read_text()[:length])
    (whole_run / "config.yaml").write_text("data: [")
    for file in whole_run.glob("tensorboard/events*"):
        file.write_bytes(file.read_bytes()[:-30])
    text = page_of(whole_run).text
    for sentence in (
        "results/after/benchmark.json is not whole JSON",
        f"results/after/{EMOTION_FILE}:8: not valid JSON",
        "; 7 answers before it are used.",
        "curriculum.json is not whole JSON",
        "config.yaml is not whole YAML",
    ):
        assert sentence in text
    assert "val/loss" in write_report(whole_run).read_text()


def test_a_folder_with_nothing_names_what_was_looked_for(tmp_path):
    with pytest.raises(InputError, match=r"results/<method>/benchmark\.json .* tensorboard/.*curriculum\.json"):
        write_report(tmp_path)
    with pytest.raises(InputError, match="no such run folder"):
        write_report(tmp_path / "absent")
    assert not list(tmp_path.iterdir())


def test_unknown_and_malformed_fields_are_tolerated(results):
    path = results / "results" / "after" / "benchmark.json"
    odd = benchmark(
        future={"a": 1}, data={"name": "demo-v1", "content": "ab12"}, columns={"head_pose": 80, "hair": "x"}
    )
    odd |= {
        "intervals": {"head_pose": [70]},
        "extra": {"caption_tree_f1": {"score": 50}},
        "controls": [1],
        "files": None,
    }
    path.write_text(json.dumps(odd))
    text = page_of(results).text
    assert "data demo-v1 ab12" in text
    assert "affective-tree F1, not a judge's score" in text
    path.write_text("[1, 2]")
    assert "holds no JSON object" in page_of(results).text

"""The page in headless Chromium, as somebody uses it: drop a clip, ask, read, ask again, download."""

import json
import time

import pytest

pytestmark = pytest.mark.browser
PATIENCE = 60


def wait_for(condition, what: str):
    """What a condition returns as soon as it is true of something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE} s for {what}")


def text(browser, selector: str) -> str:
    """Of the first element there; empty where there is none."""
    return browser.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)


def click(browser, selector: str) -> None:
    browser.execute_script("document.querySelector(arguments[0]).click()", selector)


def exists(browser, selector: str) -> bool:
    return browser.execute_script("return document.querySelector(arguments[0]) !== null", selector)


def show(browser, served) -> None:
    browser.get(served.address)
    wait_for(lambda: exists(browser, "#clip input[type=file]"), "the page")


def drop(browser, path) -> None:
    """Put a file where clips go, in place of the one before."""
    if exists(browser, "#clip [aria-label=Clear]"):
        click(browser, "#clip [aria-label=Clear]")
    field = wait_for(lambda: browser.find_elements("css selector", "#clip input[type=file]"), "the clip's field")[0]
    field.send_keys(str(path))


def ask(browser, path) -> None:
    """Drop a clip, press the button, and wait for a new answer or sentence."""
    drop(browser, path)
    wait_for(lambda: exists(browser, "#clip video"), "the upload")
    ends = "#answer .said, #note .note"
    browser.execute_script("document.querySelectorAll(arguments[0]).forEach(one => one.dataset.old = 1)", ends)
    click(browser, "#go")
    wait_for(lambda: exists(browser, ":is(#answer .said, #note .note):not([data-old])"), "the end of a search")


def test_a_drawn_clip_ends_with_an_answer_a_tree_a_follow_up_and_a_file(browser, served, clips):
    browser.get_log("performance"), browser.get_log("browser")
    show(browser, served)
    ask(browser, clips["drawn"])
    assert not exists(browser, "#note .note"), text(browser, "#note")
    levels = "return [...document.querySelectorAll('#levels .level')].map(one => one.dataset.level)"
    assert browser.execute_script(levels) == ["attribute", "expression", "emotion", "rationale"]
    assert browser.execute_script("return document.querySelectorAll('#strip img').length") == 4
    assert browser.execute_script("return document.querySelectorAll('#levels .chosen').length") == 4
    assert len(text(browser, "#levels .why")) > 10
    trees = "return [...document.querySelectorAll('.tree img')].filter(one => one.naturalWidth > 100).length"
    assert browser.execute_script(trees) == 5  # one a level, and the whole
    assert "confidence" in text(browser, "#answer")
    said = text(browser, "#answer .said")
    wait_for(lambda: exists(browser, "#next textarea"), "the field of the next question")
    field = browser.find_element("css selector", "#next textarea")
    field.send_keys("Why <b>not</b> ${1+1}?\n")
    wait_for(lambda: exists(browser, "#more .said"), "the second answer")
    assert text(browser, "#more h2") == "Why <b>not</b> ${1+1}?"
    click(browser, "#download")
    file = wait_for(lambda: [*browser.downloads.glob("drawn*.json")], "the download")[0]
    found = json.loads(file.read_text())
    assert found["videos"] == ["drawn.mp4"] and found["ckpt"] == "runs/tiny" and found["search"]["n"] == 3
    assert [step["level"] for step in found["steps"]] == ["attribute", "expression", "emotion", "rationale"]
    assert all(len(step["candidates"]) == 3 for step in found["steps"])
    assert found["answer"] == said and found["tree"]["children"]
    assert [one["question"] for one in found["follow_ups"]] == ["Why <b>not</b> ${1+1}?"]
    assert found["follow_ups"][0]["answer"] == text(browser, "#more .said")
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []
    asked = [json.loads(line["message"])["message"] for line in browser.get_log("performance")]
    urls = [one["params"]["request"]["url"] for one in asked if one["method"] == "Network.requestWillBeSent"]
    assert len(urls) > 5
    assert [url for url in urls if not url.startswith((served.address, "data:", "blob:", "about:"))] == []
    assert served.hosts <= {"127.0.0.1", "a file"}


def test_what_is_no_clip_gets_a_sentence_and_what_is_a_strange_one_an_answer(browser, served, clips):
    show(browser, served)
    click(browser, "#go")
    wait_for(lambda: "No clip yet" in text(browser, "#note"), "a sentence on no clip")
    for name in ("broken", "disguised"):
        ask(browser, clips[name])
        assert clips[name].name in text(browser, "#note") and not exists(browser, "#answer .said")
        assert "/" not in text(browser, "#note"), "no folder of this machine is told"
    ask(browser, clips["black"])
    assert "of one colour" in text(browser, "#strip") and exists(browser, "#answer .said")
    ask(browser, clips["one"])
    assert "one frame" in text(browser, "#strip") and exists(browser, "#answer .said")
    ask(browser, clips["long"])
    assert "seconds that the model does not see" in text(browser, "#strip") and exists(browser, "#answer .said")
    drop(browser, clips["text"])
    wait_for(lambda: "Invalid file type: notes.txt" in text(browser, ".toast-wrap"), "a sentence on a text")
    click(browser, ".toast-close")
    drop(browser, clips["big"])
    wait_for(lambda: "exceed the maximum allowed size of 1.0 Mb" in text(browser, ".toast-wrap"), "a sentence on size")
    stays = "return getComputedStyle(document.querySelector('#clip .error'), '::after').content"
    assert "no larger than the limit" in browser.execute_script(stays)


def test_a_second_search_waits_for_the_first(browser, served, clips):
    show(browser, served)
    first = browser.current_window_handle
    served.go.clear()
    served.running[1] = 0
    try:
        drop(browser, clips["drawn"])
        wait_for(lambda: exists(browser, "#clip video"), "the upload")
        click(browser, "#go")
        wait_for(lambda: served.running[0] == 1, "the first search")
        browser.switch_to.new_window("tab")
        show(browser, served)
        drop(browser, clips["one"])
        wait_for(lambda: exists(browser, "#clip video"), "the upload")
        click(browser, "#go")
        wait_for(lambda: "queue: 1/1" in text(browser, "#note"), "its place in the queue")
    finally:
        served.go.set()
    wait_for(lambda: exists(browser, "#answer .said"), "the second answer")
    browser.close()
    browser.switch_to.window(first)
    wait_for(lambda: exists(browser, "#answer .said"), "the first answer")
    assert served.running == [0, 1]


@pytest.mark.parametrize("width", [1280, 420])
def test_nothing_scrolls_sideways_and_dark_is_dark(browser, served, clips, width):
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    dark = [{"name": "prefers-color-scheme", "value": "dark" if width == 420 else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": dark})
    try:
        show(browser, served)
        ask(browser, clips["drawn"])
        wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert browser.execute_script(wide) == 0
        ground = browser.execute_script("return getComputedStyle(document.querySelector('.answer')).backgroundColor")
        assert ground == {1280: "rgb(255, 255, 255)", 420: "rgb(27, 30, 34)"}[width]
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})

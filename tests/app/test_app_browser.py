"""The page in headless Chromium, as somebody uses it: drop a clip, ask, read, ask again, download."""

import json
import time

import pytest

pytestmark = pytest.mark.browser
PATIENCE = 60


@pytest.fixture(scope="module", autouse=True)
def left(browser):
    """The page is left in the end: it would take a tenth of a core from the tests that follow."""
    yield
    browser.get("about:blank")


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
    for name in ("text", "picture"):
        drop(browser, clips[name])
        wait_for(
            lambda file=clips[name].name: f"Invalid file type: {file}" in text(browser, ".toast-wrap"), "a sentence"
        )
        said = "return getComputedStyle(document.querySelector('.toast-message-text'), '::after').content"
        assert "This is no video file" in browser.execute_script(said)
        click(browser, ".toast-close")
        wait_for(lambda: not exists(browser, ".toast-close"), "its end")
    drop(browser, clips["big"])
    wait_for(lambda: "exceed the maximum allowed size of 1.0 Mb" in text(browser, ".toast-wrap"), "a sentence on size")
    stays = "return getComputedStyle(document.querySelector('#clip .error'), '::after').content"
    assert "no larger than the limit" in browser.execute_script(stays)


def test_a_clip_that_no_browser_plays_is_no_error(browser, served, clips):
    show(browser, served)
    ask(browser, clips["avi"])
    assert exists(browser, "#answer .said") and exists(browser, "#clip [data-no-preview]")
    assert not exists(browser, "#clip .error") and not exists(browser, ".toast-close")
    drop(browser, clips["drawn"])
    wait_for(lambda: exists(browser, "#clip video") and not exists(browser, "#clip [data-no-preview]"), "a preview")


SHOWN = "#answer .said, #more .said, #strip img, #levels .level, #note .note"


def test_what_was_said_of_a_clip_goes_with_it(browser, served, clips):
    show(browser, served)
    ask(browser, clips["drawn"])
    assert "drawn.mp4" in text(browser, "#answer .asked") and exists(browser, "#levels .level")
    click(browser, "#clip [aria-label=Clear]")
    wait_for(lambda: not exists(browser, SHOWN) and not exists(browser, "#next textarea"), "an empty page")
    ask(browser, clips["one"])
    assert "one.mp4" in text(browser, "#answer .asked")
    drop(browser, clips["drawn"])
    wait_for(lambda: not exists(browser, SHOWN), "an empty page")


def is_disabled(browser, selector: str) -> bool:
    return browser.execute_script("return document.querySelector(arguments[0]).disabled", selector)


def test_a_search_can_be_stopped_and_asked_again(browser, served, clips):
    show(browser, served)
    served.go.clear()
    try:
        drop(browser, clips["drawn"])
        wait_for(lambda: exists(browser, "#clip video"), "the upload")
        assert not exists(browser, "#stop")
        click(browser, "#go")
        wait_for(lambda: exists(browser, "#stop") and is_disabled(browser, "#go"), "the other button")
        wait_for(lambda: "level 1 of 4, attribute: drawing 3 candidates, 1 s" in text(browser, "#note"), "a second")
        click(browser, "#stop")
        wait_for(lambda: text(browser, "#note").startswith("Stopped: ask again"), "a sentence")
        wait_for(lambda: not exists(browser, "#stop") and not is_disabled(browser, "#go"), "the end")
        click(browser, "#go")
        wait_for(lambda: exists(browser, "#stop"), "the next search")
    finally:
        served.go.set()
    wait_for(lambda: exists(browser, "#answer .said"), "its answer")
    wait_for(lambda: not exists(browser, "#stop") and not is_disabled(browser, "#go"), "the end")
    assert served.running[0] == 0


def test_a_further_question_can_be_stopped_too(browser, served, clips, reasoner):
    show(browser, served)
    ask(browser, clips["drawn"])
    wait_for(lambda: exists(browser, "#next textarea"), "the field of the next question")
    wait_for(lambda: not is_disabled(browser, "#send"), "the end of the search")
    slow = reasoner.search.backbone.register_forward_hook(lambda *_: time.sleep(0.5))
    try:
        browser.find_element("css selector", "#next textarea").send_keys("Why so?\n")
        wait_for(lambda: "drawing 3 candidates, 1 s" in text(browser, "#asking"), "a second")
        assert is_disabled(browser, "#go") and is_disabled(browser, "#send")
        click(browser, "#halt")
        wait_for(lambda: text(browser, "#asking").startswith("Stopped"), "a sentence")
    finally:
        slow.remove()
    wait_for(lambda: not is_disabled(browser, "#send"), "the end")
    click(browser, "#send")
    wait_for(lambda: exists(browser, "#more .said"), "the answer")
    assert text(browser, "#asking").strip() == ""


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
        seen = "return ['.tree .scroll', '.tree .narrow'].map(one => document.querySelector(one).offsetParent !== null)"
        assert browser.execute_script(seen) == [width == 1280, width == 420], "a picture, or the same in lines"
        places = "return ['#answer', '#levels'].map(one => document.querySelector(one).getBoundingClientRect().top)"
        answer, levels = browser.execute_script(places)
        assert answer < levels
        ground = browser.execute_script("return getComputedStyle(document.querySelector('.answer')).backgroundColor")
        assert ground == {1280: "rgb(255, 255, 255)", 420: "rgb(27, 30, 34)"}[width]
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})

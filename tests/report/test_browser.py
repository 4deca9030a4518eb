"""The page in headless Chromium: it draws, filters, links, fits a phone, and needs no network."""

import base64
import shutil

import pytest
from chromium import visit
from made_up import EMOTION

from videmo.report import write_report

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
DESKTOP = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}


@pytest.fixture(scope="module")
def whole_page(whole, tmp_path_factory):
    """The page of the whole run."""
    return write_report(shutil.copytree(whole, tmp_path_factory.mktemp("page") / "first-run"))


@pytest.fixture
def show(browser, whole_page):
    """A function that opens a page, of the whole run if no other, at an address and on a screen."""

    def open_page(hash="", screen=DESKTOP, page=whole_page):
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
        visit(browser, page.as_uri() + hash)
        return browser

    return open_page


def visible(browser) -> list[str]:
    return browser.execute_script("return [...document.querySelectorAll('.card:not([hidden])')].map(c => c.id)")


def choose(browser, selector, value):
    browser.execute_script(
        """const box = document.querySelector(arguments[0]);
        if (box.type === "radio" || box.type === "checkbox") box.click();
        else { box.value = arguments[1];
               for (const kind of ["input", "change"]) box.dispatchEvent(new Event(kind, {bubbles: true})); }""",
        selector,
        value,
    )


def text(browser, selector) -> str:
    return browser.execute_script("return document.querySelector(arguments[0]).textContent", selector)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_console_stays_empty_and_nothing_is_fetched(show, scheme):
    browser = show()
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    browser.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    assert browser.get_log("browser") == []
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in fetched if not name.startswith("data:")] == []
    broken = "return [...document.images].filter(i => i.loading !== 'lazy' && !i.naturalWidth).length"
    assert browser.execute_script(broken) == 0


def test_dark_and_light_differ(show):
    browser = show()
    grounds = {}
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
        grounds[scheme] = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert grounds == {"light": "rgb(252, 251, 249)", "dark": "rgb(21, 23, 26)"}


def test_every_curve_is_drawn_with_its_stages(show):
    browser = show()
    lines = browser.execute_script(
        "return [...document.querySelectorAll('#panels figure')].map(f => ({"
        "lengths: [...f.querySelectorAll('path.main')].map(p => p.getTotalLength()),"
        "bands: [...f.querySelectorAll('.stage')].map(t => t.textContent)}))"
    )
    assert [len(figure["lengths"]) for figure in lines] == [3, 1, 1]
    assert all(length > 50 for figure in lines for length in figure["lengths"])
    assert all(figure["bands"] == ["attribute", "emotion"] for figure in lines)


def test_smoothing_and_series_choice_redraw_and_stand_in_the_address(show):
    browser = show()
    before = browser.execute_script("return document.querySelector('path.main').getAttribute('d')")
    choose(browser, "#smooth", None)
    choose(browser, "#series input[value=head_pose]", None)
    after = browser.execute_script("return document.querySelector('path.main').getAttribute('d')")
    assert before != after
    assert browser.execute_script("return document.querySelectorAll('#panels figure path.main').length") == 3
    assert browser.execute_script("return location.hash") == "#smooth=1&hide=head_pose"


def test_bars_whiskers_and_ticks_are_drawn(show):
    browser = show()
    widths = browser.execute_script(
        "return [...document.querySelectorAll('.scores .fill')].map(r => r.getBoundingClientRect().width)"
    )
    assert len(widths) == 4 and all(width > 10 for width in widths)
    assert browser.execute_script("return document.querySelectorAll('.scores .blind').length") == 4


def test_the_matrix_follows_the_task_and_reads_its_cells(show):
    browser = show()
    assert browser.execute_script("return document.querySelector('#matrix').tBodies[0].rows.length") == 7
    choose(browser, "#matrix-task", "identity")
    assert browser.execute_script("return document.querySelector('#matrix').tBodies[0].rows.length") == 2
    browser.execute_script("document.querySelector('#matrix td').focus()")
    assert text(browser, "#matrix-readout") == "2 of the 4 that are Yes (50%) were answered Yes."
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    browser.switch_to.active_element.send_keys(keys.ARROW_RIGHT)
    assert text(browser, "#matrix-readout") == "1 of the 4 that are Yes (25%) were answered No."
    assert "matrix=identity" in browser.execute_script("return location.hash")


def test_filters_combine_and_count(show):
    browser = show()
    everything = visible(browser)
    choose(browser, "#filter-task", EMOTION)
    assert visible(browser) == [name for name in everything if name.startswith(EMOTION)]
    choose(browser, "input[name=verdict][value=wrong]", None)
    assert visible(browser) == [f"{EMOTION}-worst-{rank}" for rank in (1, 2, 3)]
    choose(browser, "#filter-text", "PERHAPS feel")
    assert visible(browser) == [f"{EMOTION}-worst-3"]
    assert text(browser, "#sample-count") == f"1 of {len(everything)} samples"
    assert text(browser, "output[data-count=right]") == "0"
    assert text(browser, "#filter-task option[value=identity]") == "identity (0)"


def test_no_hit_says_so_and_offers_everything(show):
    browser = show()
    everything = visible(browser)
    choose(browser, "#filter-text", "no such words anywhere")
    assert visible(browser) == []
    assert browser.execute_script("return document.getElementById('no-samples').checkVisibility()")
    browser.execute_script("document.getElementById('clear-filters').click()")
    assert visible(browser) == everything
    assert not browser.execute_script("return document.getElementById('no-samples').checkVisibility()")


def test_an_address_shows_what_its_sender_saw(show):
    browser = show()
    choose(browser, "#filter-task", "identity")
    choose(browser, "input[name=verdict][value=right]", None)
    choose(browser, "#filter-text", "same")
    hash, seen = browser.execute_script("return location.hash"), visible(browser)
    assert seen
    browser = show(hash)
    assert visible(browser) == seen
    assert browser.execute_script("return document.getElementById('filter-text').value") == "same"
    browser.execute_script("location.hash = 'task=caption'")
    browser.execute_async_script("setTimeout(arguments[0], 50)")
    assert {name.split("-")[0] for name in visible(browser)} == {"caption"}


@pytest.mark.parametrize("hash", ["#task=nothing&verdict=%3Cb%3E&hide=x", "#%E0%A4%A", "#matrix=constructor", "#'\"<>"])
def test_a_strange_address_does_no_harm(show, hash):
    browser = show(hash)
    assert len(visible(browser)) == browser.execute_script("return document.querySelectorAll('.card').length")
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("screen", [PHONE, {**PHONE, "width": 320}, DESKTOP], ids=["390", "320", "1280"])
def test_the_page_never_scrolls_sideways(show, screen):
    browser = show(screen=screen)
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.execute_script(wide) == 0
    outside = "return [...document.querySelectorAll('section > *, header > *')]"
    outside += ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.className)"
    assert browser.execute_script(outside) == []


def test_it_can_be_used_by_keyboard(show):
    browser = show()
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    reached = set()
    for _ in range(60):
        browser.switch_to.active_element.send_keys(keys.TAB)
        reached.add(browser.execute_script("const e = document.activeElement; return e.id || e.name || e.tagName"))
    assert {"smooth", "matrix-task", "matrix-method", "filter-task", "verdict", "filter-text", "svg"} <= reached


def test_it_prints_with_every_sample_and_without_controls(show):
    browser = show()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    assert not browser.execute_script("return document.getElementById('filters').checkVisibility()")
    assert browser.execute_script("return document.querySelector('.card').checkVisibility()")
    pdf = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert base64.b64decode(pdf).startswith(b"%PDF")


def test_many_samples_come_in_two_goes_and_a_link_finds_the_hidden_ones(show, whole_run):
    names = ["MER2023", "MAFW", "DFEW"]
    rows = (whole_run / "results" / "after" / "DFEW_Single-Label-Emotion-Recognition.json").read_text()
    files = [f"{name}_Single-Label-Emotion-Recognition" for name in names]
    files += ["MEAD_Head-Pose", "CAS_Single-Label-Micro-Expression-Recognition"]
    files += ["CHSIMIv1_Fine-grained-Sentiment-Recognition", "MOSI_Single-Label-Sentiment-Recognition"]
    for file in files:
        (whole_run / "results" / "after" / f"{file}.json").write_text(rows)
    page = write_report(whole_run)
    browser = show(page=page)
    shown = "return [...document.querySelectorAll('.card')].filter(c => c.checkVisibility()).map(c => c.id)"
    everything = len(visible(browser))
    assert everything > 30 == len(browser.execute_script(shown))
    last = visible(browser)[-1]
    browser.execute_script("document.getElementById('show-more').click()")
    assert len(browser.execute_script(shown)) == everything
    assert last in show(f"#{last}", page=page).execute_script(shown)

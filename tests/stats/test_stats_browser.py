"""The page in headless Chromium: no error, no request, every picture seen, on screen and phone, light and dark."""

import shutil

import pytest
from chromium import chromium, visit
from written_records import emotion, write_records

from videmo.stats.command import stats

pytestmark = pytest.mark.browser

SCREENS = {"screen": 1200, "phone": 400}


@pytest.fixture(scope="module")
def page(world, tmp_path_factory):
    """The page of the drawn world's text and videos."""
    root = tmp_path_factory.mktemp("stats") / "world"
    shutil.copytree(world, root, ignore=shutil.ignore_patterns(".videmo"))
    stats(str(root), faces=4, sample=40)
    return root / "stats" / "stats.html"


@pytest.fixture(scope="module")
def browser():
    with chromium({"browser": "ALL", "performance": "ALL"}) as found:
        yield found


def show(browser, page, screen="screen", scheme="light"):
    width = SCREENS[screen]
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": screen == "phone"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    browser.get_log("performance")
    visit(browser, page.as_uri())


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_console_stays_empty_and_nothing_is_asked_of_a_network(browser, page, screen, scheme):
    show(browser, page, screen, scheme)
    browser.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    assert browser.get_log("browser") == []
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in fetched if not name.startswith("data:")] == []
    asked = [line["message"] for line in browser.get_log("performance") if "requestWillBeSent" in line["message"]]
    assert [message for message in asked if '"url":"http' in message] == []


@pytest.mark.parametrize("screen", SCREENS)
def test_every_picture_is_seen_in_one_form_and_fits(browser, page, screen):
    show(browser, page, screen)
    seen = browser.execute_script(
        "return [...document.querySelectorAll('.chart')].map(f => ({label: f.getAttribute('aria-label'),"
        "boxes: [...f.querySelectorAll('svg')].map(s => s.getBoundingClientRect()).filter(b => b.width > 0)"
        ".map(b => [b.left, b.right, b.height])}))"
    )
    assert len(seen) >= 8
    for figure in seen:
        assert len(figure["label"]) > 40 and len(figure["boxes"]) == 1
        left, right, height = figure["boxes"][0]
        assert left >= 0 and right <= SCREENS[screen] and height > 60
    assert browser.execute_script("return document.documentElement.scrollWidth") <= SCREENS[screen]


def test_words_in_pictures_are_large_enough_to_read(browser, page):
    for screen in SCREENS:
        show(browser, page, screen)
        sizes = browser.execute_script(
            "return [...document.querySelectorAll('.chart text')].map(t => t.getBoundingClientRect().height)"
            ".filter(h => h > 0)"
        )
        assert min(sizes) >= 10


def test_every_colour_follows_the_scheme(browser, page):
    inks = {}
    for scheme in ("light", "dark"):
        show(browser, page, "screen", scheme)
        inks[scheme] = browser.execute_script(
            "const words = [...document.querySelectorAll('.chart .wide text')];"
            "return [...new Set(words.map(text => getComputedStyle(text).fill))]"
        )
    assert not set(inks["light"]) & set(inks["dark"])


@pytest.mark.parametrize("screen", SCREENS)
def test_a_long_name_hides_no_number(browser, small, screen):
    write_records(small, "train/qa/full/QA_Hair.json", [emotion(f"{'x' * 120}/1.mp4", "Happy")])
    stats(str(small))
    show(browser, small / "stats" / "stats.html", screen)
    found = browser.execute_script(
        "return [...document.querySelectorAll('.numbers .scroll')].map(box => [...box.querySelectorAll('td.number')]"
        ".map(cell => box.getBoundingClientRect().right - cell.getBoundingClientRect().right)).flat()"
    )
    assert len(found) > 20 and min(found) >= -1


def test_links_lead_to_sections_and_tables_scroll_within_themselves(browser, page):
    show(browser, page)
    lost = browser.execute_script(
        "return [...document.querySelectorAll('nav a')].filter(a => !document.querySelector(a.hash)).length"
    )
    assert lost == 0
    wide = browser.execute_script(
        "const tables = [...document.querySelectorAll('.numbers .scroll')];"
        "return tables.filter(table => table.getBoundingClientRect().right > 1200).length"
    )
    assert wide == 0

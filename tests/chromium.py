"""Headless Chromium for the tests of pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def chromium(logs: dict[str, str], reachable: str = "~NOTFOUND", folder: str | None = None) -> Iterator:
    """A browser of 1280 x 900; the test is skipped where there is none.

    Args:
        logs: What it keeps of what happens, as chromedriver calls it.
        reachable: The one host that it finds.
        folder: Where it puts what it downloads.
    """
    webdriver = pytest.importorskip("selenium.webdriver", reason="the browser tests need selenium")
    binary = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("the browser tests need chromium and its chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    rules = f"host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {reachable}"
    for argument in ("headless=new", "no-sandbox", "window-size=1280,900", rules):
        options.add_argument(f"--{argument}")
    if folder:
        options.add_experimental_option("prefs", {"download.default_directory": folder})
    options.set_capability("goog:loggingPrefs", logs)
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as chrome:
        yield chrome


def visit(browser, address: str) -> None:
    """Opens a page and waits for all of it: on a busy machine `get` has come back in the middle of a page."""
    from selenium.webdriver.support.wait import WebDriverWait

    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(address)
    whole = "return document.readyState == 'complete' && location.protocol != 'about:'"
    WebDriverWait(browser, 60).until(lambda _: browser.execute_script(whole))

"""Headless Chromium, as the tools that picture pages use it."""

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from selenium import webdriver


@contextmanager
def chromium(width: int, dark: bool = False) -> Iterator[webdriver.Chrome]:
    """A browser with a window of that width, in pixels, as a system shows it that prefers light or dark."""
    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    for argument in ("headless=new", "no-sandbox", "hide-scrollbars"):
        options.add_argument(f"--{argument}")
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))) as chrome:
        _size(chrome, width, 900)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        yield chrome


def screenshot(chrome: webdriver.Chrome, width: int, height: int | None = None) -> bytes:
    """The page as PNG: from its top to a height in pixels, or the whole of it."""
    _size(chrome, width, height or chrome.execute_script("return document.documentElement.scrollHeight"))
    chrome.execute_async_script("setTimeout(arguments[0], 600)")  # the layout of the higher window
    return base64.b64decode(chrome.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"])


def _size(chrome: webdriver.Chrome, width: int, height: int) -> None:
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

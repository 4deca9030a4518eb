"""A picture of the page of `videmo app` after a search and a follow-up question, in headless Chromium.

python tools/app_picture.py clip.mp4 docs/images/app.png --ckpt runs/demo/grpo
"""

import argparse
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

from headless import chromium, screenshot
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from videmo.app.server import serving
from videmo.reason.model import load_reasoner
from videmo.reasoning import SearchSettings

PATIENCE = 600  # seconds that a search may take


def picture(address: str, clip: Path, width: int, follow_up: str | None, dark: bool = False) -> bytes:
    """What the page looks like in the end, as PNG.

    Args:
        address: Of the page.
        clip: What is asked about.
        width: Of the window, in pixels.
        follow_up: What is asked after; nothing where None.
        dark: Whether the system prefers dark.
    """
    with chromium(width, dark) as chrome:
        chrome.get(address)
        wait = WebDriverWait(chrome, PATIENCE)
        wait.until(lambda page: page.find_elements(By.CSS_SELECTOR, "#clip input[type=file]"))[0].send_keys(str(clip))
        wait.until(lambda page: page.find_elements(By.CSS_SELECTOR, "#clip video"))
        chrome.execute_script("document.getElementById('go').click()")  # no pointer that hovers
        wait.until(lambda page: page.find_elements(By.CSS_SELECTOR, "#answer .said"))
        if follow_up:
            wait.until(lambda page: page.find_element(By.CSS_SELECTOR, "#next textarea, #next input")).send_keys(
                follow_up, Keys.ENTER
            )
            wait.until(lambda page: page.find_elements(By.CSS_SELECTOR, "#more .said"))
        chrome.execute_script("document.activeElement.blur()")
        return screenshot(chrome, width)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, help="a video file")
    parser.add_argument("out", type=Path, help="the picture to write")
    parser.add_argument("--ckpt", required=True, help="a model, or a run")
    parser.add_argument("--base", help="what the run's model was trained from, where it has moved")
    parser.add_argument("--called", help="what the page calls the model; its path by default")
    parser.add_argument("--n", type=int, default=8, help="candidates a level")
    parser.add_argument("--width", type=int, default=1280, help="of the window, in pixels")
    parser.add_argument("--follow_up", help="asked after the answer")
    parser.add_argument("--dark", action="store_true", help="as a system looks that prefers dark")
    arguments = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as folder:
        reasoner = load_reasoner(arguments.ckpt, SearchSettings(n=arguments.n), base=arguments.base, root=folder)
        served = {"host": "127.0.0.1", "port": port, "upload_mb": 200, "model": arguments.called or arguments.ckpt}
        with serving(reasoner, Path(folder), **served) as address:
            shot = picture(address, arguments.clip.resolve(), arguments.width, arguments.follow_up, arguments.dark)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(shot)
    print(arguments.out)


if __name__ == "__main__":
    main()

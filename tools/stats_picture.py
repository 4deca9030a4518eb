"""Pictures of the page of `videmo stats` for the docs: its beginning, or the sections named, in headless Chromium.

videmo synth runs/drawn --videos 300
videmo stats runs/drawn --faces 300
python tools/stats_picture.py runs/drawn/stats/stats.html docs/images/stats.png --height 1500
"""

import argparse
from pathlib import Path

from headless import chromium, screenshot


def picture(page: Path, width: int, height: int | None, dark: bool, section: str | None) -> bytes:
    """What the page looks like, as PNG.

    Args:
        page: The file.
        width: Of the window, in pixels.
        height: Of the picture; the whole page where None.
        dark: Whether the system prefers dark.
        section: The one that is shown alone; the whole page where None.
    """
    with chromium(width, dark) as chrome:
        chrome.get(page.resolve().as_uri())
        if section:
            for_it = "for (const e of document.querySelectorAll('header, footer, section')) e.hidden = e.id !== "
            chrome.execute_script(f"{for_it}arguments[0]", section)
        return screenshot(chrome, width, height)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path, help="stats.html")
    parser.add_argument("out", type=Path, help="the picture to write")
    parser.add_argument("--width", type=int, default=1200, help="of the window, in pixels")
    parser.add_argument("--height", type=int, help="of the picture; the whole page by default")
    parser.add_argument("--section", help="the one that is shown alone")
    parser.add_argument("--dark", action="store_true", help="as a system looks that prefers dark")
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    shot = picture(arguments.page, arguments.width, arguments.height, arguments.dark, arguments.section)
    arguments.out.write_bytes(shot)
    print(arguments.out)


if __name__ == "__main__":
    main()

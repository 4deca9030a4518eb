"""What is around a face: eight kinds of background, softly out of focus, and the shoulders in their clothes."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from videmo.synth.palette import Colour, mix, vivid

BACKGROUNDS = ("plain", "window", "shelf", "lights", "picture", "hills", "curtain", "tiles")


def background(kind: str, rng: np.random.Generator, size: int) -> Image.Image:
    """A background of one of `BACKGROUNDS`; `rng` chooses hue and arrangement.

    Painted at 64 pixels and enlarged, which is both the blur and the speed.
    """
    wall = vivid(rng, rng.uniform(0.08, 0.38), rng.uniform(0.55, 0.95))
    image = _gradient(mix(wall, (255, 255, 255), 0.25), mix(wall, (40, 40, 60), 0.3))
    draw = ImageDraw.Draw(image)
    accent = vivid(rng, rng.uniform(0.25, 0.6), rng.uniform(0.45, 0.85))
    shift = int(rng.integers(0, 20))
    if kind == "window":
        x = 2 + shift // 2 if rng.random() < 0.5 else 38 + shift // 2
        draw.rectangle([x, 4, x + 20, 40], fill=(205, 226, 244), outline=(245, 242, 236), width=2)
        draw.line([x + 10, 4, x + 10, 40], fill=(245, 242, 236), width=2)
        draw.line([x, 21, x + 20, 21], fill=(245, 242, 236), width=2)
    elif kind == "shelf":
        for y in (16, 36, 56):
            draw.rectangle([0, y, 64, y + 2], fill=mix(wall, (60, 36, 20), 0.7))
            x = 0
            while x < 64:
                width, height = int(rng.integers(3, 7)), int(rng.integers(8, 15))
                draw.rectangle([x, y - height, x + width, y - 1], fill=vivid(rng, 0.45, 0.65))
                x += width + 1
    elif kind == "lights":
        image = _gradient(mix(wall, (16, 16, 40), 0.75), mix(wall, (8, 8, 24), 0.85))
        draw = ImageDraw.Draw(image, "RGBA")
        for _ in range(16):
            x, y, r = rng.uniform(0, 64), rng.uniform(0, 56), rng.uniform(2, 7)
            draw.ellipse([x - r, y - r, x + r, y + r], fill=(*vivid(rng, 0.45, 1.0), 110))
    elif kind == "picture":
        for x in (-4 + shift // 2, 46 + shift // 3):
            draw.rectangle([x, 8, x + 16, 30], fill=mix(accent, (255, 255, 255), 0.4), outline=(92, 66, 44), width=2)
            draw.polygon([x + 2, 28, x + 7, 16, x + 14, 28], fill=accent)
    elif kind == "hills":
        image = _gradient((138, 190, 236), (226, 238, 244))
        draw = ImageDraw.Draw(image)
        draw.ellipse([-30 + shift, 34, 50 + shift, 100], fill=mix((96, 150, 84), accent, 0.25))
        draw.ellipse([20 - shift, 40, 110 - shift, 110], fill=mix((70, 124, 70), accent, 0.2))
    elif kind == "curtain":
        for x in range(-8 + shift % 8, 72, 8):
            draw.rectangle([x, 0, x + 3, 64], fill=mix(wall, accent, 0.45))
    elif kind == "tiles":
        for x in range(-8 + shift % 12, 72, 12):
            for y in range(-6, 72, 12):
                draw.rectangle([x, y, x + 10, y + 10], fill=mix(wall, accent, 0.25 + 0.25 * ((x + y) // 12 % 2)))
    return image.filter(ImageFilter.GaussianBlur(1.2)).resize((size, size), Image.Resampling.BICUBIC)


def clothes(rng: np.random.Generator) -> tuple[Colour, str]:
    """A colour and a collar: crew or v."""
    return vivid(rng, rng.uniform(0.2, 0.75), rng.uniform(0.3, 0.9)), "crew" if rng.random() < 0.5 else "v"


def _gradient(top: Colour, bottom: Colour) -> Image.Image:
    column = np.linspace(top, bottom, 64)[:, None].repeat(64, axis=1)  # [64, 64, 3]
    return Image.fromarray(column.astype(np.uint8))

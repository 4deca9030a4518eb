"""Textures that are pasted through masks: skin with its light, strands of hair, knitted wool."""

import numpy as np
from PIL import Image, ImageDraw

from videmo.synth.geometry import UNIT
from videmo.synth.palette import INK, WHITE, mix, shade
from videmo.synth.shapes import SUPERSAMPLE

TEXTURE = 480  # pixels of the large canvas; its middle is the middle of the head


def skin_texture(skin: tuple) -> Image.Image:
    """Light from the upper left, falling off towards jaw and far cheek."""
    y, x = np.mgrid[-1:1:52j, -1:1:52j] * (TEXTURE / 2 / SUPERSAMPLE / UNIT)  # head units around the head's centre
    distance = np.sqrt(((x + 0.25) / 1.25) ** 2 + ((y + 0.25) / 1.6) ** 2)[..., None]
    depth = np.clip(distance, 0, 1.1) ** 2.4 * 0.42
    light = np.minimum(np.array(skin) * 1.03 + 3, 255.0)
    pixels = light * (1 - depth) + np.array(shade(skin, 0.85)) * depth
    return Image.fromarray(pixels.astype(np.uint8)).resize((TEXTURE, TEXTURE), Image.Resampling.BILINEAR)


def hair_texture(colour: tuple, wavy: bool, rng: np.random.Generator) -> Image.Image:
    """Strands that fall from the crown: straight lines or waves."""
    image = Image.new("RGB", (TEXTURE, TEXTURE), colour)
    draw = ImageDraw.Draw(image, "RGBA")
    crown_x, crown_y, unit = TEXTURE / 2 + 12, TEXTURE / 2 - 1.55 * UNIT * SUPERSAMPLE, UNIT * SUPERSAMPLE
    t = np.linspace(0.0, 3.6, 26)
    light, dark = mix(colour, WHITE, 0.32), mix(colour, (0, 0, 0), 0.42)
    for number, end in enumerate(np.linspace(-1.9, 1.9, 46)):
        x = end * np.tanh(t * 1.3) + 0.1 * rng.uniform(-1, 1)
        if wavy:
            x = x + 0.075 * np.sin(t * 7.5 + rng.uniform(-0.5, 0.5))
        points = np.stack([crown_x + x * unit, crown_y + (t + 0.04 * rng.uniform(-1, 1)) * unit], axis=-1)
        draw.line(points.ravel().tolist(), fill=(*(light if number % 2 else dark), 120), width=5 if number % 3 else 8)
    return image


def knitted_texture(colour: tuple) -> Image.Image:
    """Ribs of wool, lighter where the light falls."""
    image = Image.new("RGB", (TEXTURE, TEXTURE), colour)
    draw = ImageDraw.Draw(image)
    for number, end in enumerate(np.linspace(-2.4, 2.4, 40)):
        x, unit = TEXTURE / 2, UNIT * SUPERSAMPLE
        top, low = TEXTURE / 2 - 2.3 * unit, TEXTURE / 2
        tone = mix(colour, WHITE, 0.22) if number % 2 else mix(colour, INK, 0.1)
        draw.line([x + 0.25 * end * unit, top, x + end * unit, low], fill=tone, width=9)
    return image

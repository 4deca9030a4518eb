"""Draws a clip: its state -> 16 RGB frames of 128 x 128 pixels.

From back to front: background and shoulders (once a clip), hair behind the neck, neck, skin, hair, features, what is
worn. Skin, hair and hat are textures pasted through a mask, everything else is a list of polygons (`shapes`).
"""

import numpy as np
from PIL import Image, ImageDraw

from videmo.synth import attire, body
from videmo.synth.face import Clip
from videmo.synth.features import Features
from videmo.synth.geometry import CENTRE, UNIT, Head, skin_outline
from videmo.synth.motion import NUM_FRAMES, animate
from videmo.synth.palette import HAIR, INK, WHITE, complexion, mix, vivid
from videmo.synth.scene import background, clothes
from videmo.synth.shapes import CANVAS, SUPERSAMPLE, corners
from videmo.synth.textures import SLACK, hair_texture, knitted_texture, skin_texture


def draw_clip(clip: Clip) -> np.ndarray:
    """All frames of a clip: the same pixels for the same state.

    Returns:
        RGB frames, uint8.  # [16, 128, 128, 3]
    """
    painter = Painter(clip)
    return np.stack([np.asarray(painter.frame(number)) for number in range(NUM_FRAMES)])


class Painter:
    """Prepares what a clip's frames share, then paints them one by one.

    Args:
        clip: What to draw.
    """

    def __init__(self, clip: Clip):
        person, worn = clip.identity, clip.accessories
        rng = np.random.default_rng([clip.variation, 2])
        head = Head(person, animate(clip))
        self.base = background(clip.background, rng, CANVAS)
        colour, collar = clothes(rng)
        body.paint_shoulders(self.base, head, colour, collar)
        self.under = body.neck(head, complexion(person.skin, clip.emotion), collar) + (
            body.necklace(head) if "necklace" in worn else []
        )
        self.over = Features(clip, head).shapes(rng)

        self.skin = corners(skin_outline(head))
        self.skin_texture = skin_texture(complexion(person.skin, clip.emotion))
        self.hair = attire.hair(head, covered="hat" in worn)
        if self.hair:
            strands = np.random.default_rng(list(person.name.encode()))  # they stay with the person
            self.hair_texture = hair_texture(HAIR[person.hair_colour], person.hair_texture == "wavy", strands)
            self.hair_shadow = self.hair_texture.point(lambda value: int(value * 0.72))
            self.behind = [corners(part) for part in self.hair.behind]
            self.scalp = corners(self.hair.scalp)
            self.front = [corners(part) for part in self.hair.front]
        self.hat = {name: corners(curve) for name, curve in attire.hat(head).items()} if "hat" in worn else None
        self.knit, self.bobble = vivid(rng, 0.6, 0.78), rng.random() < 0.6
        self.hat_texture = knitted_texture(self.knit) if self.hat else None
        # Textures follow the head, in whole pixels of the large canvas.
        centre = head.project(np.zeros((1, 1)), np.zeros((1, 1)), np.full((1, 1), 0.25))[:, 0]  # [F, 2]
        self.drift = ((centre - np.array(CENTRE)) * SUPERSAMPLE).round().astype(int)

    def frame(self, number: int) -> Image.Image:
        """One frame, averaged down to its final size."""
        image = self.base.copy()
        draw = ImageDraw.Draw(image, "RGBA")
        left, top = (SLACK - int(shift) for shift in self.drift[number])
        window = (left, top, left + CANVAS, top + CANVAS)
        if self.hair and self.behind:
            mask = self._mask(number, self.behind, self.hair.bumps[1:])
            image.paste(self.hair_shadow.crop(window), mask=mask)
        for shape in self.under:
            shape.paint(draw, number)
        skin_mask = self._mask(number, [self.skin])
        image.paste(self.skin_texture.crop(window), mask=skin_mask)
        if self.hair:
            mask = self._mask(number, [self.scalp], self.hair.bumps[:1])
            mask.paste(0, mask=skin_mask)
            pen = ImageDraw.Draw(mask)
            for part in self.front:
                pen.polygon(part[number], fill=255)
            image.paste(self.hair_texture.crop(window), mask=mask)
        for shape in self.over:
            shape.paint(draw, number)
        if self.hat:
            self._put_hat(image, {name: curve[number] for name, curve in self.hat.items()}, window)
        return image.reduce(SUPERSAMPLE)

    def _mask(self, number: int, parts: list, bumps: list | tuple = ()) -> Image.Image:
        mask = Image.new("L", (CANVAS, CANVAS))
        pen = ImageDraw.Draw(mask)
        for part in parts:
            pen.polygon(part[number], fill=255)
        for centres, radius in bumps:
            r = radius * UNIT * SUPERSAMPLE
            for x, y in (centres[number] * SUPERSAMPLE).tolist():
                pen.ellipse([x - r, y - r, x + r, y + r], fill=255)
        return mask

    def _put_hat(self, image: Image.Image, outline: dict[str, list[float]], window: tuple) -> None:
        draw = ImageDraw.Draw(image)
        if self.bobble:
            draw.polygon(outline["bobble"], fill=mix(self.knit, WHITE, 0.7))
        edge, band = outline["edge"], outline["band"]
        mask = Image.new("L", (CANVAS, CANVAS))
        pen = ImageDraw.Draw(mask)
        pen.polygon(outline["dome"], fill=255)
        pen.polygon([*edge, edge[-2], CANVAS, edge[0], CANVAS], fill=0)  # what lies behind the face
        image.paste(self.hat_texture.crop(window), mask=mask)
        draw.polygon(band, fill=mix(self.knit, INK, 0.28))
        for start in range(2, len(edge) - 2, 4):  # ribs, from the edge of the band to its top
            end = len(band) - 2 - start
            draw.line([*edge[start : start + 2], *band[end : end + 2]], fill=mix(self.knit, INK, 0.42), width=3)

"""The features of a face as shapes, back to front: ears, cheeks, nose, beard, mouth, eyes, brows."""

import numpy as np

from videmo.synth import attire, worn, wrinkles
from videmo.synth.geometry import Head
from videmo.synth.landmarks import brows, eyes, mouth, nose
from videmo.synth.palette import EYE, HAIR, INK, WHITE, Colour, mix, shade
from videmo.synth.shapes import Shape, between, disc, moved, shrunk, stroke

BROW_WIDTHS = {"thin": 1.5, "bushy": 12.0, "arched": 4.6}


class Features:
    """What is painted on the skin of one person.

    Args:
        head: The turned head.
        skin: Its colour, tinted by what is felt.
        wearing: Accessories.
        shadow: Colour of the make-up, where it is worn.
    """

    def __init__(self, head: Head, skin: Colour, wearing: tuple[str, ...], shadow: Colour):
        self.head, self.motion, self.person = head, head.motion, head.identity
        self.skin, self.wearing, self.shadow = skin, wearing, shadow
        self.hair = HAIR[self.person.hair_colour]

    def shapes(self) -> list[Shape]:
        """All of them. Behind a mask or dark glasses nothing is drawn."""
        head = self.head
        shapes = self._ears() if self.person.hair_length != "long" else []
        shapes += wrinkles.rosy(head, mix(self.skin, WHITE, 0.5), 0.35 * self.motion.au("AU6"), 2)
        if "blush" in self.wearing:
            shapes += wrinkles.rosy(head, (246, 36, 84), 1.4, 3, 1.25)
        shapes += wrinkles.marks_of_skin(head, self.skin)
        shapes += wrinkles.age_lines(head, self.skin)
        lids = eyes(head)
        if "sunglasses" not in self.wearing:
            shapes += wrinkles.eye_bags(head, lids, self.skin)
            shapes += self._eyes(lids)
        if "mask" not in self.wearing:
            lips = mouth(head)
            shapes += wrinkles.chin(head, self.skin) + self._nose(nose(head)) + self._beard(lips) + self._mouth(lips)
        return shapes + self._brows(brows(head))

    def _beard(self, lips: dict[str, np.ndarray]) -> list[Shape]:
        kind, dark = self.person.beard, mix(self.hair, INK, 0.2)
        if kind in ("none", "stubble"):
            return []
        outline = attire.beard(self.head, kind, lips)
        return [Shape(outline, mix(dark, INK, 0.5)), Shape(shrunk(outline, 0.86), dark)]

    def stubble(self) -> list[Shape]:
        """A shadow on the jaw with single hairs in it, to be painted before the hair that may hang over it."""
        if self.person.beard != "stubble":
            return []
        shadow = mix(self.skin, mix(self.hair, (62, 78, 108), 0.85), 0.74)
        jaw, places = attire.beard(self.head, "stubble", {}), attire.bristles(self.head)
        shapes = [Shape(shrunk(jaw, size), shadow, 0.5) for size in (1.0, 0.93, 0.86)]
        for number in range(places.shape[1]):
            dot = places[:, number : number + 1]
            hair = np.concatenate([dot, moved(dot, 1.7, 0.4), moved(dot, 0.6, 3.2)], axis=1)
            shapes.append(Shape(hair, mix(shadow, INK, 0.75), 0.9))
        return shapes

    def _brows(self, brow: dict[str, np.ndarray]) -> list[Shape]:
        skin, shapes, kind = self.skin, [], self.person.eyebrows
        dark = mix(self.hair, INK, 0.3 if self.person.hair_colour in ("black", "brown") else 0.5)
        if self.person.hair_length == "bald":
            dark = (74, 52, 40)
        if self.person.age == "elderly":
            dark = mix(dark, (146, 148, 162), 0.9)
        elif kind == "bushy":
            dark = mix(dark, INK, 0.3)
        width = BROW_WIDTHS[kind] * np.array([0.9, 1.1, 1.1, 1.0, 0.85, 0.65, 0.4])
        low, raised = self.motion.au("AU4"), np.maximum(self.motion.au("AU1"), self.motion.au("AU2"))
        for number in (0, 1):
            shapes.append(stroke(brow[f"furrow_{number}"], 2.0, shade(skin, 0.72), 0.9 * low))
            if not self.person.bangs:
                shapes.append(stroke(brow[f"forehead_{number}"], 1.0, shade(skin, 0.4), 0.6 * raised))
        for side, sign in (("left", 1), ("right", -1)):
            shapes.append(stroke(brow[f"brow_{side}"], width, dark, taper=0.25))
            if kind == "bushy":
                for point in range(6):
                    root = moved(brow[f"brow_{side}"][:, point : point + 1], 0, -3.5)
                    tuft = np.concatenate([root, moved(root, sign * 3.4, -4.6)], 1)
                    shapes.append(stroke(tuft, 2.6, dark, taper=0.2))
                    hair = np.concatenate([moved(root, 0, 6), moved(root, sign * 2.4, -1)], 1)
                    shapes.append(stroke(hair, 1.1, mix(dark, WHITE, 0.22), 0.7, taper=0.2))
        return shapes

    def _ears(self) -> list[Shape]:
        curves, shapes = attire.ears(self.head), []
        for side, sign in (("left", 1), ("right", -1)):
            if sign * self.head.turn > attire.TURNED:
                continue
            shapes.append(Shape(curves[f"ear_{side}"], shade(self.skin, 0.16)))
            shapes.append(Shape(curves[f"ear_fold_{side}"], shade(self.skin, 0.38), 0.8))
        return shapes

    def _nose(self, curves: dict[str, np.ndarray]) -> list[Shape]:
        skin, kind, wrinkle = self.skin, self.person.nose, self.motion.au("AU10")
        line = {"narrow": 1.6, "average": 2.0, "wide": 2.4}[kind]
        shapes = [
            Shape(curves["nose_body"], shade(skin, 0.3), 0.8),
            *self._nose_of(kind, curves),
            stroke(curves["nose_ridge"], 2.6 if kind == "narrow" else 4.0, mix(skin, WHITE, 0.45), 0.7),
            stroke(curves["nose_under"], line, shade(skin, 0.75), 0.95),
        ]
        for side in ("left", "right"):
            shapes.append(stroke(curves[f"wing_{side}"], line, shade(skin, 0.75), 0.95))
            shapes.append(Shape(curves[f"nostril_{side}"], mix(shade(skin, 1.0), INK, 0.4), 0.97))
            for number in range(3):
                shapes.append(stroke(curves[f"wrinkle_{number}_{side}"], 1.8, shade(skin, 0.7), wrinkle))
        return shapes

    def _nose_of(self, kind: str, curves: dict[str, np.ndarray]) -> list[Shape]:
        """What tells a wide nose, a bulb, and a narrow one, a long sharp ridge."""
        skin = self.skin
        if kind == "wide":
            bulb, glint = curves["nose_bulb"], moved(curves["nose_tip"], -1.5, -3.5)
            return [Shape(bulb, shade(skin, 0.42)), disc(glint, 3.2, mix(skin, WHITE, 0.5), 0.8)]
        if kind == "narrow":
            sides = (moved(curves["nose_ridge"], right, 0.5) for right in (-2.6, 2.6))
            return [stroke(side, 1.8, shade(skin, 0.75), 0.95, 0.2) for side in sides]
        return []

    def _mouth(self, curves: dict[str, np.ndarray]) -> list[Shape]:
        skin, motion = self.skin, self.motion
        red = (0.6 if self.person.male else 0.75) if self.person.lips == "full" else 0.2
        lip = mix(shade(skin, 0.3), (216, 70, 82), red)
        if "lipstick" in self.wearing:
            lip = worn.LIPSTICK
        dark = mix(lip, INK, 0.22)
        top, inner_top = curves["lip_top"], curves["lip_inner_top"]
        inner_low, low = curves["lip_inner_low"], curves["lip_low"]
        apart = np.clip((inner_low - inner_top)[:, 6, 1] / 1.2, 0, 1)  # [F]
        folds = np.maximum(motion.au("AU12") * 0.7, motion.au("AU10"))
        shapes = []
        for side in ("left", "right"):
            shapes.append(stroke(curves[f"fold_{side}"], 2.0, shade(skin, 0.58), 0.12 + 0.75 * folds))
            shapes.append(stroke(curves[f"cheek_{side}"], 1.6, shade(skin, 0.5), 0.85 * motion.au("AU6")))
            dimple = motion.au("AU12") + (motion.smirk if side == "left" else 0.0)
            shapes.append(stroke(curves[f"dimple_{side}"], 1.5, shade(skin, 0.55), 0.75 * dimple))
            shapes.append(stroke(curves[f"droop_{side}"], 1.8, shade(skin, 0.6), 0.9 * motion.au("AU15")))
        shapes += [
            stroke(curves["chin_dent"], 1.6, shade(skin, 0.4), 0.35),
            Shape(between(inner_top, inner_low), (70, 18, 26), apart),
            Shape(
                between(curves["tongue_top"], inner_low), (216, 88, 100), apart * np.minimum(0.2 + self.head.drop, 1)
            ),
            Shape(between(inner_top, curves["teeth_low"]), (252, 250, 244), apart * (1 - np.minimum(motion.pucker, 1))),
            Shape(between(top, inner_top), dark),
            Shape(between(inner_low, low), lip),
            *([stroke(edge, 2.2, lip) for edge in (top, low)] if "lipstick" in self.wearing else []),
            stroke(inner_top, 1.5, mix(lip, INK, 0.7)),
            stroke(0.5 * (inner_low + low)[:, 4:9], 1.0, mix(lip, WHITE, 0.5), 0.5),
            stroke(curves["bulge_top"], 1.5, shade(skin, 0.5), 0.9 * motion.au("AU24")),
            stroke(curves["bulge_low"], 1.5, shade(skin, 0.5), 0.9 * motion.au("AU24")),
        ]
        return shapes

    def _eyes(self, curves: dict[str, np.ndarray]) -> list[Shape]:
        skin, shapes = self.skin, []
        iris = EYE[self.person.eye_colour]
        cheeks, tight = self.motion.au("AU6"), self.motion.au("AU7")
        painted = "makeup" in self.wearing
        if painted:
            shapes += worn.eye_shadow(curves, self.shadow)
        for side, sign in (("left", 1), ("right", -1)):
            upper, lower = curves[f"upper_lid_{side}"], curves[f"lower_lid_{side}"]
            crease = curves[f"crease_{side}"]
            if not painted:
                shapes.append(Shape(between(crease - [0, 1.2], moved(lower, 0, 1.5)), shade(skin, 0.2), 0.55))
                shapes.append(Shape(between(crease, upper), shade(skin, 0.14)))
                shapes.append(stroke(crease, 1.0, shade(skin, 0.5), 0.7))
            shapes += [
                Shape(between(upper, lower), (253, 252, 250)),
                Shape(curves[f"iris_{side}"], mix(iris, INK, 0.55)),
                Shape(shrunk(curves[f"iris_{side}"], 0.82), iris),
                Shape(curves[f"pupil_{side}"], (14, 10, 14)),
            ]
            shut = np.maximum(self.motion.blink, self.motion.wink if side == "left" else 0)
            glint = moved(curves[f"pupil_{side}"].mean(axis=1, keepdims=True), -1.2, -1.4)
            shapes.append(disc(glint, 1.1, WHITE, 1.0 * (shut < 0.3)))
            shapes.append(stroke(lower, 1.0 + 1.6 * shut[:, None], shade(skin, 0.85), 0.8))
            shapes.append(stroke(upper, 1.9 if self.person.male else 2.5, INK, taper=0.5))
            if not self.person.male and not painted:
                end = upper[:, -1:] if sign == 1 else upper[:, :1]
                flick = np.concatenate([moved(end, -1.5 * sign, -0.8), moved(end, sign * 2.4, -2.2)], axis=1)
                shapes.append(stroke(flick, 1.7, INK, taper=0.2))
            if sign * self.head.turn < attire.TURNED and self.person.age != "elderly":
                outer = upper[:, -1:] if sign == 1 else upper[:, :1]
                for rise in (-2.6, 0.0, 2.6):
                    foot = np.concatenate(
                        [moved(outer, sign * 2.0, 0.4 * rise), moved(outer, sign * 5.5, rise)], axis=1
                    )
                    shapes.append(stroke(foot, 1.1, shade(skin, 0.55), 0.85 * cheeks, 0.3))
            shapes.append(stroke(moved(lower, 0, 2.2), 1.5, shade(skin, 0.55), 0.85 * tight))
        return shapes + (worn.lashes(curves) if painted else [])

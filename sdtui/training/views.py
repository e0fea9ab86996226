"""In which ways an image is shown: which part of it, in which colours, mirrored or not.

The ways follow from the image's bytes and the number of the variant, not from the run's seed, so that all runs with the
same settings show the same ways and share what was encoded. A run's seed decides only which way a step shows.
"""

from __future__ import annotations

from typing import NamedTuple

from sdtui.dataset.buckets import Fit
from sdtui.profile.folder_rules import is_coloured
from sdtui.profile.schema import Augment
from sdtui.training.randomness import uniform


class Colours(NamedTuple):
    """Changes in the order in which they are made: three factors as of Pillow's `ImageEnhance`, 1 for none, and a turn."""

    brightness: float
    contrast: float
    saturation: float
    hue: float  # share of the colour circle, 0 for none


class View(NamedTuple):
    """One way: scaled, cropped, coloured, then mirrored."""

    fit: Fit
    colours: Colours | None
    flip: bool


class Sizes(NamedTuple):
    """Where the pixels came from, each (width, height) or (left, top) in pixels: what SDXL is told of an image."""

    original: tuple[int, int]
    crop: tuple[int, int]  # in the scaled image, as it is shown: a mirrored image is cropped from its other side
    target: tuple[int, int]


def view_of(augment: Augment, centre: Fit, digest: str, variant: int, *, flip: bool) -> View:
    """One way of the image with the hex `digest`, of which `centre` is the middle.

    Crops are uniform over whole pixels. Each factor is uniform in [1 - s, 1 + s] and the turn in [-s, s], s being the
    setting of that name.
    """
    seed = int(digest[:16], 16)

    def drawn(what: str) -> float:
        return uniform(seed, variant, 0, what)

    fit = centre
    if augment.crop == "random":
        across, down = centre.spare
        fit = _moved(centre, int(drawn("left") * (across + 1)), int(drawn("top") * (down + 1)))
    if not is_coloured(augment):
        return View(fit, None, flip)
    strengths = (augment.brightness, augment.contrast, augment.saturation, augment.hue)
    swings = [s * (2 * drawn(name) - 1) for name, s in zip(Colours._fields, strengths, strict=True)]
    return View(fit, Colours(1 + swings[0], 1 + swings[1], 1 + swings[2], swings[3]), flip)


def sizes_of(original: tuple[int, int], view: View) -> Sizes:
    """What a model that is told sizes is told of an image of `original` (width, height) pixels."""
    left, top, right, bottom = view.fit.crop
    shown = view.fit.resize[0] - right if view.flip else left
    return Sizes(original, (shown, top), (right - left, bottom - top))


def _moved(fit: Fit, left: int, top: int) -> Fit:
    before = fit.crop
    return Fit(fit.resize, (left, top, left + before[2] - before[0], top + before[3] - before[1]))

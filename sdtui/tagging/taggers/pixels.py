"""From an image of any shape to the square that a model reads."""

from __future__ import annotations

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from sdtui.tagging.taggers.base import Pixels

# A white square around a longer image would take more than 200 MB.
_LONGEST = 8192


def on_white_square(image: Image.Image, side: int) -> Image.Image:
    """The image in the middle of a white square of its longer side, resized by bicubic interpolation."""
    longest = max(image.size)
    if longest > _LONGEST:
        # Made small first, which differs by rounding alone.
        scale = side / longest
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image, longest = image.resize(size, Resampling.BICUBIC), side
    square = Image.new("RGB", (longest, longest), "white")
    square.paste(image, ((longest - image.width) // 2, (longest - image.height) // 2))
    return square if longest == side else square.resize((side, side), Resampling.BICUBIC)


def within_square(image: Image.Image, side: int, filter: Resampling) -> Pixels:  # noqa: A002 - Pillow's own word
    """The image as large as fits into the square, its outermost rows or columns repeated to fill the rest.

    Returns:
        (side, side, 3) RGB, 0 to 1.
    """
    if image.width >= image.height:
        width, height = side, max(1, image.height * side // image.width)
    else:
        width, height = max(1, image.width * side // image.height), side
    small = np.asarray(image.resize((width, height), filter), np.float32) / 255
    left, top = side // 2 - width // 2, side // 2 - height // 2
    return np.pad(small, ((top, side - top - height), (left, side - left - width), (0, 0)), mode="edge")

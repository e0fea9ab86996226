"""Mask files: which one belongs to an image, and whether it has the image's shape."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from sdtui.dataset.image import ImageFacts, UnreadableImage, read_facts
from sdtui.dataset.names import printable
from sdtui.dataset.problem import Problem
from sdtui.dataset.scan import scan


class Masks:
    """The masks of one folder, by the images they belong to.

    Raises (when made):
        DatasetError: the folder is missing, is no folder, or may not be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listing = scan(folder, recursive=True)
        self._found: dict[tuple[str, str], Path] = {}
        for position in range(len(listing.names)):
            inner, name = listing.key(position)
            stem, ending = os.path.splitext(name)
            # Of two masks the one that is never compressed with loss.
            if (inner, stem) not in self._found or ending.lower() == ".png":
                self._found[inner, stem] = folder / inner / name

    def __len__(self) -> int:
        return len(self._found)

    def files(self) -> Iterable[Path]:
        """All of them, in the order of the listing."""
        return self._found.values()

    def of(self, relative: str) -> Path | None:
        """The mask of the image with this path below the images' folder: `a/cat.jpg` has a/cat.png or a/cat.jpg.png."""
        inner, name = os.path.split(relative)
        return self._found.get((inner, os.path.splitext(name)[0])) or self._found.get((inner, name))


def mask_problem(mask: Path, image: ImageFacts) -> Problem | None:
    """What is wrong with the mask of an image, as far as its header tells.

    It may have another size, but only one that the whole image could be scaled to.
    """
    try:
        _, width, height = read_facts(mask)
    except UnreadableImage as error:
        return Problem("unreadable-mask", mask, error.message.replace("image", "mask", 1), error.remedy)
    # Each side of a scaled image is off by half a pixel at most.
    slack = max(width + height, image.width + image.height)
    if 2 * abs(width * image.height - height * image.width) <= slack:
        return None
    name = printable(image.path.name)
    message = f"the mask has {width}×{height} pixels, and its image {name} {image.width}×{image.height}: another shape"
    return Problem("mask-shape", mask, message, "Make it anew from the whole image")

"""What an index knows of each image beside its tags and its text: one array a fact, one row an image."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

# What is known of an image's caption, one byte each.
CAPTIONED, MISSING, EMPTY, UNREADABLE = range(4)

Integers = NDArray[np.int64]


@dataclass
class Columns:
    """Arrays of one length, by position.

    Attributes:
        caption_size, caption_mtime, caption_inode: the caption file as it was when it was read: bytes, ns; size −1:
            there was none.
        sure: whether the file was old enough then that a later write must show in its time.
        state: CAPTIONED, MISSING, EMPTY (blank) or UNREADABLE.
        tags: how many tags, repeated ones counted.
        chars: characters of the text.
        twice: whether a tag stands in it more than once.
        tokens: CLIP tokens; −1: not counted.
        image_size, image_mtime: the image file when its header was read; size −1: never.
        width, height: px, upright; 0: the image cannot be read.
    """

    caption_size: Integers
    caption_mtime: Integers
    caption_inode: Integers
    sure: NDArray[np.bool_]
    state: NDArray[np.uint8]
    tags: NDArray[np.uint32]
    chars: NDArray[np.uint32]
    twice: NDArray[np.bool_]
    tokens: NDArray[np.int32]
    image_size: Integers
    image_mtime: Integers
    width: NDArray[np.uint32]
    height: NDArray[np.uint32]

    @classmethod
    def blank(cls, count: int) -> Columns:
        """Rows of which nothing is known."""
        return cls(**{name: np.full(count, _BLANK.get(name, 0), kind) for name, kind in KINDS.items()})

    def rearranged(self, rows: Integers) -> Columns:
        """The row that each number names; a blank one for −1."""
        new = Columns.blank(len(rows))
        there = rows >= 0
        for name in KINDS:
            getattr(new, name)[there] = getattr(self, name)[rows[there]]
        return new

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The arrays by name, to be written; `Columns(**arrays)` is these columns again."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


KINDS: dict[str, type[np.generic]] = {
    "caption_size": np.int64,
    "caption_mtime": np.int64,
    "caption_inode": np.int64,
    "sure": np.bool_,
    "state": np.uint8,
    "tags": np.uint32,
    "chars": np.uint32,
    "twice": np.bool_,
    "tokens": np.int32,
    "image_size": np.int64,
    "image_mtime": np.int64,
    "width": np.uint32,
    "height": np.uint32,
}
_BLANK = {"caption_size": -1, "state": MISSING, "tokens": -1, "image_size": -1}

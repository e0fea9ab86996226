"""The image under the cursor with its caption as it is on disk, or why it cannot be shown."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sdtui.dataset.caption import CaptionError, CaptionFile, Tag, parse_tags
from sdtui.dataset.library import Library, Stat
from sdtui.dataset.names import printable


@dataclass
class InHand:
    """The image under the cursor and its caption as the user sees it."""

    position: int
    caption: CaptionFile | None  # None: it cannot be read, and `problem` says why
    problem: str
    seen: Stat | None  # the file's state when it was read or written by us

    @property
    def text(self) -> str:
        """The caption's text, empty where there is none."""
        return self.caption.text if self.caption else ""

    @property
    def tags(self) -> Sequence[Tag]:
        """Its tags in order, none where it cannot be read."""
        return tags_of(self.text)


def take(library: Library, position: int) -> InHand:
    """Read one image's caption from disk."""
    seen = library.stat_of(position)
    try:
        caption = library.read_caption(position)
    except CaptionError as error:
        # Without the path, whose name stands in the line above.
        return InHand(position, None, " ".join([f"{error.message}.", error.remedy]).strip(), seen)
    if caption.raw is None and not os.path.lexists(image := library[position].path):
        return InHand(position, None, f"{printable(image)} is no longer there", seen)
    return InHand(position, caption, "", seen)


@lru_cache(maxsize=4)
def tags_of(text: str) -> tuple[Tag, ...]:
    """The tags of a caption that is drawn, which several parts of the screen ask for: ten thousand take 10 ms each time."""
    return tuple(parse_tags(text))

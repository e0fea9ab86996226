"""What `--ascii` changes in Textual itself: borders and scroll bars, for terminals that draw neither boxes nor blocks."""

from __future__ import annotations

from typing import ClassVar

from textual import _border
from textual.scrollbar import ScrollBar, ScrollBarRender

INVISIBLE = frozenset({"", "none", "hidden", "blank"})


class AsciiScrollBar(ScrollBarRender):
    """A scroll bar without partial blocks."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]


def draw_with_ascii() -> None:
    """Draw every border as `+`, `-` and `|` from here on; for the whole process, as the app is."""
    ScrollBar.renderer = AsciiScrollBar
    for name in set(_border.BORDER_CHARS) - INVISIBLE:
        _border.BORDER_CHARS[name] = _border.BORDER_CHARS["ascii"]
        _border.BORDER_LOCATIONS[name] = _border.BORDER_LOCATIONS["ascii"]
    _border.get_box.cache_clear()

"""The end of a growing text file: only where its lines begin is kept, and only the lines on the screen are read."""

from __future__ import annotations

import os
import re
from array import array
from itertools import accumulate, islice
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from textual.binding import BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from sdtui.tui import keys
from sdtui.tui.literal import clean, fit

# A line longer than this is cut: nobody reads a megabyte on one line, and it would be read at every redraw.
LONGEST = 4096
# Terminal colours in a log are noise here; they go before control characters are spelt out.
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BLOCK = 1 << 20
# A log larger than this is shown from its last part on: finding the lines of more would hold a key back.
MOST = 8 << 20


class LogTail:
    """Line starts of a growing file; `poll` catches up, `line` reads one. A truncated or replaced file starts anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.starts = array("q", [0])
        self._size = 0
        self._inode = 0

    def __len__(self) -> int:
        """Lines, counting an unfinished last one."""
        return len(self.starts) - (1 if self.starts[-1] >= self._size else 0)

    def poll(self) -> bool:
        """Find the lines that are new; True if the file changed."""
        try:
            with self.path.open("rb") as stream:
                found = os.fstat(stream.fileno())
                if found.st_ino != self._inode or found.st_size < self._size:
                    self._restart(found.st_ino, found.st_size)
                if found.st_size == self._size:
                    return False
                stream.seek(self._size)
                while block := stream.read(_BLOCK):
                    self._index(block)
        except OSError:
            return False
        return True

    def line(self, index: int) -> str:
        """Line `index` without its end, colours removed; after the last carriage return, as a terminal would show it."""
        start = self.starts[index]
        end = self.starts[index + 1] if index + 1 < len(self.starts) else self._size
        try:
            with self.path.open("rb") as stream:
                stream.seek(start)
                raw = stream.read(min(end - start, LONGEST))
        except OSError:
            return ""
        text = raw.decode("utf-8", "replace").rstrip("\r\n")
        return _COLOUR.sub("", text.rsplit("\r", 1)[-1])

    def _restart(self, inode: int, size: int) -> None:
        begin = max(0, size - MOST)
        self._inode, self._size = inode, begin
        self.starts = array("q", [begin])

    def _index(self, block: bytes) -> None:
        # Sums of lengths instead of a search for each end: three times as fast.
        *lines, _rest = block.split(b"\n")
        self.starts.extend(islice(accumulate((len(line) + 1 for line in lines), initial=self._size), 1, None))
        self._size += len(block)


class LogView(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a file's lines and stays at the end while the end is in view."""

    KEY_CONTEXT: ClassVar[str] = "list"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("list")]
    DEFAULT_CSS = """
    LogView { height: 1fr; scrollbar-size: 1 1; overflow-x: hidden; color: $foreground; }
    """

    def __init__(self, *, ascii_only: bool = False, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._ascii = ascii_only
        self._tail: LogTail | None = None

    def show(self, path: Path | None) -> None:
        """Show this file, from its end."""
        self._tail = LogTail(path) if path else None
        self.catch_up(to_end=True)

    def catch_up(self, *, to_end: bool = False) -> None:
        """Look for new lines; called when the run's files changed."""
        changed = self._tail.poll() if self._tail is not None else True
        if not changed and not to_end:
            return
        following = to_end or self.is_vertical_scroll_end
        self.virtual_size = Size(0, len(self._tail) if self._tail is not None else 0)
        if following:
            # Before the first layout there is nothing to scroll yet.
            self.scroll_end(animate=False, force=True, immediate=self.show_vertical_scrollbar)
        self.refresh()

    def plain(self) -> list[str]:
        """What is in view, as text."""
        return [self.render_line(y).text.rstrip() for y in range(self.size.height)]

    def render_line(self, y: int) -> Strip:
        """One row in view."""
        width = self.scrollable_content_region.width
        index = self.scroll_offset.y + y
        if self._tail is None or index >= len(self._tail):
            words = "(nothing printed yet)" if y == 0 and not (self._tail and len(self._tail)) else ""
        else:
            words = clean(self._tail.line(index).expandtabs(4), ascii_only=self._ascii)
        return Strip([Segment(fit(words, width, "~" if self._ascii else "…"), self.rich_style)], width)

    def action_down(self) -> None:
        """A line down."""
        self.scroll_relative(y=1, animate=False)

    def action_up(self) -> None:
        """A line up."""
        self.scroll_relative(y=-1, animate=False)

    def action_page_down(self) -> None:
        """A page down."""
        self.scroll_relative(y=max(1, self.size.height - 1), animate=False)

    def action_page_up(self) -> None:
        """A page up."""
        self.scroll_relative(y=-max(1, self.size.height - 1), animate=False)

    def action_first(self) -> None:
        """To the first line."""
        self.scroll_home(animate=False)

    def action_last(self) -> None:
        """To the end, and follow it."""
        self.scroll_end(animate=False)

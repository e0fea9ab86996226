"""A few lines of our own words and numbers that tick: only the characters that changed are sent to the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.events import Resize
from textual.strip import Strip
from textual.widget import Widget

from sdtui.tui.literal import clean
from sdtui.tui.widgets.frame import Frame

Piece = tuple[str, str]
"""Words and their role: `name`, `value`, `accent`, `warning`, `error`, or "" for plain."""


class FigureLines(Widget):
    """Lines of pieces; `show` draws what differs. For single-width words: a caption or a file name goes elsewhere."""

    DEFAULT_CSS = """
    FigureLines { height: 1; }
    FigureLines > .figures--name { color: $soft; }
    FigureLines > .figures--value { color: $foreground; }
    FigureLines > .figures--accent { color: $accent; text-style: bold; }
    FigureLines > .figures--warning { color: $warning; }
    FigureLines > .figures--error { color: $error; text-style: bold; }
    FigureLines > .figures--faint { color: $faint; }
    """
    ROLES = ("name", "value", "accent", "warning", "error", "faint")
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"figures--{role}" for role in ROLES}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Sequence[Piece]] = ()
        self._frame = Frame(0, 0)

    def show(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Show these lines; what does not fit is cut off."""
        if lines != self._lines:
            self._lines = lines
            self._draw()

    def plain(self) -> list[str]:
        """What is shown, as text."""
        return self._frame.plain()

    def on_resize(self, _event: Resize) -> None:
        """More or less room."""
        self._draw()

    def render_line(self, y: int) -> Strip:
        """Line `y`."""
        if y >= self._frame.height:
            return Strip.blank(self.size.width, self.rich_style)
        styles = {role: self.get_component_rich_style(f"figures--{role}") for role in self.ROLES}
        return self._frame.strip(y, {"": self.rich_style, **styles})

    def _draw(self) -> None:
        frame = Frame(*self.size)
        for y, line in enumerate(self._lines):
            x = 0
            for said, role in line:
                # The device's name and the like come from a file.
                words = clean(said)
                frame.text(x, y, words, role)
                x += len(words)
        before, self._frame = self._frame, frame
        if (before.width, before.height) != (frame.width, frame.height):
            self.refresh()
        elif regions := frame.changed(before):
            self.refresh(*regions)

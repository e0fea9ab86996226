"""The two lines that frame every screen: where am I and what runs (header), what can I press here (footer)."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.key import Key
from sdtui.tui.keys import shown
from sdtui.tui.literal import shorten

GAP = 3


class HeaderLine(Widget):
    """One line: program and screen, the place, facts about it, and at the right the run that is going on."""

    DEFAULT_CSS = "HeaderLine { dock: top; height: 1; padding: 0 1; background: $surface; }"

    def __init__(self, screen_name: str) -> None:
        super().__init__()
        self._word = screen_name
        self._place = ""
        self._facts = Content("")
        self._run_line = Content("")

    def show(self, place: str, facts: Content, running: Content) -> None:
        """Say where we are; draws only when something differs."""
        if (place, facts, running) != (self._place, self._facts, self._run_line):
            self._place, self._facts, self._run_line = place, facts, running
            self.refresh()

    def render(self) -> Content:
        """The line: the place gives way first, then the facts; the run stays."""
        width = self.size.width
        left = Content.assemble(("sdtui", "$soft"), "  ", (self._word, "bold $accent"), "  ")
        right = self._facts
        if self._run_line.plain:
            right = right + Content(" " * GAP if right.plain else "") + self._run_line
        if left.cell_length + right.cell_length > width:
            right = self._run_line
        room = max(0, width - left.cell_length - right.cell_length - 1)
        left = left + Content.styled(shorten(self._place, room, glyphs_of(self).ellipsis), "$foreground")
        return (left.pad_right(max(0, width - left.cell_length - right.cell_length)) + right).truncate(width)


class HintLine(Widget):
    """One line of keys for what has the focus, most useful first; `? keys` and the way out are never cut off."""

    DEFAULT_CSS = "HintLine { dock: bottom; height: 1; padding: 0 1; background: $surface; }"

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Key] = []

    def show(self, rows: list[Key]) -> None:
        """Show these keys; draws only when they differ."""
        if rows != self._rows:
            self._rows = rows
            self.refresh()

    def render(self) -> Content:
        """As many hints as fit."""
        kept = [row for row in self._rows if row.footer >= 90]
        room = self.size.width - sum(_hint(row).cell_length + 2 for row in kept)
        line: list[Content] = []
        for row in self._rows:
            if row.footer >= 90:
                continue
            hint = _hint(row)
            if hint.cell_length + 2 > room:
                break
            room -= hint.cell_length + 2
            line.append(hint)
        return Content("  ").join([*line, *map(_hint, kept)]).truncate(self.size.width)


def _hint(row: Key) -> Content:
    return Content.assemble((shown(row.keys), "bold $strong"), " ", (row.label, "$soft"))

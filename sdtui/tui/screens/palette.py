"""`:` every command by name: type a few letters of it, press enter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.key import Key
from sdtui.tui.keys import shown
from sdtui.tui.literal import fit
from sdtui.tui.widgets.line_input import LineInput
from sdtui.tui.widgets.linelist import LineList

LABEL = 17


class PaletteScreen(ModalScreen[Key]):
    """A line to type in above the commands that match; dismisses with the row to run, or None."""

    KEY_CONTEXT: ClassVar[str] = "typing"
    AUTO_FOCUS = "LineInput"
    DEFAULT_CSS = """
    PaletteScreen {
        align: center top; background: $background 60%;
        & > .frame { width: 80; max-width: 96%; height: auto; margin-top: 2; background: $surface; padding: 1 2; }
        & LineInput { background: $background; margin-bottom: 1; }
        & LineList { height: auto; max-height: 14; background: $surface; }
    }
    """

    def __init__(self, rows: Sequence[Key]) -> None:
        super().__init__()
        # Moving in a list by name would be silly; everything else is a command.
        self._all = [row for row in rows if row.context != "list" and row.id != "everywhere.commands"]
        self._found = self._all

    def compose(self) -> ComposeResult:
        """The line and the list."""
        with Vertical(classes="frame"):
            yield LineInput(placeholder="command")
            yield LineList()

    def on_mount(self) -> None:
        """Everything, until something is typed."""
        self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        self._found = matching(self._all, event.value)
        self._show()

    def on_key(self, event: events.Key) -> None:
        """The arrows move in the list while the line keeps the focus."""
        if event.key in {"down", "up"}:
            event.stop()
            rows = self.query_one(LineList)
            rows.action_down() if event.key == "down" else rows.action_up()

    def on_line_input_accepted(self) -> None:
        """Run the highlighted one."""
        index = self.query_one(LineList).cursor
        self.dismiss(self._found[index] if self._found else None)

    def on_line_input_left(self) -> None:
        """Leave."""
        self.dismiss(None)

    def on_line_list_chosen(self) -> None:
        """A second click."""
        self.on_line_input_accepted()

    def _show(self) -> None:
        rows = self.query_one(LineList)
        if self._found:
            rows.set_rows(len(self._found), self._row, cursor=0)
        else:
            nothing = Content.styled("no match", "$soft")
            rows.set_rows(1, lambda _index, _width: nothing, selectable=lambda _index: False)

    def _row(self, index: int, width: int) -> Content:
        row = self._found[index]
        key = shown(row.keys)
        words = fit(row.help, max(0, width - LABEL - len(key) - 1), glyphs_of(self).ellipsis)
        return Content.assemble((f"{row.label:<{LABEL}}", "$strong"), (f"{words} ", "$soft"), (key, "$accent"))


def matching(rows: Sequence[Key], typed: str) -> list[Key]:
    """The rows in whose label or help every typed word begins a word, those whose label begins so first."""
    words = typed.lower().split()
    found = [row for row in rows if all(_begins_one(word, f"{row.label} {row.help}") for word in words)]
    return sorted(found, key=lambda row: not row.label.startswith(typed.lower().strip()))


def _begins_one(start: str, text: str) -> bool:
    return any(word.startswith(start) for word in text.lower().split())

"""Two dialogs for lists: tick some of the known words, or edit lines of free text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from sdtui.tui import keys
from sdtui.tui.literal import literal
from sdtui.tui.screens.dialogs import Ask, Dialog
from sdtui.tui.widgets.linelist import LineList


class PickWords(Dialog[list[str]]):
    """Tick words of a known few; dismisses with the ticked ones in their own order, or None."""

    KEY_CONTEXT: ClassVar[str] = "words"
    HINTS = (("words.tick", "tick"), ("words.accept", "accept"), ("words.close", "leave"))
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("words")]

    def __init__(self, title: str, held: Sequence[str], choices: Sequence[str]) -> None:
        super().__init__(title)
        self._choices = list(choices)
        self._ticked = set(held)

    def content(self) -> ComposeResult:
        """The words."""
        yield LineList()

    def on_mount(self) -> None:
        """Fill the list."""
        self.query_one(LineList).set_rows(len(self._choices), self._row, cursor=0)

    def action_tick(self) -> None:
        """Tick or untick."""
        panel = self.query_one(LineList)
        self._ticked ^= {self._choices[panel.cursor]}
        panel.redraw(panel.cursor)

    def action_accept(self) -> None:
        """Hand over what is ticked."""
        self.dismiss([word for word in self._choices if word in self._ticked])

    def _row(self, index: int, _width: int) -> Content:
        word = self._choices[index]
        return Content.assemble((" [x] " if word in self._ticked else " [ ] ", "$accent"), literal(word))


class EditItems(Dialog[list[str]]):
    """Lines of text to edit, add, drop and move; dismisses with them, or None when nothing was changed."""

    KEY_CONTEXT: ClassVar[str] = "items"
    HINTS = (
        ("items.edit", "edit"),
        ("items.add", "add"),
        ("items.drop", "drop"),
        ("items.move_down items.move_up", "move"),
        ("items.accept", "accept"),
        ("items.close", "leave"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("items")]
    DEFAULT_CSS = "EditItems > .frame { width: 100; }"

    def __init__(self, title: str, held: Sequence[str], _choices: Sequence[str] = ()) -> None:
        super().__init__(title)
        self._items = [str(item) for item in held]

    def content(self) -> ComposeResult:
        """The lines."""
        yield LineList()

    def on_mount(self) -> None:
        """Fill the list."""
        self._show(0)

    def action_edit(self) -> None:
        """Change the line under the cursor, or write the first."""
        at = self.query_one(LineList).cursor
        if not self._items:
            self.action_add()
            return
        self.app.push_screen(Ask("edit the line", self._items[at]), lambda text: self._put(at, text))

    def action_add(self) -> None:
        """One more line."""
        self.app.push_screen(Ask("a new line"), lambda text: self._put(len(self._items), text))

    def action_drop(self) -> None:
        """Remove the line under the cursor."""
        if self._items:
            at = self.query_one(LineList).cursor
            del self._items[at]
            self._show(at)

    def action_move_down(self) -> None:
        """One place down."""
        self._move(1)

    def action_move_up(self) -> None:
        """One place up."""
        self._move(-1)

    def action_accept(self) -> None:
        """Hand over the lines."""
        self.dismiss(self._items)

    def _move(self, by: int) -> None:
        at = self.query_one(LineList).cursor
        to = at + by
        if 0 <= at < len(self._items) and 0 <= to < len(self._items):
            self._items[at], self._items[to] = self._items[to], self._items[at]
            self._show(to)

    def _put(self, at: int, text: str | None) -> None:
        if text:
            self._items[at : at + 1] = [text]
            self._show(at)

    def _show(self, cursor: int) -> None:
        rows = self._items or [f"(nothing yet: {keys.key_table_of(self).press('items.add')} adds a line)"]
        self.query_one(LineList).set_rows(len(rows), lambda index, _width: literal(rows[index]), cursor=cursor)

"""The nine numbered selections in a dialog: which hold the image, how many they hold, and what to do with one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.events import Key as KeyEvent

from sdtui.dataset.marks import NUMBERS
from sdtui.tui import keys
from sdtui.tui.captions.image_marks import MARKED
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.numbers import count
from sdtui.tui.screens.dialogs import Confirm, Dialog
from sdtui.tui.widgets.linelist import LineList

Deed = Literal["put", "recall", "clear", "put_marked"]


class Selections(Dialog[tuple[Deed, int]]):
    """Dismisses with what to do with which selection, or with None. A digit puts the image in or takes it out at once.

    Args:
        rows: for each of the nine how many images it holds, and whether the image in hand is one of them.
    """

    KEY_CONTEXT: ClassVar[str] = "selections"
    HINTS = (
        ("selections.put", "in or out"),
        ("selections.recall", "only these"),
        ("selections.put_marked", "marked ones"),
        ("selections.clear", "empty"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("selections")]
    DEFAULT_CSS = "Selections > .frame { width: 72; }"

    def __init__(self, rows: Sequence[tuple[int, bool]]) -> None:
        super().__init__("Selections: a digit puts the image in, or takes it out")
        self._rows = rows

    def content(self) -> ComposeResult:
        """One row a selection."""
        yield LineList()

    def on_mount(self) -> None:
        """Fill the list; the first that is free of other meaning is under the cursor."""
        self.query_one(LineList).set_rows(len(self._rows), self._row, cursor=MARKED)

    def on_key(self, event: KeyEvent) -> None:
        """The selection's own digit."""
        if event.character and event.character.isdigit() and int(event.character) in NUMBERS:
            event.stop()
            event.prevent_default()
            self.dismiss(("put", int(event.character)))

    def on_line_list_chosen(self) -> None:
        """A second click."""
        self.action_put()

    def action_put(self) -> None:
        """Put the image in, or take it out."""
        self._do("put")

    def action_recall(self) -> None:
        """Show only its images."""
        self._do("recall")

    def action_put_marked(self) -> None:
        """Put the marked images in."""
        self._do("put_marked")

    def action_clear(self) -> None:
        """Empty it, if the user means it: nothing brings a selection back."""
        number = self._number
        if (held := self._rows[number - 1][0]) == 0:
            return

        def answer(said: str | None) -> None:
            if said:
                self.dismiss(("clear", number))

        question = f"Take {count(held, 'image')} out of selection {number}? No undo brings that back."
        self.app.push_screen(Confirm(question, yes="take them out"), answer)

    def _do(self, deed: Deed) -> None:
        self.dismiss((deed, self._number))

    @property
    def _number(self) -> int:
        return self.query_one(LineList).cursor + 1

    def _row(self, index: int, _width: int) -> Content:
        held, has_it = self._rows[index]
        sign = glyphs_of(self).mark if has_it else " "
        name = " marked" if index + 1 == MARKED else ""
        return Content.assemble(
            (f"{sign} ", "$accent"),
            (f"{index + 1}", "bold $accent"),
            (f"{name:<9}", "$foreground"),
            (f"{count(held, 'image'):>16}", "$foreground" if held else "$soft"),
            ("   this one is in it" if has_it else "", "$soft"),
        )

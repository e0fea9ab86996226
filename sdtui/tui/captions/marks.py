"""Marks on the captions screen: which images they are on, stars, numbered selections."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType

from sdtui.dataset.marks import NUMBERS
from sdtui.tui import keys
from sdtui.tui.captions.image_marks import MARKED
from sdtui.tui.captions.pair import Pair
from sdtui.tui.captions.selections import Deed, Selections
from sdtui.tui.captions.tag_list import CaptionsTags
from sdtui.tui.key import Key


class CaptionsMarks(CaptionsTags):
    """Sets marks, stars and selections."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def hints(self) -> list[Key]:
        """While images are marked, first how to be rid of that: the keys after it edit all of them."""
        rows = super().hints()
        if self.marks and rows and rows[0].context == "captions":
            unmark = next(row for row in self.sdtui.keys.rows("captions") if row.action == "mark_all")
            rows.insert(0, replace(unmark, label="unmark all"))
        return rows

    def action_mark(self) -> None:
        """Mark or unmark, and go on to the next image."""
        if self.model is not None and self.hand is not None:
            position = self.hand.position
            self.model.marks.put([position], MARKED, self._mark_written, on=position not in self.model.marked)
            self.images.redraw(self.images.cursor)
            self.update_chrome()
            self.images.action_down()

    def action_mark_all(self) -> None:
        """Unmark all images; when none is marked, mark those that are listed."""
        if self.model is not None:
            marked = self.model.marked
            self.model.marks.put(marked or self.model.view, MARKED, self._mark_written, on=not marked)
            self.images.redraw()
            self.update_chrome()

    def action_more_stars(self) -> None:
        """One star more."""
        self._rate(1)

    def action_fewer_stars(self) -> None:
        """One star less."""
        self._rate(-1)

    def _rate(self, by: int) -> None:
        if self.model is not None and self.hand is not None:
            self.model.marks.rate(self.hand.position, by, self._mark_written)
            self.images.redraw(self.images.cursor)

    def action_pair(self) -> None:
        """Hold the image and see others beside it."""
        if (model := self.model) is None or self.hand is None:
            return
        if len(model.view) < 2:
            self.say("there is no other image in the list")
            return

        def mark(position: int) -> None:
            model.marks.put([position], MARKED, self._mark_written, on=position not in model.marked)

        def back(position: int | None) -> None:
            if model is self.model and position is not None:
                self._list_rows(position)
                self.images.redraw()

        pair = Pair(model, model.view, self.images.cursor, mark, ascii_only=self.sdtui.settings.ascii)
        self.app.push_screen(pair, back)

    def action_selections(self) -> None:
        """The nine selections: put the image into one, show only one's images, empty one."""
        if self.model is None or self.hand is None:
            return
        marks, position = self.model.marks, self.hand.position
        rows = [(len(marks.selections[number]), position in marks.selections[number]) for number in NUMBERS]
        self.app.push_screen(Selections(rows), self._select)

    def _select(self, chosen: tuple[Deed, int] | None) -> None:
        """Do with a selection what its dialog said."""
        if chosen is None or self.model is None or self.hand is None:
            return
        deed, number = chosen
        marks, position = self.model.marks, self.hand.position
        if deed == "recall":
            self.show_query(f"mark:{number}")
        elif deed == "clear":
            marks.clear(number, self._mark_written)
        elif deed == "put_marked":
            marks.put(self.model.marked, number, self._mark_written, on=True)
        else:
            marks.put([position], number, self._mark_written, on=position not in marks.selections[number])
        self.images.redraw()
        self.update_chrome()

    @property
    def marks(self) -> int:
        """How many images are marked."""
        return len(self.model.marked) if self.model is not None else 0

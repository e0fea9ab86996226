"""Marks on the captions screen: which images they are on, and the edit of all of them as one operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from sdtui.dataset.marks import NUMBERS
from sdtui.errors import SdtuiError
from sdtui.tui import keys
from sdtui.tui.captions.image_marks import MARKED
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.search import CaptionsSearch
from sdtui.tui.captions.selections import Deed, Selections
from sdtui.tui.numbers import count, grouped

if TYPE_CHECKING:
    from sdtui.tui.captions.writer import Edited


class CaptionsMarks(CaptionsSearch):
    """Sets marks, and edits what is marked in a thread; while that goes on no other edit begins."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        self._editing_marked = False

    def hints(self) -> list[keys.Key]:
        """While images are marked, first how to be rid of that: the keys after it edit all of them."""
        rows = super().hints()
        if self.marks and rows and rows[0].context == "captions":
            unmark = next(row for row in self.sdtui.keys.rows("captions") if row.action == "mark_all")
            rows.insert(0, replace(unmark, label="unmark all"))
        return rows

    def marked_edited(self, words: str) -> None:
        """The marked captions were written: show what is true now, and `words`."""

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

    def edit_marked(self, edit: Callable[[str], str], said: Callable[[str], str], label: str) -> None:
        """Edit the caption of every marked image as one operation.

        Args:
            edit: the new text of a caption; may raise UserError.
            said: the sentence about what was done, given "12 of 14 marked".
            label: the operation's name, for undo.
        """
        model = self.model
        if model is None or self._refuses_edits():
            return
        self._editing_marked = True
        self._pending += 1

        def work() -> None:
            edited: Edited | None = None
            words = ""
            try:
                marked = sorted(model.marked)
                named = f"{label} ({count(len(marked), 'marked image')})"
                edited = model.writer.edit_many_slowly(marked, edit, named)
            except SdtuiError as error:
                words = str(error)
            finally:
                # Without waiting for the screen: while it closes, it waits for this thread.
                self.call_later(self._marked_written, model, edited, said, words)

        self.run_worker(work, thread=True, group="marked", exit_on_error=False)

    def _refuses_edits(self) -> bool:
        """Whether marked captions are being written, so that what another edit would begin with is not known yet."""
        if self._editing_marked:
            self.say("the marked captions are still being written; try again in a moment", "warning")
        return self._editing_marked

    def _marked_written(
        self, model: CaptionsModel, edited: Edited | None, said: Callable[[str], str], trouble: str
    ) -> None:
        self._editing_marked = False
        self._pending -= 1
        if edited is None:
            self.say(trouble or "the marked captions could not be written", "error")
        else:
            self.say(_outcome(said, edited))
        if model is self.model:
            self.marked_edited("saved" if edited is not None and edited.changed else "")


def _outcome(said: Callable[[str], str], edited: Edited) -> str:
    words = said(f"{grouped(edited.changed)} of {grouped(edited.images)} marked")
    left = f"{count(edited.unreadable, 'caption')} cannot be read and stayed as they are" if edited.unreadable else ""
    return "\n".join(filter(None, [words, left]))

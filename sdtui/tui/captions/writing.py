"""What goes from the captions screen to the disk and what comes back: edits, undo, conflicts, changes by other programs."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from sdtui.dataset.edit import ConflictError
from sdtui.errors import SdtuiError
from sdtui.tui import keys
from sdtui.tui.captions.hand import InHand
from sdtui.tui.captions.marks import CaptionsMarks
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.words import two_texts
from sdtui.tui.screens.dialogs import Choose
from sdtui.tui.widgets.caption_pane import CaptionPane

# The label of an edit whose text was typed whole.
TYPED = "edit"


class CaptionsWriting(CaptionsMarks):
    """Writes a caption in the background, and says on the screen what became of it."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        self._edited: InHand | None = None
        self._conflicts: list[tuple[CaptionsModel, InHand, str, str]] = []

    def action_undo(self) -> None:
        """Undo the newest edit of the dataset."""
        self._step(back=True)

    def action_redo(self) -> None:
        """Redo what was undone last."""
        self._step(back=False)

    def _open_editor(self, hand: InHand, text: str) -> None:
        self._edited = hand
        self.query_one(CaptionPane).edit(text)

    def _change(self, before: InHand, text: str, label: str) -> None:
        """Take the new text in, show it, write it in the background."""
        model = self.model
        if model is None:
            return

        def done(after: InHand, error: Exception | None) -> None:
            # Without waiting for the screen: while it closes, it waits for this thread.
            self.call_later(self._written, model, after, text, label, error)

        try:
            after = model.edit(before, text, f"{label} ({model.library.name(before.position)})", done)
        except SdtuiError as error:
            self.say(str(error), "error")
            return
        if after is before:
            return
        self._pending += 1
        if self.hand is not None and self.hand.position == after.position:
            self.hand, self._saved = after, ""
        self._redraw_image(after.position)

    def _written(self, model: CaptionsModel, after: InHand, text: str, label: str, error: Exception | None) -> None:
        self._pending -= 1
        if error is not None:
            self._not_written(model, after, text, label, error)
        elif model is self.model and self.hand is not None and self.hand.position == after.position:
            if not self._pending:
                self.hand.seen = model.library.stat_of(after.position)
            self._saved = "saved"
            self._show_hand()

    def _not_written(self, model: CaptionsModel, after: InHand, text: str, label: str, error: Exception) -> None:
        """Show the file as it is; a conflict asks which text stays, and a text typed whole goes back into the editor."""
        if model is not self.model:
            self.sdtui.report(error)
            return
        fresh = model.read_again(after)
        if self.hand is not None and self.hand.position == fresh.position:
            self.hand, self._saved = fresh, ""
        self._redraw_image(fresh.position)
        if isinstance(error, ConflictError):
            self._ask_which(model, fresh, text, label)
            return
        self.sdtui.report(error)
        if label == TYPED:
            self._type_again(fresh, text)

    def _ask_which(self, model: CaptionsModel, fresh: InHand, text: str, label: str) -> None:
        """Show both texts and ask which stays; without an answer, a text that was typed whole goes back into the editor."""
        if self.query_one(CaptionPane).busy:
            # Another caption is being typed by now: first that.
            self._conflicts.append((model, fresh, text, label))
            return
        name = model.library.caption_path(fresh.position).name
        title = f"{name} was changed on disk by another program while you edited it."
        choices = [("theirs", "keep what is on disk", "k"), ("mine", "write my text over it", "w")]
        choices += [("edit", "go on editing my text", "e")] if label == TYPED else []

        def answer(choice: str | None) -> None:
            if choice == "theirs" or model is not self.model:
                return
            now = model.take(fresh.position)
            if choice == "mine":
                if now.caption is None:
                    self.say(f"not written: {now.problem}", "error")
                self._change(now, text, label)
            elif label == TYPED:
                self._type_again(now, text)

        detail = two_texts(text, fresh.text, self.sdtui.glyphs, self.sdtui.settings.ascii)
        self.app.push_screen(Choose(title, choices, detail), answer)

    def _type_again(self, hand: InHand, text: str) -> None:
        """A text that was not written goes back into the editor, over the caption as it is now."""
        if self.query_one(CaptionPane).busy:
            return
        if not self._go_to(hand.position):
            self._end_search()
            self._go_to(hand.position)
        self.hand = hand
        self._open_editor(hand, text)

    def _step(self, *, back: bool) -> None:
        model = self.model
        if model is None:
            return

        def step() -> None:
            try:
                operation = model.step_slowly(back=back)
            except SdtuiError as error:
                self.app.call_from_thread(self.say, str(error), "error")
                return
            verb = "undone" if back else "done again"
            nothing = "nothing to undo" if back else "nothing to do again"
            at = model.writer.positions_of([change.path for change in operation.changes]) if operation else []
            words = f"{verb}: {operation.label}" if operation else nothing
            self.app.call_from_thread(self._stepped, at[0] if at else None, words)

        self.run_worker(step, thread=True, group="step", exit_on_error=False)

    def marked_edited(self, words: str) -> None:
        """Rows, counts and the caption in hand as they are on disk now."""
        self._read_again(words)
        self.images.redraw()
        self._recount()

    def _stepped(self, position: int | None, words: str) -> None:
        """Go to the image that changed and say what was done."""
        if self.model is None:
            return
        if position is not None:
            self._go_to(position)
        self._read_again(words)
        self.images.redraw()
        self._recount()

    def _go_to(self, position: int) -> bool:
        """Take the image at `position` in hand at once; False if the list does not show it."""
        row = self.model.row_of(position) if self.model is not None else None
        if row is None:
            return False
        self.images.move_to(row)
        self._show_row(row)
        return True

    def _redraw_image(self, position: int) -> None:
        """An image's caption changed: its row, the counts, the caption itself."""
        if self.model is None:
            return
        if (row := self.model.row_of(position)) is not None:
            self.images.redraw(row)
        self._show_counts()
        self._show_hand()
        self.update_chrome()

    def _read_again(self, words: str) -> None:
        """Read the caption in hand from disk again and say why."""
        if self.model is not None and self.hand is not None:
            self.hand, self._saved = self.model.read_again(self.hand), words
            self._redraw_image(self.hand.position)

    def _look_at_disk(self) -> None:
        """Notice that another program wrote the caption on the screen; nothing is drawn unless it did."""
        if self.model is None or self.hand is None or self._pending or not self.is_current:
            return
        if not self.query_one(CaptionPane).busy and self.model.changed_on_disk(self.hand):
            self._read_again("changed on disk: read again")

"""Captions: go through the images of a dataset, see each beside its caption, and set the caption right.

Every edit goes through the dataset's journal: written atomically, undone and redone across sessions, and refused where
another program changed the file meanwhile; the user then says which of the two texts stays.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.widgets import Input
from textual.worker import get_current_worker

from sdtui.dataset import tags
from sdtui.dataset.edit import ConflictError
from sdtui.errors import SdtuiError, UserError
from sdtui.tui import keys
from sdtui.tui.caption_text import drop_tag, replace_tag
from sdtui.tui.captions_model import InHand
from sdtui.tui.editor import edit_file
from sdtui.tui.numbers import grouped
from sdtui.tui.screens.captions_view import CaptionsView
from sdtui.tui.screens.dialogs import Ask, Choose
from sdtui.tui.widgets.caption_editor import CaptionEditor
from sdtui.tui.widgets.caption_pane import CaptionPane
from sdtui.tui.widgets.line_input import LineInput
from sdtui.tui.widgets.search_line import SearchLine

LOOK_SECONDS = 1.0
# One search reads every caption once; typing a word must not start five.
SEARCH_DELAY = 0.15


class CaptionsScreen(CaptionsView):
    """The review screen of one dataset."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        self._asking = ""
        self._edited: InHand | None = None
        self._searched = ""

    def recall(self, state: dict[str, Any]) -> None:
        """Open what was open, and look at the disk from time to time."""
        super().recall(state)
        self.set_interval(LOOK_SECONDS, self._look_at_disk)

    # -- editing ------------------------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """Edit the caption in place."""
        if self._editable():
            self._edited = self.hand
            self.query_one(CaptionPane).edit(self.hand.text if self.hand else "")

    def action_add_tag(self) -> None:
        """Ask for a tag to add."""
        self._ask("add_tag", "add tag", "")

    def action_replace_tag(self) -> None:
        """Ask what to put in the tag's place."""
        if self.hand is not None and self.hand.caption is not None and self.hand.caption.tags:
            self._ask("replace_tag", "replace with", self.hand.caption.tags[self.tag].text)

    def action_drop_tag(self) -> None:
        """Drop the tag under the tag cursor."""
        if self._editable() and self.hand and self.hand.caption and self.hand.caption.tags:
            gone = self.hand.caption.tags[self.tag].text
            self._change(drop_tag(self.hand.text, self.tag), f"drop {gone}")

    def action_next_tag(self) -> None:
        """Move the tag cursor on, round the end."""
        self._move_tag(1)

    def action_previous_tag(self) -> None:
        """Move the tag cursor back, round the beginning."""
        self._move_tag(-1)

    def action_undo(self) -> None:
        """Undo the newest edit of the dataset."""
        self._step(back=True)

    def action_redo(self) -> None:
        """Redo what was undone last."""
        self._step(back=False)

    def action_editor(self) -> None:
        """Edit the caption file in $EDITOR."""
        if self.model is None or self.hand is None:
            return
        try:
            self.model.flush()
            edit_file(self.app, self.model.library.caption_path(self.hand.position))
        except SdtuiError as error:
            self.say(str(error), "error")
        self._read_again("read again after the editor")

    def on_caption_editor_saved(self, event: CaptionEditor.Saved) -> None:
        """Save, unless the file was changed under the editor."""
        self._close_pane()
        self.hand = self._edited or self.hand
        self._change(event.text, "edit")

    def on_caption_editor_cancelled(self) -> None:
        """Nothing happened."""
        self._close_pane()

    def _editable(self) -> bool:
        if self.hand is None or self.model is None:
            return False
        if self.hand.caption is None:
            self.say(f"not editable here: {self.hand.problem}", "warning")
        elif not self._pending and self.model.changed_on_disk(self.hand):
            # Noticed at the last moment: show the file as it is now instead of editing what it was.
            self._read_again("changed on disk: read again")
        return self.hand is not None and self.hand.caption is not None

    def _ask(self, what: str, label: str, value: str) -> None:
        if self._editable() and self.model is not None:
            self._asking, self._edited = what, self.hand
            self.query_one(CaptionPane).ask(label, value, self.model.counts)
            self.update_chrome()

    def _change(self, text: str, label: str) -> None:
        """Take the new text in, show it, write it in the background."""
        if self.model is None or self.hand is None:
            return
        before = self.hand

        def done(error: Exception | None) -> None:
            self.app.call_from_thread(self._written, before, text, label, error)

        try:
            after = self.model.edit(before, text, f"{label} ({self.model.library.name(before.position)})", done)
        except SdtuiError as error:
            self.say(str(error), "error")
            return
        if after is before:
            return
        self.hand, self._pending, self._saved = after, self._pending + 1, ""
        self._redraw_image(before.position)

    def _written(self, before: InHand, text: str, label: str, error: Exception | None) -> None:
        self._pending -= 1
        if error is not None:
            self._not_written(before, text, label, error)
        elif self.model is not None and self.hand is not None and self.hand.position == before.position:
            if not self._pending:
                self.hand.seen = self.model.library.stat_of(before.position)
            self._saved = "saved"
            self._show_hand()

    def _not_written(self, before: InHand, text: str, label: str, error: Exception) -> None:
        """Show the file as it is; a conflict asks which text stays."""
        self._read_again("", position=before.position)
        if not isinstance(error, ConflictError):
            self.sdtui.report(error)
            return
        choices = [("theirs", "keep what the other program wrote", "k"), ("mine", "write my text over it", "w")]
        title = "The caption was changed on disk by another program while you edited it."

        def answer(choice: str | None) -> None:
            if choice == "mine" and self.model is not None:
                self.hand = self.model.take(before.position)
                self._change(text, label)

        self.app.push_screen(Choose(title, choices), answer)

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
            at = model.positions_of([change.path for change in operation.changes]) if operation else []
            words = f"{verb}: {operation.label}" if operation else nothing
            self.app.call_from_thread(self._stepped, at[0] if at else None, words)

        self.run_worker(step, thread=True, group="step", exit_on_error=False)

    def _stepped(self, position: int | None, words: str) -> None:
        """Go to the image that changed and say what was done."""
        if self.model is None:
            return
        if position is not None and (row := self.model.row_of(position)) is not None:
            self.images.move_to(row)
        self._read_again(words)
        self.images.redraw()
        self._recount()

    # -- typing a tag or a search -----------------------------------------------------------------------------------

    def on_line_input_accepted(self, event: LineInput.Accepted) -> None:
        """A tag to add or put in, or the end of a search."""
        if event.input.id == "search":
            self._search_done()
            return
        asked, hand = self._asking, self._edited
        self._close_pane()
        if hand is None or not event.value.strip():
            return
        self.hand = hand
        try:
            if asked == "add_tag":
                self._change(tags.add(hand.text, event.value), f"add {event.value.strip()}")
            else:
                self._change(replace_tag(hand.text, self.tag, event.value), f"replace by {event.value.strip()}")
        except UserError as error:
            self.say(str(error), "error")

    def on_line_input_left(self, event: LineInput.Left) -> None:
        """Nothing asked, or no search any more."""
        if event.input.id == "search":
            self._end_search()
        else:
            self._close_pane()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as one types."""
        if event.input.id == "search":
            query = event.value
            self.set_timer(SEARCH_DELAY, lambda: self._search(query))

    async def action_search(self) -> None:
        """Search names and captions."""
        if self.model is not None:
            await self.query_one(SearchLine).open()
            self.update_chrome()

    def _search(self, query: str) -> None:
        model, line = self.model, self.query_one(SearchLine)
        if model is None or query != line.value or query == self._searched:
            return
        self._searched = query
        if not query.strip():
            self._narrow(None)
            return
        line.say("searching")

        def search() -> None:
            worker = get_current_worker()
            found = model.search_slowly(query)
            if not worker.is_cancelled and query == self._searched:
                self.app.call_from_thread(self._narrow, found)

        self.run_worker(search, thread=True, group="search", exclusive=True, exit_on_error=False)

    def _narrow(self, found: list[int] | None) -> None:
        if self.model is None:
            return
        at = self.hand.position if self.hand else None
        self.model.show(found)
        if found is not None:
            self.model.matches = found
            self.query_one(SearchLine).say(f"{grouped(len(found))} of {grouped(len(self.model.library))}")
        else:
            self.query_one(SearchLine).say("")
        self._list_rows(at)
        self._recount()

    def _search_done(self) -> None:
        """Keep the narrowed list; without a text, close the line."""
        if self.query_one(SearchLine).value.strip():
            self.images.focus()
        else:
            self._end_search()

    def _end_search(self) -> None:
        self.query_one(SearchLine).close()
        self._searched = ""
        self.images.focus()
        if self.model is not None and not isinstance(self.model.view, range):
            self._narrow(None)

    def _recount(self) -> None:
        if (model := self.model) is not None:
            self.run_worker(
                lambda: self._count_tags(model), thread=True, group="count", exclusive=True, exit_on_error=False
            )

    # -- moving about -------------------------------------------------------------------------------------------------

    def action_next_match(self) -> None:
        """To the next image the last search found."""
        self._go_to_match(1)

    def action_previous_match(self) -> None:
        """To the previous one."""
        self._go_to_match(-1)

    def action_next_untagged(self) -> None:
        """To the next image without a caption."""
        if self.model is not None:
            row = self.model.next_untagged(self.images.cursor)
            if row is None:
                self.say("every image has a caption")
            else:
                self.images.move_to(row)

    def action_mark(self) -> None:
        """Mark or unmark, and go on to the next image."""
        if self.model is not None and self.hand is not None:
            self.model.marked ^= {self.hand.position}
            self.images.redraw(self.images.cursor)
            self.update_chrome()
            self.images.action_down()

    def action_folder(self) -> None:
        """Ask for a folder and open it."""

        def opened(answer: str | None) -> None:
            if answer:
                folder = (self.sdtui.workspace / Path(answer).expanduser()).resolve()
                self.open_target(folder)

        self.app.push_screen(Ask("Open a folder of images", placeholder="path"), opened)

    def action_reload(self) -> None:
        """List the folder again: images may have come or gone."""
        model = self.model
        if model is None:
            return

        def reload() -> None:
            try:
                fresh = type(model).open_slowly(model.folder)
            except SdtuiError as error:
                self.app.call_from_thread(self.say, str(error), "error")
                return
            fresh.close()
            self.app.call_from_thread(self._reopen, model.folder)

        self.run_worker(reload, thread=True, group="reload", exclusive=True, exit_on_error=False)

    def go_back(self) -> bool:
        """Close the editor, the question or the search, if one is open."""
        if self.query_one(CaptionPane).busy:
            self._close_pane()
            return True
        if self.query_one(SearchLine).is_open:
            self._end_search()
            return True
        return super().go_back()

    def _reopen(self, folder: Path) -> None:
        self._recalled = self.remember()
        self._close_model()
        self.open_target(folder)

    def _go_to_match(self, step: int) -> None:
        if self.model is not None:
            row = self.model.next_match(self.images.cursor, step) if self.model.matches else None
            if row is None:
                self.say("nothing searched yet" if not self._searched else "no match")
            else:
                self.images.move_to(row)

    def _move_tag(self, step: int) -> None:
        if self.hand is not None and self.hand.caption is not None and (found := self.hand.caption.tags):
            self.tag = (self.tag + step) % len(found)
            self._show_hand()

    def _close_pane(self) -> None:
        self._asking, self._edited = "", None
        self.query_one(CaptionPane).close()
        self.images.focus()
        self.update_chrome()

    def _redraw_image(self, position: int) -> None:
        """An image's caption changed: its row, the counts, the caption itself."""
        if self.model is None:
            return
        if (row := self.model.row_of(position)) is not None:
            self.images.redraw(row)
        self._show_counts()
        self._show_hand()
        self.update_chrome()

    def _read_again(self, words: str, position: int | None = None) -> None:
        """Read the caption in hand from disk again and say why."""
        if self.model is None or self.hand is None or position not in {None, self.hand.position}:
            return
        self.hand, self._saved = self.model.take(self.hand.position), words
        self.model.library.changed([self.hand.position])
        self._redraw_image(self.hand.position)

    def _look_at_disk(self) -> None:
        """Notice that another program wrote the caption on the screen; nothing is drawn unless it did."""
        if self.model is None or self.hand is None or self._pending or not self.is_current:
            return
        if not self.query_one(CaptionPane).busy and self.model.changed_on_disk(self.hand):
            self._read_again("changed on disk: read again")

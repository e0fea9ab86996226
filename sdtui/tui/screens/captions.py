"""Captions: go through the images of a dataset, see each beside its caption, and set the caption right.

Every edit goes through the dataset's journal: written atomically, undone and redone across sessions, and refused where
another program changed the file meanwhile; the user then says which of the two texts stays.
"""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.worker import Worker

from sdtui.dataset import tags
from sdtui.dataset.edit import ConflictError
from sdtui.errors import SdtuiError, UserError
from sdtui.tui import keys
from sdtui.tui.caption_facts import two_texts
from sdtui.tui.caption_text import drop_tag, replace_tag
from sdtui.tui.captions_model import CaptionsModel, InHand
from sdtui.tui.editor import edit_file
from sdtui.tui.screens.captions_marks import CaptionsMarks
from sdtui.tui.screens.dialogs import Choose
from sdtui.tui.widgets.caption_editor import CaptionEditor
from sdtui.tui.widgets.caption_pane import CaptionPane
from sdtui.tui.widgets.line_input import LineInput

LOOK_SECONDS = 1.0
# The label of an edit whose text was typed whole.
TYPED = "edit"
# What the screen's own keys do; while a caption or a tag is typed, none of it may happen behind the typist's back.
ACTIONS = frozenset(row.action for row in keys.TABLE if row.context == "captions")


class CaptionsScreen(CaptionsMarks):
    """The review screen of one dataset."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        self._asking = ""
        self._edited: InHand | None = None
        self._conflicts: list[tuple[CaptionsModel, InHand, str, str]] = []

    def recall(self, state: dict[str, Any]) -> None:
        """Open what was open, and look at the disk from time to time."""
        super().recall(state)
        self.set_interval(LOOK_SECONDS, self._look_at_disk)

    def remember(self) -> dict[str, Any]:
        """Also a text that was being typed: the terminal may go away in the middle of it."""
        state = super().remember()
        typed = self.query_one(CaptionPane).typed
        if typed is not None and self._edited is not None and typed != self._edited.text:
            return {**state, "draft": typed}
        return {name: value for name, value in state.items() if name != "draft" or self.model is None}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key may do `action` now."""
        if action in ACTIONS and self.query_one(CaptionPane).busy:
            return False
        return super().check_action(action, parameters)

    def go_back(self) -> bool:
        """Close the editor, the question or the search, if one is open."""
        if self.query_one(CaptionPane).busy:
            self._close_pane()
            return True
        return super().go_back()

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        """A click into the list while typing: the typing goes on."""
        pane = self.query_one(CaptionPane)
        if pane.busy and self.images.has_focus:
            pane.refocus()

    # -- editing ------------------------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """Edit the caption in place."""
        if (hand := self._editable()) is not None:
            self._open_editor(hand, hand.text)

    def action_add_tag(self) -> None:
        """Ask for a tag to add."""
        self._ask("add_tag", "add tag")

    def action_replace_tag(self) -> None:
        """Ask what to put in the tag's place."""
        self._ask("replace_tag", "replace with")

    def action_drop_tag(self) -> None:
        """Drop the tag under the tag cursor, from every marked image if any is marked."""
        hand = self._editable()
        if hand is None or hand.caption is None or not (found := hand.caption.tags):
            return
        at = min(self.tag, len(found) - 1)
        tag = found[at].text
        if self.marks:
            self.edit_marked(
                lambda text: tags.remove(text, tag), lambda of: f"dropped '{tag}' from {of}", f"drop {tag}"
            )
        else:
            self._change(hand, drop_tag(hand.text, at), f"drop {tag}")

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
        if not self.model.flush():
            self.say("the last edit is still being written; try again in a moment", "warning")
            return
        try:
            edit_file(self.app, self.model.library.caption_path(self.hand.position))
        except SdtuiError as error:
            self.say(str(error), "error")
        self._read_again("read again after the editor")

    def on_text_area_changed(self) -> None:
        """The length of the caption as it is typed."""
        self._show_length()

    def on_caption_editor_saved(self, event: CaptionEditor.Saved) -> None:
        """Save, unless the file was changed under the editor."""
        edited = self._edited
        self._close_pane()
        if edited is not None:
            self._change(edited, event.text, TYPED)

    def on_caption_editor_cancelled(self) -> None:
        """Nothing happened."""
        self._close_pane()

    def on_line_input_accepted(self, event: LineInput.Accepted) -> None:
        """A tag to add or put in, or the end of a search."""
        if event.input.id == "search":
            self._search_done()
            return
        asked, hand = self._asking, self._edited
        self._close_pane()
        tag = event.value.strip()
        if hand is None or not tag:
            return
        try:
            if asked == "add_tag":
                self._add(hand, tags.checked(tag))
            else:
                self._replace(hand, tag)
        except UserError as error:
            self.say(str(error), "error")

    def _add(self, hand: InHand, tag: str) -> None:
        if self.marks:
            self.edit_marked(lambda text: tags.add(text, tag), lambda of: f"added '{tag}' to {of}", f"add {tag}")
        elif (text := tags.add(hand.text, tag)) == hand.text:
            self.say(f"'{tag}' is already there")
        else:
            self._change(hand, text, f"add {tag}")

    def _replace(self, hand: InHand, tag: str) -> None:
        if not self.marks:
            self._change(hand, replace_tag(hand.text, self.tag, tag), f"replace by {tag}")
            return
        assert hand.caption is not None
        old = hand.caption.tags[min(self.tag, len(hand.caption.tags) - 1)].text
        new = tags.checked(tag)
        self.edit_marked(
            lambda text: tags.replace(text, old, new),
            lambda of: f"replaced '{old}' by '{new}' in {of}",
            f"replace {old} by {new}",
        )

    def on_line_input_left(self, event: LineInput.Left) -> None:
        """Nothing asked, or no search any more."""
        if event.input.id == "search":
            self._end_search()
        else:
            self._close_pane()

    def _take_over(
        self, model: CaptionsModel, worker: Worker[None], left: dict[str, Any], places: dict[str, int]
    ) -> None:
        """Not under the hands of somebody who types."""
        if self.query_one(CaptionPane).busy:
            self._opening = None
            self.say("the folder was not read again, as you are typing", "warning")
        super()._take_over(model, worker, left, places)

    def _opened(self, left: dict[str, Any]) -> None:
        """Bring back a text that was being typed when the program ended."""
        super()._opened(left)
        draft = self._recalled.pop("draft", None)
        if self.hand is None or self.model is None or not isinstance(draft, str):
            return
        if self.model.library[self.hand.position].relative != left.get("image"):
            return
        if (hand := self._editable()) is not None and draft != hand.text:
            self._open_editor(hand, draft)
            self.say("this is what you were typing when sdtui closed; it is not saved yet")

    def _show_row(self, row: int) -> None:
        """Another image; not while its caption is typed, which a click into the list must not end."""
        if self._edited is not None and self.model is not None:
            home = self.model.row_of(self._edited.position)
            if home is not None and home != row:
                self.images.move_to(home)
                return
        super()._show_row(row)

    def _editable(self) -> InHand | None:
        """The caption in hand if it can be edited, as it is on disk now."""
        if self.hand is None or self.model is None or self._refuses_edits():
            return None
        if not self._pending and self.model.changed_on_disk(self.hand):
            # Noticed at the last moment: show the file as it is now instead of editing what it was.
            self._read_again("changed on disk: read again")
        if self.hand.caption is None:
            self.say(f"not editable here: {self.hand.problem}", "warning")
            return None
        return self.hand

    def _open_editor(self, hand: InHand, text: str) -> None:
        self._edited = hand
        self.query_one(CaptionPane).edit(text)

    def _ask(self, what: str, label: str) -> None:
        hand = self._editable()
        if hand is None or hand.caption is None or self.model is None:
            return
        found = hand.caption.tags
        if what == "replace_tag" and not found:
            return
        value = found[min(self.tag, len(found) - 1)].text if what == "replace_tag" else ""
        self._asking, self._edited = what, hand
        # Marked captions may lack what this one has.
        there = frozenset() if self.marks else frozenset(tag.text for tag in found)
        whose = f" in {self.marks} marked" if self.marks else ""
        self.query_one(CaptionPane).ask(f"{label}{whose}", value, self.model.ranks, there)
        self.update_chrome()

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
            at = model.positions_of([change.path for change in operation.changes]) if operation else []
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

    def _move_tag(self, step: int) -> None:
        if self.hand is not None and self.hand.caption is not None and (found := self.hand.caption.tags):
            self.tag = (self.tag + step) % len(found)
            self._show_hand()

    def _close_pane(self) -> None:
        self._asking, self._edited = "", None
        self.query_one(CaptionPane).close()
        self._show_length()
        self.images.focus()
        self.update_chrome()
        if self._conflicts:
            self._ask_which(*self._conflicts.pop(0))

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

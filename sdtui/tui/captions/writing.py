"""What goes from the captions screen to the disk and what comes back: edits of one caption, and whether they are saved.

A text that was typed and is not on the disk yet is a draft: kept while one types, when a write fails, and until the disk has
it. A caption that another program changed meanwhile is never replaced unasked.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from textual.binding import BindingType
from textual.content import Content
from textual.timer import Timer

from sdtui.dataset.edit import ConflictError
from sdtui.dataset.merge import merge
from sdtui.errors import SdtuiError
from sdtui.tui import keys
from sdtui.tui.captions.conflicts import ask_one
from sdtui.tui.captions.drafts import Draft, Drafts
from sdtui.tui.captions.hand import InHand
from sdtui.tui.captions.marks import CaptionsMarks
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.task import Task
from sdtui.tui.captions.words import DONE, Note, saving_words
from sdtui.tui.widgets.caption_pane import CaptionPane

# The label of an edit whose text was typed whole.
TYPED = "edit"
# What is typed is kept this often, in seconds.
DRAFT_SECONDS = 0.5


class Unsaved(NamedTuple):
    """A text that met a change by another program: the caption as it is now, what my typing began with, my text."""

    fresh: InHand
    base: str
    text: str
    label: str


class CaptionsWriting(CaptionsMarks):
    """Writes a caption in the background, and says on the screen what became of it."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        self.read_only = ""
        self.drafts: Drafts | None = None
        self._edited: InHand | None = None
        self._conflicts: dict[int, Unsaved] = {}
        self._under_way: Task | None = None
        self._trouble = ""
        self._has_saved = False
        self._draft_timer: Timer | None = None

    # -- what is saved ------------------------------------------------------------------------------------------------

    def facts(self) -> Content:
        """First whether everything is saved, then as much of the rest as there is room for."""
        state, parts = self._save_state(), self.fact_parts()
        if state.cell_length > self._header_room:
            return state.truncate(max(1, self._header_room - 1)) + Content(self.sdtui.glyphs.ellipsis)
        first = [state] if state.plain else []
        dot = Content.styled(f" {self.sdtui.glyphs.dot} ", "$faint")
        while parts and dot.join([*first, *parts]).cell_length > self._header_room:
            parts.pop(0)
        return dot.join([*first, *parts])

    @property
    def _header_room(self) -> int:
        """Cells for it in the header: program, screen and a few letters of the place stand before it, the run behind it."""
        return self.size.width - 28 - self.sdtui.running_line().cell_length

    def _save_state(self) -> Content:
        typed = self.query_one(CaptionPane).typed
        edited = typed is not None and self._edited is not None and typed != self._edited.text
        return saving_words(
            read_only=bool(self.read_only),
            task=self._task_words(),
            edited=edited,
            pending=bool(self._pending),
            trouble=self._trouble,
            saved=self._has_saved,
            marks=self.sdtui.glyphs,
        )

    def _task_words(self) -> str:
        task = self._under_way
        if task is None:
            return ""
        return f"{task.words}, {self.sdtui.keys.press('everywhere.close')} stops it" if task.may_stop else task.words

    def _refuses_edits(self) -> bool:
        """Whether nothing may be changed now; says why."""
        if self.read_only:
            self.say(f"read-only: {self.read_only}", "warning")
        elif self._under_way is not None:
            self.say(f"{self._under_way.label}: {self._under_way.words}; try again in a moment", "warning")
        return bool(self.read_only or self._under_way)

    # -- drafts -------------------------------------------------------------------------------------------------------

    def remember(self) -> dict[str, Any]:
        """Also, at once, what is being typed: the terminal may go away in the middle of it."""
        self._note_draft()
        if self.drafts is not None:
            self.drafts.save()
        return super().remember()

    def note_typing(self) -> None:
        """Something was typed: the header says so, and soon it is kept."""
        self.update_chrome()
        if self._draft_timer is None:
            self._draft_timer = self.set_timer(DRAFT_SECONDS, self._keep_typed)

    def _keep_typed(self) -> None:
        self._draft_timer = None
        self._note_draft()
        self._save_drafts()

    def _note_draft(self) -> None:
        """The text in the editor is the draft of its image; the text that is saved is none."""
        typed = self.query_one(CaptionPane).typed
        if typed is not None and self._edited is not None:
            changed = typed != self._edited.text
            self._keep(self._edited.position, Draft(typed, self._edited.text) if changed else None)

    def _keep(self, position: int, draft: Draft | None) -> None:
        if self.model is not None and self.drafts is not None:
            self.drafts.put(self.model.library[position].relative, draft)

    def _draft_of(self, position: int) -> Draft | None:
        if self.model is None or self.drafts is None:
            return None
        return self.drafts.get(self.model.library[position].relative)

    def _save_drafts(self) -> None:
        if self.drafts is not None:
            self.run_worker(self.drafts.save, thread=True, group="drafts", exit_on_error=False)

    def on_unmount(self) -> None:
        """The drafts are the next sdtui's."""
        self._let_drafts_go()

    def _let_drafts_go(self) -> None:
        if self.drafts is not None:
            self.drafts.close()
            self.drafts = None

    def forget_draft(self, position: int) -> None:
        """The user gave the text up, or the disk has it."""
        if self._draft_of(position) is not None:
            self._keep(position, None)
            self._save_drafts()
        if not self.drafts:
            self._trouble = ""

    def _opened(self, left: dict[str, Any]) -> None:
        """Bring back a text that was being typed, or could not be saved, when the program ended."""
        super()._opened(left)
        model = self.model
        if model is None:
            return
        self._conflicts.clear()
        self._trouble, self._has_saved = "", False
        self._let_drafts_go()
        self.drafts = Drafts(model.folder)
        if self.hand is None or self.read_only or not len(self.drafts):
            return
        here = model.library[self.hand.position].relative
        first = here if self.drafts.get(here) is not None else next(iter(self.drafts))
        position = model.library.position(first)
        if position is not None and self._go_to(position):
            self._take_up_draft(self.hand, "this is what you were typing when sdtui closed; it is not saved yet")

    def _show_row(self, row: int) -> None:
        """Another image; where a text of it is not saved yet, that is said."""
        super()._show_row(row)
        if self.hand is not None and self._edited is None and self._draft_of(self.hand.position) is not None:
            self._note = Note(f"a text is not saved yet: {self._key('edit')} goes on with it", "$warning")
            self._show_hand()

    def _take_up_draft(self, hand: InHand, words: str) -> None:
        """Go on with the draft of the caption in hand; if another program changed that since, ask which stays."""
        draft = self._draft_of(hand.position)
        if draft is None or hand.caption is None:
            return
        if draft.text == hand.text:
            self.forget_draft(hand.position)
        elif draft.base != hand.text:
            self._conflicts[hand.position] = Unsaved(hand, draft.base, draft.text, TYPED)
            self._ask_next()
        else:
            self._open_editor(hand, draft.text)
            self.say(words)

    # -- one caption --------------------------------------------------------------------------------------------------

    def _open_editor(self, hand: InHand, text: str) -> None:
        # What was said of the caption before is over with the first key.
        self._edited, self._note = hand, Note()
        self._show_hand()
        self.query_one(CaptionPane).edit(text, self.model.offers_in_text if self.model is not None else None)
        self.update_chrome()

    def _change(self, before: InHand, text: str, label: str) -> None:
        """Take the new text in, show it, write it in the background."""
        model = self.model
        if model is None:
            return
        if before.caption is None:
            # Another program may have made the file one that is no text: it is not ours to replace.
            if (draft := self._draft_of(before.position)) is None or draft.text != text:
                self._keep(before.position, Draft(text, before.text))
                self._save_drafts()
            self.say(f"not written, but kept: {before.problem}", "error")
            return

        def done(after: InHand, error: Exception | None) -> None:
            # Without waiting for the screen: while it closes, it waits for this thread.
            self.call_later(self._written, model, Unsaved(after, before.text, text, label), error)

        try:
            after = model.edit(before, text, f"{label} ({model.library.name(before.position)})", done)
        except SdtuiError as error:
            self.say(str(error), "error")
            return
        if after is before:
            self.forget_draft(before.position)
            return
        self._pending += 1
        if self.hand is not None and self.hand.position == after.position:
            self.hand, self._note = after, Note()
        self._redraw_image(after.position)

    def _written(self, model: CaptionsModel, what: Unsaved, error: Exception | None) -> None:
        """A caption is on the disk, or is not."""
        self._pending -= 1
        position = what.fresh.position
        if model is not self.model:
            if error is not None:
                _keep_elsewhere(model, what)
                self.sdtui.report(error)
            return
        if error is None:
            self._trouble, self._has_saved = "", True
            if (draft := self._draft_of(position)) is not None and draft.text == what.text:
                self.forget_draft(position)
            if self.hand is not None and self.hand.position == position:
                if not self._pending:
                    self.hand.seen = model.library.stat_of(position)
                self._note = Note("saved", DONE)
                self._show_hand()
        else:
            self._not_written(model, what, error)
        self.update_chrome()
        if not self._pending:
            self._ask_next()

    def _not_written(self, model: CaptionsModel, what: Unsaved, error: Exception) -> None:
        """Show the file as it is, and keep the text: as a draft, or as one of two that a question will be about."""
        fresh = model.read_again(what.fresh, self._index_knows)
        if self.hand is not None and self.hand.position == fresh.position:
            self.hand, self._note = fresh, Note()
        self._redraw_image(fresh.position)
        if isinstance(error, ConflictError):
            # Several edits in a row of the same caption are one question.
            earlier = self._conflicts.get(fresh.position)
            self._conflicts[fresh.position] = what._replace(fresh=fresh, base=earlier.base if earlier else what.base)
            return
        first = not self._trouble
        self._trouble = error.message if isinstance(error, SdtuiError) else str(error)
        self._keep(fresh.position, Draft(what.text, fresh.text))
        self._save_drafts()
        if first:
            name = model.library.name(fresh.position)
            self.say(f"{error}\nthe text of {name} is kept: saving it in the editor tries again", "error")

    def _ask_next(self) -> None:
        """Once nothing is being written, typed or asked: the next caption that was changed meanwhile, or a text not saved."""
        if self.model is None or self._pending or self.query_one(CaptionPane).busy or not self.is_current:
            return
        if self._conflicts:
            self._ask_which(self.model, *self._conflicts.popitem())
        elif self._trouble and self.hand is not None and (draft := self._draft_of(self.hand.position)) is not None:
            self._open_editor(self.hand, draft.text)

    def _ask_which(self, model: CaptionsModel, position: int, what: Unsaved) -> None:
        """Show both texts and ask which stays; without an answer, mine goes back into the editor."""
        merged = merge(what.base, what.text, what.fresh.text)

        def answer(choice: str | None) -> None:
            if model is not self.model:
                return
            now = model.take(position)
            if choice in {"mine", "merge"}:
                text = what.text if choice == "mine" else merge(what.base, what.text, now.text).text
                self._change(now, text, what.label)
            elif choice == "theirs":
                self.forget_draft(position)
            else:
                self._type_again(now, what.text)
            self.call_after_refresh(self._ask_next)

        name = model.library.caption_path(position).name
        ascii_only = self.sdtui.settings.ascii
        self.app.push_screen(
            ask_one(name, what.text, what.fresh.text, merged, self.sdtui.glyphs, ascii_only=ascii_only), answer
        )

    def _type_again(self, hand: InHand, text: str) -> None:
        """A text that was not written goes back into the editor, over the caption as it is now."""
        if not self._go_to(hand.position):
            self._end_search()
            self._go_to(hand.position)
        self.hand = hand
        self._open_editor(hand, text)
        self._keep_typed()

    # -- what is shown ------------------------------------------------------------------------------------------------

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

    def _read_again(self, note: Note) -> None:
        """Read the caption in hand from disk again and say why."""
        if self.model is not None and self.hand is not None:
            self.hand, self._note = self.model.read_again(self.hand, self._index_knows), note
            self._redraw_image(self.hand.position)

    def _index_knows(self) -> None:
        """In another thread: counted anew, the tags are those of the files."""
        self.call_later(self._recount)

    def _look_at_disk(self) -> None:
        """Notice that another program wrote the caption on the screen; nothing is drawn unless it did."""
        if self.model is None or self.hand is None or self._pending or not self.is_current:
            return
        if not self.query_one(CaptionPane).busy and self.model.changed_on_disk(self.hand):
            self._read_again(Note("changed on disk: read again", "$accent"))


def _keep_elsewhere(model: CaptionsModel, what: Unsaved) -> None:
    """A text that could not be written, of a dataset that is not open any more."""
    drafts = Drafts(model.folder)
    drafts.put(model.library[what.fresh.position].relative, Draft(what.text, what.base))
    drafts.close()

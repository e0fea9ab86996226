"""The keys that edit captions: the whole text in place, tag by tag, copied tags, $EDITOR; marked images all at once."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.worker import Worker

from sdtui.dataset import tag_order, tags
from sdtui.dataset.caption import tag_words
from sdtui.errors import SdtuiError, UserError
from sdtui.tui import keys
from sdtui.tui.captions.bulk import CaptionsBulk
from sdtui.tui.captions.hand import InHand
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.text import drop_tag, move_tag, replace_tag
from sdtui.tui.captions.words import DONE, Note
from sdtui.tui.captions.writing import TYPED
from sdtui.tui.editor import edit_file
from sdtui.tui.numbers import count, grouped
from sdtui.tui.widgets.caption_editor import CaptionEditor
from sdtui.tui.widgets.caption_pane import CaptionPane
from sdtui.tui.widgets.line_input import LineInput

# More places than any tag has to go.
_ALL_THE_WAY = 1_000_000


class CaptionsEditing(CaptionsBulk):
    """Edits the caption in hand, or all marked ones."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        self._asking = ""
        self._copied = ""

    def go_back(self) -> bool:
        """Close the editor, the question or the search, if one is open."""
        if self.query_one(CaptionPane).busy:
            self._leave_editor()
            return True
        return super().go_back()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click into the list while typing: the typing goes on."""
        super().on_descendant_focus(event)
        pane = self.query_one(CaptionPane)
        if pane.busy and self.images.has_focus:
            pane.refocus()

    # -- the whole text -----------------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """Edit the caption in place; a text that could not be saved is gone on with."""
        if (hand := self._editable()) is not None:
            draft = self._draft_of(hand.position)
            self._open_editor(hand, draft.text if draft is not None else hand.text)

    def action_editor(self) -> None:
        """Edit the caption file in $EDITOR."""
        if self.model is None or self.hand is None or self._refuses_edits():
            return
        if not self.model.flush():
            self.say("the last edit is still being written; try again in a moment", "warning")
            return
        try:
            edit_file(self.app, self.model.library.caption_path(self.hand.position))
        except SdtuiError as error:
            self.say(str(error), "error")
        self._read_again(Note("read again after the editor"))

    def on_text_area_changed(self) -> None:
        """The length of the caption as it is typed, and that it is not saved."""
        self._show_length()
        self.note_typing()

    def on_caption_editor_saved(self, event: CaptionEditor.Saved) -> None:
        """Save, unless the file was changed under the editor."""
        edited = self._edited
        if edited is not None:
            self._note_draft()
        self._close_pane()
        if edited is not None:
            self._change(edited, event.text, TYPED)

    def on_caption_editor_cancelled(self) -> None:
        """Nothing happened."""
        self._leave_editor()

    # -- tag by tag ---------------------------------------------------------------------------------------------------

    def action_next_tag(self) -> None:
        """Move the tag cursor on, round the end."""
        self._move_cursor(1)

    def action_previous_tag(self) -> None:
        """Move the tag cursor back, round the beginning."""
        self._move_cursor(-1)

    def action_add_tag(self) -> None:
        """Ask for a tag to add."""
        self._ask("add_tag", "add tag")

    def action_replace_tag(self) -> None:
        """Ask what to put in the tag's place."""
        self._ask("replace_tag", "replace with")

    def action_drop_tag(self) -> None:
        """Drop the tag under the tag cursor, from every marked image if any is marked."""
        if (under := self._under_cursor()) is None:
            return
        hand, at, tag = under
        if self.marks:
            self.edit_marked(
                lambda text: tags.remove(text, tag), lambda of: f"dropped '{tag}' from {of}", f"drop {tag}"
            )
        else:
            self._change(hand, drop_tag(hand.text, at), f"drop {tag}")

    def action_fix(self) -> None:
        """Put in the tag's place what the colours say may be meant."""
        if not (tag := self.instead):
            self.say("the colours say of no other tag here")
        elif (under := self._under_cursor()) is not None:
            self._replace(under[0], tag)

    def action_move_later(self) -> None:
        """The tag changes places with the next one."""
        self._shift(1)

    def action_move_earlier(self) -> None:
        """The tag changes places with the one before."""
        self._shift(-1)

    def action_to_front(self) -> None:
        """The tag goes to the front, in every marked image if any is marked."""
        if not self.marks:
            self._shift(-_ALL_THE_WAY)
        elif (under := self._under_cursor()) is not None:
            tag = under[2]
            self.edit_marked(
                lambda text: tag_order.to_front(text, [tag.__eq__]),
                lambda of: f"'{tag}' is in front in {of}",
                f"{tag} to the front",
            )

    def _shift(self, by: int) -> None:
        if (under := self._under_cursor()) is not None:
            hand, at, tag = under
            text, self.tag = move_tag(hand.text, at, by)
            self._change(hand, text, f"move {tag}")

    def _under_cursor(self) -> tuple[InHand, int, str] | None:
        """The caption in hand, which of its tags the cursor is on, and that tag."""
        hand = self._editable()
        if hand is None or not (found := hand.tags):
            return None
        at = min(self.tag, len(found) - 1)
        return hand, at, found[at].text

    def _move_cursor(self, step: int) -> None:
        if self.hand is not None and (found := self.hand.tags):
            self.tag = (self.tag + step) % len(found)
            self._show_hand()

    # -- copied tags --------------------------------------------------------------------------------------------------

    def action_copy_tags(self) -> None:
        """Keep this caption's tags, to paste them into others."""
        if self.hand is None or self.hand.caption is None:
            return
        self._copied = self.hand.text
        self._note = Note(f"copied {count(len(tag_words(self._copied)), 'tag')}", DONE)
        self._show_hand()

    def action_paste_tags(self) -> None:
        """Add the copied tags that are missing, in every marked image if any is marked."""
        words = tag_words(self._copied)
        if not words:
            self.say(f"no tags copied yet: {self._key('copy_tags')} copies those of the caption in hand")
        elif self.marks:
            label = f"paste {count(len(words), 'tag')}"
            self.edit_marked(lambda text: _with_all(text, words), lambda of: f"pasted into {of}", label)
        elif (hand := self._editable()) is not None:
            if (text := _with_all(hand.text, words)) == hand.text:
                self.say("all copied tags are there already")
            self._change(hand, text, f"paste {count(len(words), 'tag')}")

    def action_paste_over(self) -> None:
        """Put the copied caption in place of this one, in every marked image if any is marked."""
        copied = self._copied
        if not copied.strip():
            self.say(f"no tags copied yet: {self._key('copy_tags')} copies those of the caption in hand")
        elif self.marks:
            self.edit_marked(lambda _text: copied, lambda of: f"replaced {of}", "paste over")
        elif (hand := self._editable()) is not None:
            self._change(hand, copied, "paste over")

    # -- asking -------------------------------------------------------------------------------------------------------

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

    def on_line_input_left(self, event: LineInput.Left) -> None:
        """Nothing asked, or no search any more."""
        if event.input.id == "search":
            self._end_search()
        else:
            self._close_pane()

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
        old = hand.tags[min(self.tag, len(hand.tags) - 1)].text
        new = tags.checked(tag)
        self.edit_marked(
            lambda text: tags.replace(text, old, new),
            lambda of: f"replaced '{old}' by '{new}' in {of}",
            f"replace {old} by {new}",
        )

    def _ask(self, what: str, label: str) -> None:
        hand = self._editable()
        if hand is None or hand.caption is None or self.model is None:
            return
        found = hand.tags
        if what == "replace_tag" and not found:
            return
        value = found[min(self.tag, len(found) - 1)].text if what == "replace_tag" else ""
        self._asking, self._edited = what, hand
        # Marked captions may lack what this one has.
        there = frozenset() if self.marks else frozenset(tag.text for tag in found)
        whose = f" ({grouped(self.marks)} marked)" if self.marks else ""
        self.query_one(CaptionPane).ask(f"{label}{whose}", value, self.model.offers, there)
        self.update_chrome()

    def _leave_editor(self) -> None:
        """Close it; what was typed is given up."""
        edited = self._edited
        self._close_pane()
        if edited is not None:
            self.forget_draft(edited.position)

    def _close_pane(self) -> None:
        self._asking, self._edited = "", None
        self.query_one(CaptionPane).close()
        self._show_length()
        self.images.focus()
        self.update_chrome()
        self.call_after_refresh(self._ask_next)

    # -- what is in hand ----------------------------------------------------------------------------------------------

    def _take_over(
        self, model: CaptionsModel, worker: Worker[None], left: dict[str, Any], places: dict[str, int]
    ) -> None:
        """Not under the hands of somebody who types."""
        if self.query_one(CaptionPane).busy:
            self._opening = None
            self.say("the folder was not read again, as you are typing", "warning")
        super()._take_over(model, worker, left, places)

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
            self._read_again(Note("changed on disk: read again", "$accent"))
        if self.hand.caption is None:
            self.say(f"not editable here: {self.hand.problem}", "warning")
            return None
        return self.hand


def _with_all(text: str, words: list[str]) -> str:
    for word in words:
        text = tags.add(text, word)
    return text

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
from sdtui.errors import SdtuiError, UserError
from sdtui.tui import keys
from sdtui.tui.captions.hand import InHand
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.text import drop_tag, replace_tag
from sdtui.tui.captions.writing import TYPED, CaptionsWriting
from sdtui.tui.editor import edit_file
from sdtui.tui.numbers import grouped
from sdtui.tui.widgets.caption_editor import CaptionEditor
from sdtui.tui.widgets.caption_pane import CaptionPane
from sdtui.tui.widgets.line_input import LineInput

LOOK_SECONDS = 1.0
# What the screen's own keys do; while a caption or a tag is typed, none of it may happen behind the typist's back.
ACTIONS = frozenset(row.action for row in keys.TABLE if row.context == "captions")


class CaptionsScreen(CaptionsWriting):
    """The review screen of one dataset."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        self._asking = ""

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
        whose = f" ({grouped(self.marks)} marked)" if self.marks else ""
        self.query_one(CaptionPane).ask(f"{label}{whose}", value, self.model.ranks, there)
        self.update_chrome()

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

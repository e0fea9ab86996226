"""Tags as the way to images on the captions screen: the list of them taken into hand, images with one and without one."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from sdtui.dataset import tags
from sdtui.errors import UserError
from sdtui.tui import keys
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.querying import tag_term
from sdtui.tui.captions.search import CaptionsSearch
from sdtui.tui.captions.yes_no import YesNo
from sdtui.tui.numbers import count
from sdtui.tui.screens.dialogs import Ask
from sdtui.tui.widgets.tag_panel import TagPanel

# What the screen's own keys do.
ACTIONS = frozenset(row.action for row in keys.TABLE if row.context == "captions")


class CaptionsTags(CaptionsSearch):
    """Gives the keys to the list of tags, and narrows the images to those with a tag or without it."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]

    def __init__(self) -> None:
        super().__init__()
        # Whether the narrow window showed the images when the list was opened.
        self._unfolded_for_tags = False

    def contexts(self) -> list[str]:
        """While the list of tags has the keys, its own, without the screen's."""
        contexts = super().contexts()
        if not self._in_tags or contexts[0] in keys.TYPING:
            return contexts
        return ["tags", *(context for context in contexts if context not in {"tags", self.KEY_CONTEXT})]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the list of tags has the keys, nothing happens to the images behind it."""
        if action in ACTIONS and self._in_tags:
            return False
        return super().check_action(action, parameters)

    def action_tags(self) -> None:
        """Take the list of tags into hand."""
        if self.model is None:
            return
        self.remove_class("-folded")
        if self.has_class("-narrow") and not self.has_class("-unfolded"):
            self.add_class("-unfolded")
            self._unfolded_for_tags = True
        self.query_one(TagPanel).enter()

    def action_with_tag(self) -> None:
        """Only images with the tag under the tag cursor, or what was shown before."""
        if tag := self._tag_in_hand():
            self.narrow_to(tag_term(tag))

    def action_without_tag(self) -> None:
        """Only images without it, or what was shown before."""
        if tag := self._tag_in_hand():
            self.narrow_to(tag_term(tag, without=True))

    def action_yes_no(self) -> None:
        """Ask for a tag, then ask it of each image of the list."""
        if (model := self.model) is None or self.hand is None or self._refuses_edits():
            return
        title = f"Yes or no: which tag, of {count(len(model.view), 'image')}?"
        self.app.push_screen(Ask(title, self._tag_in_hand(), offering=model.offers), self._begin_yes_no)

    def _begin_yes_no(self, tag: str | None) -> None:
        model = self.model
        if model is None or not tag or not tag.strip() or not len(model.view):
            return
        try:
            checked = tags.checked(tag)
        except UserError as error:
            self.say(str(error), "error")
            return
        row = max(0, self.images.cursor)
        asking = YesNo(model, checked, model.view, row, ascii_only=self.sdtui.settings.ascii)
        self.app.push_screen(asking, self._yes_no_over)

    def _yes_no_over(self, position: int | None) -> None:
        """Back from the questions: what is on the screen, once the last answer is written."""
        model = self.model
        if model is None or position is None:
            return

        def settle() -> None:
            model.flush()
            self.app.call_from_thread(self._show_anew, model, position)

        self.run_worker(settle, thread=True, group="asked", exit_on_error=False)

    def _show_anew(self, model: CaptionsModel, position: int) -> None:
        """Captions were written behind this screen: show what is true now, at `position` if the list has it."""
        if model is self.model:
            self.hand = None
            self._list_rows(position)
            self._recount()

    def _refuses_edits(self) -> bool:
        """Whether nothing may be changed now, and says why; whoever writes captions knows."""
        raise NotImplementedError

    def on_tag_panel_chosen(self, event: TagPanel.Chosen) -> None:
        """Show the images with the tag, or without it, or ask it of each."""
        self._leave_tags()
        if event.deed == "yes_no":
            if not self._refuses_edits():
                self._begin_yes_no(event.tag)
            return
        self.narrow_to(tag_term(event.tag, without=event.deed == "without"))

    def on_tag_panel_left(self) -> None:
        """Back to the images."""
        self._leave_tags()

    def _leave_tags(self) -> None:
        self.query_one(TagPanel).leave()
        if self._unfolded_for_tags:
            self._unfolded_for_tags = False
            self.remove_class("-unfolded")
        self.images.focus()

    @property
    def _in_tags(self) -> bool:
        return self.query_one(TagPanel).has_focus_within

    def _tag_in_hand(self) -> str:
        """The tag under the tag cursor; empty without one."""
        found = self.hand.tags if self.hand is not None else ()
        return found[min(self.tag, len(found) - 1)].text if found else ""

"""A caption being edited in place: several lines, tags completed, no blinking cursor, enter saves and ctrl+j breaks the line."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.document._document import Document
from textual.events import Key
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget
from textual.widgets import TextArea

from sdtui.tui import keys
from sdtui.tui.keys import key_table_of
from sdtui.tui.literal import harmless
from sdtui.tui.widgets.completing import Completing


class CaptionEditor(TextArea, Completing):
    """A text area that posts `Saved` or `Cancelled`."""

    KEY_CONTEXT: ClassVar[str] = "editing"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("editing")]
    DEFAULT_CSS = """
    CaptionEditor { height: 1fr; border: none; padding: 0 1; background: $surface; color: $strong; }
    CaptionEditor:focus { border: none; }
    CaptionEditor .text-area--cursor-line { background: $surface; }
    """

    # In prose, words of one letter are no tags.
    least = 2

    class Saved(Message):
        """The text is to be saved."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Cancelled(Message):
        """The caption stays as it was."""

    def __init__(self, text: str) -> None:
        super().__init__(text, soft_wrap=True, show_line_numbers=False, compact=True, highlight_cursor_line=False)
        self.start_completing(text)
        self.cursor_blink = False
        self.move_cursor(self.document.end)

    def begin(self, text: str) -> None:
        """Begin anew with `text`."""
        self.load_text(text)
        self.move_cursor(self.document.end)
        self.close_offers()

    def on_text_area_changed(self) -> None:
        """Offer tags."""
        self.offer()

    def on_text_area_selection_changed(self) -> None:
        """The cursor went elsewhere."""
        self.follow_cursor()

    def on_blur(self) -> None:
        """Nothing is offered to nobody."""
        self.close_offers()

    def get_line(self, line_index: int) -> Text:
        """A line as it is drawn: a caption may hold what a terminal would obey."""
        # Tabs are the widget's own to expand.
        words = "\t".join(map(harmless, self.document.get_line(line_index).split("\t")))
        return Text(words, end="", no_wrap=True)

    async def _on_key(self, event: Key) -> None:
        """Enter is the table's where the table gives it a meaning, else a line break; everything else types."""
        if event.key == "enter" and (action := self._table_action("enter")):
            event.stop()
            event.prevent_default()
            await self.run_action(action)
            return
        await super()._on_key(event)

    def _table_action(self, key: str) -> str:
        """What the user's table of keys does with `key` while a caption is edited; empty: nothing."""
        rows = key_table_of(self).rows(self.KEY_CONTEXT)
        return next((row.action for row in rows if key in row.keys.split(",")), "")

    def action_save(self) -> None:
        """Hand the text over."""
        self.post_message(self.Saved(self.text))

    def action_newline(self) -> None:
        """Break the line."""
        self.insert("\n")

    def action_cancel(self) -> None:
        """Close what is offered, or else leave."""
        if self.offers_any:
            self.close_offers()
        else:
            self.post_message(self.Cancelled())

    def action_complete(self) -> None:
        """Take over the tag that is chosen, or else the first."""
        self.complete()

    def action_next_offer(self) -> None:
        """Put the next offer into the text; where nothing is offered, the cursor goes down."""
        if self.offers_any:
            self.choose(1)
        else:
            self.action_cursor_down()

    def action_previous_offer(self) -> None:
        """Put the one before into it, or go up."""
        if self.offers_any:
            self.choose(-1)
        else:
            self.action_cursor_up()

    @property
    def _lines(self) -> Document:
        assert isinstance(self.document, Document)
        return self.document

    def _held(self) -> tuple[str, int]:
        return self.text, self._lines.get_index_from_location(self.cursor_location)

    def _put(self, text: str, cursor: int) -> None:
        # Not by loading it, which would forget what can be undone.
        self.replace(text, (0, 0), self.document.end)
        self.move_cursor(self._lines.get_location_from_index(cursor))

    def _place(self, start: int) -> tuple[Region, int]:
        around = self.parent.region if isinstance(self.parent, Widget) else self.region
        return around, self.cursor_screen_offset.x - (self._typed[1] - start)

"""The captions screen as one looks at it: images at the left, picture, tag counts, and the caption below.

The list shows names only and reads nothing; the caption under the cursor is read when the cursor comes to it, the picture a
moment later. Everything about the whole dataset (untagged, tag counts, search) arrives from threads.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.worker import get_current_worker

from sdtui.dataset.caption import label
from sdtui.tui import keys
from sdtui.tui.captions.hand import InHand
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.states import BROKEN, UNTAGGED
from sdtui.tui.captions.tag_ranks import TagRanks
from sdtui.tui.captions.words import Note, facts_words, row_line
from sdtui.tui.literal import clean, home_path
from sdtui.tui.numbers import count, grouped
from sdtui.tui.screens.base import SdtuiScreen
from sdtui.tui.widgets.caption_pane import CaptionPane
from sdtui.tui.widgets.linelist import LineList
from sdtui.tui.widgets.picture import PicturePanel
from sdtui.tui.widgets.query_input import QueryInput, QueryNote
from sdtui.tui.widgets.score_panel import ScorePanel
from sdtui.tui.widgets.search_line import SearchLine
from sdtui.tui.widgets.tag_panel import TagPanel

# A picture costs more bytes than the rest of the screen; holding a key down must not draw one per image.
PICTURE_DELAY = 0.06


class CaptionsView(SdtuiScreen):
    """Shows a dataset's images; `CaptionsOpening` opens one, and what changes something is in the classes after it."""

    NAME = "captions"
    KEY_CONTEXT = "captions"
    SIDE = "tags"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("captions")]
    DEFAULT_CSS = """
    CaptionsView {
        & #columns { height: 1fr; }
        & #images { width: 40; }
        & PicturePanel { width: 1fr; border-left: solid $faint; padding: 0 1; }
        & TagPanel { width: 38; border-left: solid $faint; }
        &.-narrow #images { width: 34; }
        &.-narrow CaptionPane { height: 7; }
        &.-narrow.-unfolded TagPanel { width: 1fr; border-left: none; }
        &.-narrow.-unfolded PicturePanel { display: none; }
        &.-wide #images { width: 60; }
        &.-wide TagPanel { width: 54; }
        &.-wide CaptionPane { height: 12; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.model: CaptionsModel | None = None
        self.hand: InHand | None = None
        self.tag = 0
        self._note = Note()
        self._image_facts = ""
        self._facts_of = -1
        self._pending = 0
        self._opening: Path | None = None
        # Whether it is known that there is no dataset to open.
        self._empty = False
        # How many captions the thread has read that reads them all; None when none does.
        self._read: int | None = None
        self._recalled: dict[str, Any] = {}
        self._picture_timer: Timer | None = None

    # -- layout -----------------------------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        """Search line; images, picture, tags; caption."""
        yield SearchLine(QueryInput())
        yield QueryNote()
        with Horizontal(id="columns"):
            yield LineList(id="images", classes="main")
            yield PicturePanel(ascii_only=self.sdtui.settings.ascii)
            yield TagPanel(classes="side")
            yield ScorePanel()
        yield CaptionPane()

    def place(self) -> str:
        """The dataset's folder."""
        folder = self.model.folder if self.model else self._opening
        return home_path(str(folder), str(Path.home())) if folder else "no dataset open"

    def fact_parts(self) -> list[Content]:
        """The captions' ending, how many images, how many lack a caption, have one that cannot be read, are marked.

        What can be done without stands first. Nothing is said of captions before all are read: their figures would grow under the user's eyes.
        """
        if self.model is None:
            return []
        known, marked = self.model.known, len(self.model.marked)
        untagged, unreadable = known.count(UNTAGGED), known.count(BROKEN)
        if self._read is not None:
            return [Content.styled(f"reading {grouped(self._read)} of {grouped(len(self.model.library))}", "$accent")]
        endings = [label(naming) for naming in self.model.library.namings]
        parts = [Content.styled(" + ".join(endings), "$warning" if endings[1:] else "$soft")] if endings else []
        parts.append(Content.styled(count(len(self.model.library), "image"), "$soft"))
        if known.ready:
            parts.append(Content.styled(f"{grouped(untagged)} untagged", "$warning" if untagged else "$soft"))
            parts += [Content.styled(f"{grouped(unreadable)} unreadable", "$error")] if unreadable else []
        else:
            parts.append(Content.styled("captions not read yet", "$soft"))
        parts += [Content.styled(f"{grouped(marked)} marked", "$accent")] if marked else []
        return parts

    def copyable(self) -> str:
        """The image's path."""
        return str(self.model.library[self.hand.position].path) if self.model and self.hand else ""

    # -- the list -----------------------------------------------------------------------------------------------------

    @property
    def images(self) -> LineList:
        """The list at the left."""
        return self.query_one("#images", LineList)

    def _list_rows(self, position: int | None = None) -> None:
        """Show the view, with the cursor on the image at `position`, or the next one that is in it."""
        assert self.model is not None
        row = self.model.row_near(position) if position is not None else 0
        self.images.set_rows(len(self.model.view), self._row, cursor=row)
        self._show_row(self.images.cursor)
        self.update_chrome()

    def _row(self, index: int, width: int) -> Content:
        assert self.model is not None
        return row_line(self.model, self.model.view[index], width, self.sdtui.glyphs, self.sdtui.settings.ascii)

    def _nothing(self, message: str, style: str = "$soft") -> None:
        """Say why there is nothing to see."""
        self.images.set_rows(0, lambda _index, _width: Content(""))
        self.query_one(PicturePanel).show(None)
        self.query_one(TagPanel).show(TagRanks(Counter()), "tags")
        pane = self.query_one(CaptionPane)
        pane.show_facts("", (), Content(""))
        pane.show_legend(Content(""))
        pane.view.show_message(message, style)
        self.hand = None
        self.update_chrome()

    async def on_resize(self, event: events.Resize) -> None:
        """What is laid out for the window's width is drawn again."""
        await super().on_resize(event)
        self.call_after_refresh(self._show_hand)

    def on_mount(self) -> None:
        """From now on the caption follows the cursor, in the same frame."""
        self.images.follow = self._show_row

    def _show_row(self, row: int) -> None:
        if self.model is None or not 0 <= row < len(self.model.view):
            self._nothing("nothing here matches the search" if self.model is not None else "")
            return
        position = self.model.view[row]
        if self.hand is None or self.hand.position != position:
            self.hand, self._note = self.model.take(position), Note()
            self.tag = self._place_of_asked(self.hand)
        self._show_hand()
        if self._picture_timer is not None:
            self._picture_timer.stop()
        self._picture_timer = self.set_timer(PICTURE_DELAY, self._show_picture)

    def _place_of_asked(self, hand: InHand) -> int:
        """Which tag the tag cursor begins on."""
        raise NotImplementedError

    def _show_picture(self) -> None:
        if self.model is not None and self.hand is not None:
            self.query_one(PicturePanel).show(self.model.library[self.hand.position].path)
            self._read_facts(self.hand.position)

    def _show_hand(self) -> None:
        """The caption and the line of facts above it."""
        if self.model is None or self.hand is None:
            return
        pane = self.query_one(CaptionPane)
        hand, ascii_only = self.hand, self.sdtui.settings.ascii
        entry = self.model.library[hand.position]
        tags = hand.tags
        self.tag = min(self.tag, max(0, len(tags) - 1))
        if hand.caption is None or not hand.text.strip():
            pane.show_legend(Content(""))
        if hand.caption is None:
            pane.view.show_message(hand.problem, "$error")
        elif not hand.text.strip():
            pane.view.show_message(f"no caption yet: {self._key('edit')} writes one, {self._key('add_tag')} adds a tag")
        else:
            self._show_caption(hand.text)
        facts = self._image_facts if self._facts_of == hand.position else ""
        name = clean(entry.relative, ascii_only=ascii_only)
        pane.show_facts(name, facts_words(facts, self._note), Content(""))
        self._show_length()

    def _show_caption(self, text: str) -> None:
        """The caption in hand, in its colours."""
        raise NotImplementedError

    def _show_length(self) -> None:
        """How long the caption is, as it is shown or typed."""
        raise NotImplementedError

    def _read_facts(self, position: int) -> None:
        assert self.model is not None
        path = self.model.library[position].path

        def read() -> None:
            from sdtui.dataset.image import UnreadableImage, read_facts

            try:
                found = read_facts(path)
                words = f"{grouped(found.width)}{self.sdtui.glyphs.times}{grouped(found.height)}"
            except UnreadableImage as error:
                words = error.message
            self.app.call_from_thread(self._facts_read, position, words)

        self.run_worker(read, thread=True, group="facts", exclusive=True, exit_on_error=False)

    def _facts_read(self, position: int, words: str) -> None:
        self._facts_of, self._image_facts = position, words
        if self.hand is not None and self.hand.position == position:
            self._show_hand()

    def _count_tags(self, model: CaptionsModel) -> None:
        """In a thread: count the view's tags and show them."""
        view = model.view
        worker = get_current_worker()
        counted = model.count_slowly()

        def show() -> None:
            if not worker.is_cancelled and self.model is model and model.view is view:
                model.take_counts(counted)
                self._show_counts()

        self.app.call_from_thread(show)

    def _show_counts(self) -> None:
        if self.model is not None and self.model.ranks is not None:
            everything = isinstance(self.model.view, range)
            self.query_one(TagPanel).show(self.model.ranks, "tags" if everything else "tags in view")

    def _key(self, action: str) -> str:
        return self.sdtui.keys.press(f"captions.{action}")

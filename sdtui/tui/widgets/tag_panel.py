"""How often each tag stands in the captions in view: to be looked at, or walked through, filtered and chosen from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from sdtui.tui import keys
from sdtui.tui.captions.tag_ranks import ORDERS, Order, TagRanks
from sdtui.tui.glyphs import bar, glyphs_of
from sdtui.tui.literal import clean, fit
from sdtui.tui.numbers import grouped
from sdtui.tui.widgets.line_input import LineInput
from sdtui.tui.widgets.linelist import LineList

BAR_SHARE = 3  # a third of the width is the bar


class TagPanel(Vertical):
    """A heading and a list; the list takes the keys only between `enter` and `leave`, else they stay with the images."""

    KEY_CONTEXT: ClassVar[str] = "tags"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("tags")]
    DEFAULT_CSS = """
    TagPanel { padding: 0 1; }
    TagPanel > Static { height: 1; color: $soft; }
    TagPanel > LineInput { display: none; background: $surface; }
    TagPanel.-filtering > LineInput { display: block; }
    """

    class Chosen(Message):
        """A tag was chosen: `deed` is the action, `only`, `without` or `yes_no`."""

        def __init__(self, deed: str, tag: str) -> None:
            super().__init__()
            self.deed = deed
            self.tag = tag

    class Left(Message):
        """The user is done with the list."""

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._title = Static("tags", markup=False)
        self._line = LineInput(placeholder="filter")
        self._list = LineList(pointer=False)
        self._list.can_focus = False
        self._heading = "tags"
        self._ranks = TagRanks(Counter())
        self._order: Order = "count"
        # The tags in another order or filtered; None: as they are ranked.
        self._rows: Sequence[str] | None = None
        # The tag under the cursor, as counts change under it.
        self.tag: str | None = None

    def compose(self) -> ComposeResult:
        """Heading, the line to filter with, list."""
        yield self._title
        yield self._line
        yield self._list

    # -- what it shows ------------------------------------------------------------------------------------------------

    def show_message(self, message: str) -> None:
        """Say what is being waited for."""
        self._title.update(Content(message), layout=False)

    def show(self, ranks: TagRanks, heading: str) -> None:
        """Show these counts; the cursor stays on its tag."""
        self._ranks, self._heading = ranks, heading
        if self._rows is None:
            self._fill(None)
        else:
            self._arrange()

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """Another tag."""
        event.stop()
        self.tag = self._tag_at(event.index)

    def _tag_at(self, row: int) -> str | None:
        if self._rows is not None:
            return self._rows[row] if 0 <= row < len(self._rows) else None
        return self._ranks[row][0] if 0 <= row < len(self._ranks) else None

    def _arrange(self) -> None:
        """Put the tags in order and leave out those without what is typed; in a thread, as there may be many."""
        wanted, order, ranks = self._line.value.strip(), self._order, self._ranks
        if not wanted and order == "count":
            self._fill(None)
            return

        def work() -> None:
            worker = get_current_worker()
            rows = ranks.arranged(order, wanted)
            if not worker.is_cancelled:
                self.app.call_from_thread(self._fill, rows)

        self.run_worker(work, thread=True, group="tags", exclusive=True, exit_on_error=False)

    def _fill(self, rows: Sequence[str] | None) -> None:
        """Show the rows, with the cursor on its tag if that is among them."""
        self._rows, tag = rows, self.tag
        number = len(self._ranks) if rows is None else len(rows)
        at = 0
        if tag is not None:
            at = self._ranks.rank_of(tag) if rows is None else rows.index(tag) if tag in rows else 0
        self._list.set_rows(number, self._row, cursor=at)
        self.tag = self._tag_at(self._list.cursor)
        found = "" if number == len(self._ranks) else f"{grouped(number)} of "
        order = "" if self._order == "count" else f" by {self._order}"
        self.show_message(f"{self._heading}  {found}{grouped(len(self._ranks))}{order}")

    def _row(self, index: int, width: int) -> Content:
        tag = self._tag_at(index) or ""
        count = self._ranks.count(tag)
        marks = glyphs_of(self)
        bar_width = max(0, width // BAR_SHARE - 2)
        number = grouped(count)
        name_width = max(4, width - bar_width - 8)
        drawn = bar(count / max(1, self._ranks.most), bar_width, marks)
        shown = clean(tag, ascii_only=marks.rule == "-")
        if (wanted := Content(shown).cell_length) > name_width:
            # A name tells more than a bar.
            name_width = min(wanted, max(4, width - 8))
            drawn = drawn if len(drawn) <= width - name_width - 8 else ""
        name = fit(shown, name_width, marks.ellipsis)
        return Content.assemble((name, "$foreground"), (f"{number:>6} ", "$soft"), (drawn, "$accent"))

    # -- walking through it -------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Take the keys."""
        self._list.can_focus = True
        self._list.point(on=True)
        self._list.focus()

    def leave(self) -> None:
        """Give the keys back."""
        self._list.can_focus = False
        self._list.point(on=False)

    def action_only(self) -> None:
        """Choose the tag: only images with it."""
        self._choose("only")

    def action_without(self) -> None:
        """Choose the tag: only images without it."""
        self._choose("without")

    def action_yes_no(self) -> None:
        """Choose the tag: go through the images, with it or without it."""
        self._choose("yes_no")

    def action_sort(self) -> None:
        """The next order."""
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._arrange()

    def action_filter(self) -> None:
        """Type what the tags are to contain."""
        self.add_class("-filtering")
        self._line.focus()

    def action_leave(self) -> None:
        """All tags again; when they are, done."""
        if self.has_class("-filtering"):
            self._unfilter()
        else:
            self.post_message(self.Left())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        event.stop()
        self._arrange()

    def on_line_input_accepted(self, event: LineInput.Accepted) -> None:
        """Go to what was found."""
        event.stop()
        if not event.value.strip():
            self._unfilter()
        self._list.focus()

    def on_line_input_left(self, event: LineInput.Left) -> None:
        """All tags again."""
        event.stop()
        self._unfilter()

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """A second click."""
        event.stop()
        self._choose("only")

    def _unfilter(self) -> None:
        self.remove_class("-filtering")
        self._list.focus()
        self._line.value = ""

    def _choose(self, deed: str) -> None:
        if (tag := self.tag) is not None:
            self.post_message(self.Chosen(deed, tag))

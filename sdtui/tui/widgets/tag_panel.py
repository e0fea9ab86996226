"""How often each tag stands in the captions in view, most frequent first."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from sdtui.tui.captions.tag_ranks import TagRanks
from sdtui.tui.glyphs import bar, glyphs_of
from sdtui.tui.literal import clean, fit
from sdtui.tui.numbers import grouped
from sdtui.tui.widgets.linelist import LineList

BAR_SHARE = 3  # a third of the width is the bar


class TagPanel(Vertical):
    """A heading and a list; the list takes no focus, so that the keys stay with the images."""

    DEFAULT_CSS = """
    TagPanel { padding: 0 1; }
    TagPanel > Static { height: 1; color: $soft; }
    """

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._title = Static("tags", markup=False)
        self._list = LineList(pointer=False)
        self._list.can_focus = False
        self._tags: TagRanks | None = None

    def compose(self) -> ComposeResult:
        """Heading, list."""
        yield self._title
        yield self._list

    def show_message(self, message: str) -> None:
        """Say what is being waited for."""
        self._title.update(Content(message), layout=False)

    def show(self, ranks: TagRanks, heading: str) -> None:
        """Show these counts."""
        self._tags = ranks
        self._title.update(Content(f"{heading}  {grouped(len(ranks))}"), layout=False)
        self._list.set_rows(len(ranks), self._row, cursor=0)

    def _row(self, index: int, width: int) -> Content:
        assert self._tags is not None
        tag, count = self._tags[index]
        marks = glyphs_of(self)
        bar_width = max(0, width // BAR_SHARE - 2)
        number = grouped(count)
        name_width = max(4, width - bar_width - 8)
        drawn = bar(count / self._tags[0][1], bar_width, marks)
        name = fit(clean(tag, ascii_only=marks.rule == "-"), name_width, marks.ellipsis)
        return Content.assemble((name, "$foreground"), (f"{number:>6} ", "$soft"), (drawn, "$accent"))

"""A list of any length that draws only the rows on the screen: the Line API, with a small cache of drawn rows.

Give it a source with `set_rows(count, draw)`; `draw(index, width)` returns the row as `Content` (made of `literal`
pieces) for the cells right of the cursor's gutter. The list owns the cursor, scrolling and list keys, and posts `Moved` and `Chosen`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from sdtui.tui import keys
from sdtui.tui.glyphs import glyphs_of

DrawRow = Callable[[int, int], Content]
CACHED_ROWS = 600


class LineList(ScrollView, can_focus=True, inherit_bindings=False):
    """A virtual list of one-line rows.

    Attributes:
        cursor: index of the highlighted row, -1 in an empty list.
        count: number of rows.
    """

    KEY_CONTEXT: ClassVar[str] = "list"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("list")]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"linelist--row", "linelist--cursor", "linelist--cursor-blurred"}
    DEFAULT_CSS = """
    LineList {
        scrollbar-size: 1 1; overflow-x: hidden;
        .linelist--row { color: $foreground; }
        .linelist--cursor { background: $cursor-line; color: $strong; }
        .linelist--cursor-blurred { background: $cursor-line-blurred; }
    }
    """

    cursor: reactive[int] = reactive(-1, repaint=False)

    class Moved(Message):
        """The cursor came to rest on another row."""

        def __init__(self, sender: LineList, index: int) -> None:
            super().__init__()
            self.list = sender
            self.index = index

        @property
        def control(self) -> LineList:
            """The list it happened in."""
            return self.list

    class Chosen(Message):
        """The row under the cursor was clicked a second time (enter is the screen's own key)."""

        def __init__(self, sender: LineList, index: int) -> None:
            super().__init__()
            self.list = sender
            self.index = index

        @property
        def control(self) -> LineList:
            """The list it happened in."""
            return self.list

    def __init__(self, *, id: str | None = None, classes: str | None = None, pointer: bool = True) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        # A list that is only looked at has no cursor to point at.
        self._pointing = pointer
        self.count = 0
        # Called at once when the cursor moves, for what is to be painted together with it; `Moved` comes a frame later.
        self.follow: Callable[[int], None] | None = None
        self._draw: DrawRow = lambda _index, _width: Content("")
        self._selectable: Callable[[int], bool] = lambda _index: True
        self._pointer = ">"
        self._base_styles: dict[str, Style] = {}
        self._parsed_styles: dict[str, Style] = {}
        self._rich_styles: dict[Style, RichStyle] = {}
        self._strips: LRUCache[tuple[int, int, str], Strip] = LRUCache(CACHED_ROWS)

    def set_rows(
        self, count: int, draw: DrawRow, *, cursor: int | None = None, selectable: Callable[[int], bool] | None = None
    ) -> None:
        """Show `count` rows drawn by `draw`; the cursor stays where it is unless told, and never leaves the list.

        Args:
            count: number of rows.
            draw: the row at an index, for a width in cells; called only for rows that come into view.
            cursor: index to highlight.
            selectable: False for rows the cursor passes over (headings).
        """
        self.count, self._draw = count, draw
        self._selectable = selectable or (lambda _index: True)
        self._strips.clear()
        self.virtual_size = Size(0, count)
        wanted = self.cursor if cursor is None else cursor
        self.cursor = self._nearest(min(max(wanted, 0), count - 1), 1) if count else -1
        self._show_cursor()
        self.refresh()

    def redraw(self, index: int | None = None) -> None:
        """Draw one row again (or all): what its `draw` returns has changed."""
        if index is None:
            self._strips.clear()
            self.refresh()
            return
        for key in [key for key in self._strips.keys() if key[0] == index]:  # noqa: SIM118  LRUCache has no __iter__
            self._strips.discard(key)
        self._refresh_row(index)

    def move_to(self, index: int) -> None:
        """Put the cursor on `index` (clamped) and bring it into view."""
        if self.count:
            step = 1 if index >= self.cursor else -1
            self.cursor = self._nearest(min(max(index, 0), self.count - 1), step)
            self._show_cursor()

    def point(self, *, on: bool) -> None:
        """Show a cursor from now on, or none."""
        self._pointing = on
        self.redraw()
        self._show_cursor()

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor inside the list."""
        return min(max(cursor, -1 if not self.count else 0), self.count - 1)

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw only the two rows that changed, and tell the screen."""
        self._refresh_row(old)
        self._refresh_row(new)
        if new >= 0:
            if self.follow is not None:
                self.follow(new)
            self.post_message(self.Moved(self, new))

    def on_mount(self) -> None:
        """The cursor's sign, as the app draws it."""
        self._pointer = glyphs_of(self).cursor

    def render_line(self, y: int) -> Strip:
        """One row of the visible part."""
        index = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if not 0 <= index < self.count:
            return Strip.blank(width, self.visual_style.rich_style)
        kind = self._kind(index)
        key = (index, width, kind)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._drawn(index, width, kind)
        return strip

    def _drawn(self, index: int, width: int, kind: str) -> Strip:
        """Draw a row. Not through `Visual`, whose wrapping and options make a page of rows three times as slow."""
        base = self._base_styles.get(kind)
        if base is None:
            base = self._base_styles[kind] = self.get_visual_style("linelist--row", kind)
        gutter = "" if not self._pointing else f"{self._pointer} " if index == self.cursor else "  "
        content = Content.styled(gutter, "$accent") + self._draw(index, max(0, width - len(gutter)))
        pieces = content.render(base, end="", parse_style=self._parsed)
        strip = Strip([Segment(text, self._rich(style)) for text, style in pieces], content.cell_length)
        return strip.adjust_cell_length(width, self._rich(base))

    def _parsed(self, style: str | Style) -> Style:
        if isinstance(style, Style):
            return style
        found = self._parsed_styles.get(style)
        if found is None:
            found = self._parsed_styles[style] = Style.parse(style, self.app.theme_variables)
        return found

    def _rich(self, style: Style) -> RichStyle:
        found = self._rich_styles.get(style)
        if found is None:
            found = self._rich_styles[style] = style.rich_style
        return found

    def notify_style_update(self) -> None:
        """The theme or a class changed: every drawn row is stale."""
        for cache in (self._strips, self._base_styles, self._parsed_styles, self._rich_styles):
            cache.clear()
        super().notify_style_update()

    def action_down(self) -> None:
        """Next row."""
        self._move(1)

    def action_up(self) -> None:
        """Previous row."""
        self._move(-1)

    def action_page_down(self) -> None:
        """A page down."""
        self._move(max(1, self.size.height - 1))

    def action_page_up(self) -> None:
        """A page up."""
        self._move(-max(1, self.size.height - 1))

    def action_first(self) -> None:
        """First row."""
        self._move(-self.count)

    def action_last(self) -> None:
        """Last row."""
        self._move(self.count)

    def on_click(self, event: events.Click) -> None:
        """Move to the clicked row; a second click opens it."""
        index = self.scroll_offset.y + event.y
        if not 0 <= index < self.count or not self._selectable(index):
            return
        if index == self.cursor:
            self.post_message(self.Chosen(self, index))
        self.move_to(index)

    def on_resize(self) -> None:
        """Keep the cursor in view in a window of another height."""
        self._show_cursor()

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """A scroll bar that appears begins where the list stands: Textual moves only one that is shown already."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def on_focus(self) -> None:
        """The cursor line is brighter in the focused list."""
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        """And fainter in the others."""
        self._refresh_row(self.cursor)

    def _move(self, rows: int) -> None:
        """Move the cursor, or the rows themselves where there is none."""
        if self._pointing:
            self.move_to(self.cursor + rows)
        else:
            self.scroll_to(y=self.scroll_offset.y + rows, animate=False, force=True, immediate=True)

    def _kind(self, index: int) -> str:
        if index != self.cursor or not self._pointing:
            return "linelist--row"
        return "linelist--cursor" if self.has_focus else "linelist--cursor-blurred"

    def _nearest(self, index: int, step: int) -> int:
        """The first selectable row from `index` on in the direction of `step`, else in the other one, else `index`."""
        for direction in (step, -step):
            at = index
            while 0 <= at < self.count:
                if self._selectable(at):
                    return at
                at += direction
        return index

    def _show_cursor(self) -> None:
        height = self.scrollable_content_region.height
        if self.cursor < 0 or height <= 0 or not self._pointing:
            return
        top = self.scroll_offset.y
        # A heading just above the first selectable row is shown with it.
        first = self.cursor - 1 if self.cursor and not self._selectable(self.cursor - 1) else self.cursor
        if first < top:
            self.scroll_to(y=first, animate=False, force=True, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True, immediate=True)

    def _refresh_row(self, index: int) -> None:
        y = index - self.scroll_offset.y
        if index >= 0 and 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

"""The caption under the cursor, wrapped and scrolled; what its colours say is `captions.drawing`'s."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from sdtui.tui.literal import literal


class CaptionView(ScrollView, can_focus=False):
    """Shows one caption, wrapped; a long one scrolls with the mouse and follows the tag cursor.

    Drawn line by line: a widget that grows with its text would lay the whole screen out again for every image.
    """

    DEFAULT_CSS = """
    CaptionView { height: 1fr; padding: 0 1; scrollbar-size: 1 1; scrollbar-gutter: stable; overflow-x: hidden; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._content = Content("")
        # The tag cursor's first and last character in the content.
        self._cursor = (0, 0)
        self._lines: list[Content] = []
        self._of: tuple[object, ...] = ()

    @property
    def plain(self) -> str:
        """What it shows, as text."""
        return self._content.plain

    def shows(self, *of: object) -> bool:
        """Whether it was asked this last, with these very objects, and still shows what came of it; if not, it will."""
        same = len(of) == len(self._of) and all(one is other for one, other in zip(of, self._of, strict=True))
        self._of = of
        return same

    def show(self, content: Content, cursor: tuple[int, int]) -> None:
        """The caption; `cursor` are the first character of the tag under the tag cursor and the one behind it."""
        self._cursor = cursor[0], max(cursor[0], cursor[1] - 1)
        self._set(content)

    def show_message(self, message: str, style: str = "$soft") -> None:
        """Words in place of a caption: there is none, or it cannot be read."""
        self._cursor, self._of = (0, 0), ()
        self._set(literal(message, style))

    def on_resize(self) -> None:
        """Wrap for the new width."""
        self._wrap()

    def render_line(self, y: int) -> Strip:
        """One line of the wrapped text."""
        width, index = self.scrollable_content_region.width, self.scroll_offset.y + y
        style = self.visual_style
        if index >= len(self._lines):
            return Strip.blank(width, style.rich_style)
        strip = Visual.to_strips(self, self._lines[index], width, 1, style)[0]
        return strip.adjust_cell_length(width, style.rich_style)

    def _set(self, content: Content) -> None:
        if not content.is_same(self._content):
            self._content = content
            self._wrap()

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width
        if width < 1:
            return
        self._lines = self._content.wrap(width)
        # Of another size the whole screen would be laid out again, and drawn twice: only one that scrolls has one of its own.
        self.virtual_size = Size(0, max(len(self._lines), self.scrollable_content_region.height))
        self._follow_cursor(width)
        self.refresh()

    def _follow_cursor(self, width: int) -> None:
        """Scroll so that the lines of the tag cursor are seen, its first one if they are too many."""
        height, top = self.scrollable_content_region.height, self.scroll_offset.y
        if not top and len(self._lines) <= height:
            return
        first, last = (max(0, len(self._content[: at + 1].wrap(width)) - 1) for at in self._cursor)
        wanted = first if first < top else max(top, min(first, last - height + 1))
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, force=True, immediate=True)

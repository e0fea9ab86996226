"""The caption under the cursor: its words as they are in the file, the tag cursor, and tags that stand there twice."""

from __future__ import annotations

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sdtui.dataset.caption import Tag, parse_tags
from sdtui.tui.caption_text import repeated
from sdtui.tui.literal import clean, literal


class CaptionView(VerticalScroll, can_focus=False):
    """Shows one caption; long ones scroll with the mouse and to the tag cursor."""

    DEFAULT_CSS = """
    CaptionView { height: 1fr; padding: 0 1; scrollbar-size: 1 1; }
    CaptionView > Static { width: 100%; height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._text = Static(Content(""), markup=False)

    def compose(self):  # type: ignore[no-untyped-def]  # noqa: ANN201
        """One block of text."""
        yield self._text

    def show(self, text: str, tag: int, *, ascii_only: bool = False) -> None:
        """The caption with the tag cursor on number `tag` (-1: none)."""
        self._text.update(caption_content(text, tag, ascii_only=ascii_only))

    def show_message(self, message: str, style: str = "$soft") -> None:
        """Words in place of a caption: there is none, or it cannot be read."""
        self._text.update(literal(message, style))


def caption_content(text: str, cursor: int, *, ascii_only: bool = False) -> Content:
    """The caption as content: tag `cursor` underlined in the accent colour, repeated tags underlined in the warning's."""
    tags = parse_tags(text)
    again = repeated(tags)
    pieces: list[Content] = []
    end = 0
    for index, tag in enumerate(tags):
        pieces.append(literal_lines(text[end : tag.start], "$soft", ascii_only))
        pieces.append(literal_lines(tag.text, _style(index, cursor, again, tags), ascii_only))
        end = tag.end
    pieces.append(literal_lines(text[end:], "$soft", ascii_only))
    return Content("").join(pieces)


def literal_lines(text: str, style: str, ascii_only: bool) -> Content:
    """Literal text that keeps its line ends."""
    return Content.styled("\n".join(clean(line, ascii_only=ascii_only) for line in text.split("\n")), style)


def _style(index: int, cursor: int, again: set[int], tags: list[Tag]) -> str:
    if index == cursor and len(tags) > 1:
        return "bold underline $warning" if index in again else "bold underline $accent"
    return "italic underline $warning" if index in again else "$foreground"

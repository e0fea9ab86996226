"""The tag that a cursor is in, in a line of tags or a whole caption, and another one put in its place."""

from __future__ import annotations

from sdtui.dataset.caption import PIN

_BORDERS = (",", "\n", PIN)


def tag_at(text: str, cursor: int) -> tuple[int, int]:
    """First and last character of the tag that the cursor is in or behind, blanks around it left out."""
    start = max(text.rfind(border, 0, cursor) + len(border) if border in text[:cursor] else 0 for border in _BORDERS)
    ends = [at for border in _BORDERS if (at := text.find(border, cursor)) >= 0]
    end = min(ends, default=len(text))
    start += len(text[start:cursor]) - len(text[start:cursor].lstrip())
    return start, max(cursor, start + len(text[start:end].rstrip()))


def completed(text: str, cursor: int, tag: str) -> tuple[str, int]:
    """The text with `tag` in the place of the one at the cursor, and the cursor behind it."""
    start, end = tag_at(text, cursor)
    return text[:start] + tag + text[end:], start + len(tag)

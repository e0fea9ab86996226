"""Kinds of tags on the screen: a letter and a colour for each, as the sites colour them."""

from __future__ import annotations

from textual.content import Content

from sdtui.tui.captions.schemes import SIGNS


def badge(letter: str, style: str) -> Content:
    """A letter in a cell of its own, reversed so that it is no part of a text beside it; seen without colours as well."""
    return Content.styled(letter, badge_style(style))


def badge_style(style: str) -> str:
    """How a badge of this colour is drawn."""
    return f"bold reverse {style}"


def category_badge(category: str) -> Content:
    """The letter of a kind of tag; a blank for general tags and unknown ones."""
    letter, style = SIGNS.get(category, (" ", ""))
    return badge(letter, style) if style else Content(letter)

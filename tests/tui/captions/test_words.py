"""The words of the captions screen that need no screen."""

from __future__ import annotations

from sdtui.tui.captions.words import two_texts
from sdtui.tui.glyphs import glyphs


def lines(mine: str, theirs: str) -> list[str]:
    return two_texts(mine, theirs, glyphs(ascii_only=True), ascii_only=True).plain.splitlines()


def test_two_texts_stand_below_each_other() -> None:
    assert lines("city, night, tower", "city, day, tower") == [
        "yours    city, night, tower",
        "on disk  city, day, tower",
    ]
    assert lines("a\nb", "") == ["yours    a\\nb", "on disk  (empty)"]


def test_what_differs_is_in_colour() -> None:
    shown = two_texts("city, night, tower", "city, tower", glyphs(ascii_only=True), ascii_only=True)
    bold = [shown.plain[span.start : span.end] for span in shown.spans if span.style == "bold $warning"][:1]
    assert bold == ["night, "]


def test_long_texts_are_shown_from_shortly_before_they_part() -> None:
    mine, theirs = lines("x" * 500 + "mine" + "y" * 500, "x" * 500 + "theirs" + "y" * 500)
    assert mine.startswith("yours    ~" + "x" * 60 + "mineyyy")
    assert theirs == "on disk  ~" + "x" * 60 + "theirs" + "y" * 133 + "~"

"""The words of the captions screen that need no screen."""

from __future__ import annotations

from pathlib import Path

from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.words import row_line, two_texts
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


def test_a_row_says_what_the_user_did_with_the_image_and_still_fits(tmp_path: Path) -> None:
    for name in ("a", "b" * 60, "c"):
        (tmp_path / f"{name}.png").touch()
    (tmp_path / "c.txt").write_text("x")
    model = CaptionsModel.open_slowly(tmp_path)
    for number in (1, 2, 9):
        model.marks.put([1], number, lambda _error: None, on=True)
    model.marks.rate(1, 5, lambda _error: None)
    model.known.edited.wrote(2, b"x", b"y")

    def row(position: int, *, ascii_only: bool = False) -> str:
        return row_line(model, position, 36, glyphs(ascii_only=ascii_only), ascii_only).plain

    assert row(0) == " ! a.png"
    assert row(1) == "●! bbbbbbbbbbb…bbbbbbb.png  29 ★★★★★"
    assert row(1, ascii_only=True) == "*! bbbbbbbbbbb~bbbbbbb.png  29 *****"
    assert row(2) == "   c.png" + " " * 27 + "~"
    model.close()

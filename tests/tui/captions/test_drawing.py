"""A caption as it is drawn, and its legend."""

from __future__ import annotations

import pytest

from sdtui.dataset.caption import parse_tags
from sdtui.tui.captions.drawing import PLAIN, Drawing, caption_content, legend, shown_tags
from sdtui.tui.captions.schemes import SCHEMES, Mark
from sdtui.tui.glyphs import ASCII, UNICODE

PROBLEMS = SCHEMES[0]


def drawn(text: str, cursor: int = -1, drawing: Drawing = PLAIN, *, ascii_only: bool = False) -> tuple[str, str]:
    """The words, and those of the tag under the cursor."""
    content, (start, end) = caption_content(text, parse_tags(text), cursor, drawing, ascii_only=ascii_only)
    return content.plain, content.plain[start:end]


def test_words_as_they_are_in_the_file() -> None:
    assert drawn("sky,  wall ,\n[b]x[/b]", 1) == ("sky,  wall ,\n[b]x[/b]", "wall")
    assert drawn("é\x1b, x", 0, ascii_only=True) == ("\\xe9\\x1b, x", "\\xe9\\x1b")


def test_letters_before_marked_tags() -> None:
    drawing = Drawing(PROBLEMS, {1: Mark("="), 2: Mark("")}, {})
    assert drawn("sky, sky, wall", 1, drawing) == ("sky, =sky, wall", "=sky")
    assert drawn("sky, sky, wall", 2, drawing) == ("sky, =sky, wall", "wall")


def test_borders_of_what_is_read_at_once_stand_where_they_are() -> None:
    drawing = Drawing(SCHEMES[4], {2: Mark("2")}, {7: 75, 10: 150})
    assert drawn("sky, stone wall, x", -1, drawing)[0] == "sky, st75one150 wall, 2x"
    assert drawn("sky, wall", -1, Drawing(SCHEMES[4], {}, {3: 75}))[0] == "sky75, wall"
    assert drawn("sky, wall", -1, Drawing(SCHEMES[4], {}, {5: 75}))[0] == "sky, 75wall"
    assert drawn("sky,", -1, Drawing(SCHEMES[4], {}, {3: 75}))[0] == "sky75,"


@pytest.mark.parametrize(
    ("cursor", "style"), [(0, "bold underline $warning"), (-1, "$warning"), (1, "$warning")], ids=["on", "none", "off"]
)
def test_the_cursor_is_underlined_in_the_colour_of_the_class(cursor: int, style: str) -> None:
    drawing = Drawing(PROBLEMS, {0: Mark("=")}, {})
    content, _place = caption_content("sky, wall", parse_tags("sky, wall"), cursor, drawing)
    styles = [str(span.style) for span in content.spans if content.plain[span.start : span.end] == "sky"]
    assert styles == [style]


def line(drawing: Drawing, text: str, cursor: int, width: int, *, ascii_only: bool = False) -> str:
    marks = ASCII if ascii_only else UNICODE
    return legend(drawing, parse_tags(text), cursor, width, marks, press="f", ascii_only=ascii_only).plain


def test_the_legend_counts_and_tells_of_the_tag_under_the_cursor() -> None:
    drawing = Drawing(PROBLEMS, {0: Mark("?", "in 1 caption", "gargoyle"), 1: Mark("=")}, {})
    assert line(drawing, "gargoyl, x", 1, 70) == "problems  = twice 1  ? misspelt? 1  x at odds  ( bracket alone"
    told = line(drawing, "gargoyl, x", 0, 100)
    assert told.startswith("problems  = twice 1  ? misspelt? 1  x at odds  ( bracket alone   ")
    assert told.endswith("   f gargoyle   gargoyl: in 1 caption")
    assert len(told) == 100


def test_where_there_is_no_room_classes_without_a_tag_go_first() -> None:
    drawing = Drawing(PROBLEMS, {0: Mark("?", "in 1 caption", "gargoyle")}, {}, "told")
    assert line(drawing, "gargoyl, x", 0, 60) == "problems  ? misspelt? 1   told   f gargoyle   gargoyl: in 1…"
    assert line(drawing, "gargoyl, x", 1, 10, ascii_only=True) == "problems ~"


def test_of_a_long_caption_what_is_around_the_cursor_is_drawn() -> None:
    text = ", ".join(f"t{number}" for number in range(2_000))
    words, at = drawn(text, 0)
    assert (words[:10], at) == ("t0, t1, t2", "t0")
    assert words.endswith(", t399 (1 600 more tags)")
    words, at = drawn(text, 1_234)
    assert words.startswith("(1 000 tags before) t1000, t1001, ")
    assert (words.endswith(", t1599 (400 more tags)"), at) == (True, "t1234")
    words, at = drawn(text, 1_999)
    assert words.startswith("(1 600 tags before) t1600, ")
    assert (words.endswith(", t1999"), at) == (True, "t1999")
    assert [shown_tags(600, at) for at in (0, 599)] == [(0, 600), (0, 600)]

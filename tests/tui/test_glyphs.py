from __future__ import annotations

from textual.content import Content

from sdtui.tui.glyphs import ASCII, UNICODE, bar, glyphs


def test_bars_to_half_a_cell() -> None:
    assert [bar(share, 4, UNICODE) for share in (0.0, 0.125, 0.5, 1.0, 7.0, -1.0)] == [
        "",
        "╸",
        "━━",
        "━━━━",
        "━━━━",
        "",
    ]
    assert [bar(share, 4, ASCII) for share in (0.0, 0.5, 1.0)] == ["", "##", "####"]


def test_ascii_is_ascii() -> None:
    assert all("".join(glyph).isascii() for glyph in glyphs(ascii_only=True))


def test_single_signs_take_one_cell() -> None:
    signs = (UNICODE.cursor, UNICODE.mark, UNICODE.dot, UNICODE.rule, UNICODE.ellipsis, *UNICODE.bar, UNICODE.track)
    assert {Content(sign).cell_length for sign in signs} == {1}

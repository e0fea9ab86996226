"""What changed between two frames, and how a row is styled."""

from __future__ import annotations

from rich.style import Style
from textual.geometry import Region

from sdtui.tui.widgets.frame import Frame


def test_words_outside_are_cut_off() -> None:
    frame = Frame(4, 2)
    frame.text(2, 0, "abcd")
    frame.text(-1, 1, "xyz")
    frame.text(0, 7, "below")
    assert frame.plain() == ["  ab", "yz"]


def test_one_region_a_row_from_the_first_to_the_last_difference() -> None:
    before, after = Frame(10, 3), Frame(10, 3)
    after.text(2, 0, "a")
    after.text(7, 0, "b")
    after.text(9, 2, "c", "value")
    assert after.changed(before) == [Region(2, 0, 6, 1), Region(9, 2, 1, 1)]


def test_another_role_is_a_difference_too() -> None:
    before, after = Frame(3, 1), Frame(3, 1)
    before.text(0, 0, "a", "name")
    after.text(0, 0, "a", "value")
    assert after.changed(before) == [Region(0, 0, 1, 1)]


def test_blanks_take_the_style_before_them() -> None:
    frame = Frame(6, 1)
    frame.text(0, 0, "a", "name")
    frame.text(3, 0, "b", "value")
    styles = {"": Style(), "name": Style(bold=True), "value": Style(italic=True)}
    segments = list(frame.strip(0, styles))
    assert [(segment.text, segment.style) for segment in segments] == [
        ("a  ", styles["name"]),
        ("b  ", styles["value"]),
    ]

"""Dots, to the bit."""

from __future__ import annotations

import math

from sdtui.tui.widgets.braille import Canvas


def rows(canvas: Canvas, ascii_only: bool = False) -> list[str]:
    return ["".join(glyph for glyph, _ in row) for row in canvas.cells(ascii_only)]


def test_a_rising_line_in_one_cell_row() -> None:
    canvas = Canvas(4, 1)
    canvas.draw_line([0, 0, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 1, 1])
    assert rows(canvas) == ["⣀⠤⠒⠉"]


def test_a_steep_line_has_no_gaps() -> None:
    canvas = Canvas(1, 2)
    canvas.draw_line([0, 1])
    assert rows(canvas) == ["⢸", "⡇"]


def test_unknown_columns_are_bridged() -> None:
    canvas = Canvas(2, 1)
    canvas.draw_line([0, math.nan, math.nan, 0])
    assert rows(canvas) == ["⣀⣀"]


def test_the_band_is_every_other_dot_and_both_ends() -> None:
    canvas = Canvas(1, 1)
    canvas.draw_band([0, 0], [1, 1])
    # Left column: rows 0, 2 by the pattern and row 3 as the end; right column: rows 1, 3 and row 0.
    assert rows(canvas) == ["⣝"]


def test_a_cell_with_the_line_shows_only_the_line() -> None:
    canvas = Canvas(2, 1)
    canvas.draw_band([0] * 4, [1] * 4)
    canvas.draw_line([1, 1, math.nan, math.nan])
    assert canvas.cells() == [[("⠉", True), ("⣝", False)]]


def test_outliers_stop_at_the_edge_and_bands_wholly_outside_are_not_drawn() -> None:
    canvas = Canvas(1, 1)
    canvas.draw_line([5, 5])
    assert rows(canvas) == ["⠉"]
    canvas = Canvas(1, 1)
    canvas.draw_band([2, -2], [3, -1])
    assert rows(canvas) == [" "]


def test_ascii_tells_line_dense_band_and_thin_band_apart() -> None:
    canvas = Canvas(3, 1)
    canvas.draw_line([0, 0, *[math.nan] * 4])
    canvas.draw_band([0.5] * 2 + [0, 0] + [0.5, math.nan], [0.5] * 2 + [1, 1] + [0.5, math.nan])
    assert rows(canvas, ascii_only=True) == ["*:."]

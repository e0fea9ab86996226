"""Pictures in characters: exact glyphs and colours for pictures of a few pixels."""

from __future__ import annotations

import pytest
from PIL import Image
from rich.color import Color

from sdtui.tui.widgets import blocks
from sdtui.tui.widgets.blocks import Cell

RED, BLUE, BLACK, WHITE = (255, 0, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)


def picture(*rows: list[tuple[int, int, int]]) -> Image.Image:
    image = Image.new("RGB", (len(rows[0]), len(rows)))
    image.putdata([pixel for row in rows for pixel in row])
    return image


def fitted(one: tuple[int, int, int], two: tuple[int, int, int], *below: tuple[int, int, int]) -> Cell:
    """The cell of four pixels: two above, two below."""
    return next(blocks.quadrant_rows(picture([one, two], list(below)), 1, 1))[0]


@pytest.mark.parametrize(
    ("pixels", "cell"),
    [
        ((RED, BLUE, BLUE, BLUE), Cell("▘", RED, BLUE)),
        ((BLUE, RED, BLUE, BLUE), Cell("▝", RED, BLUE)),
        ((RED, RED, BLUE, BLUE), Cell("▀", RED, BLUE)),
        ((BLUE, BLUE, RED, BLUE), Cell("▖", RED, BLUE)),
        ((RED, BLUE, RED, BLUE), Cell("▌", RED, BLUE)),
        ((BLUE, RED, RED, BLUE), Cell("▞", RED, BLUE)),
        ((RED, RED, RED, BLUE), Cell("▛", RED, BLUE)),
        ((RED, RED, RED, RED), Cell(" ", None, RED)),
    ],
)
def test_four_pixels_of_two_colours_are_drawn_exactly(pixels: tuple[tuple[int, int, int], ...], cell: Cell) -> None:
    assert fitted(*pixels) == cell


def test_four_colours_become_the_two_nearest_groups() -> None:
    cell = fitted((250, 0, 0), (10, 0, 0), (240, 0, 0), (0, 0, 0))
    assert cell == Cell("▌", (245, 0, 0), (5, 0, 0))


def test_noise_too_small_to_see_costs_no_glyph() -> None:
    assert fitted((100, 100, 100), (102, 100, 100), (100, 101, 100), (100, 100, 103)) == Cell(
        " ", None, (100, 100, 100)
    )


def test_a_quadrant_row_of_two_cells() -> None:
    rows = list(blocks.quadrant_rows(picture([RED, BLUE, BLUE, BLUE], [BLUE, BLUE, BLUE, RED]), 2, 1))
    assert rows == [[Cell("▘", RED, BLUE), Cell("▛", BLUE, RED)]]


def test_half_blocks_put_the_upper_pixel_in_front() -> None:
    assert list(blocks.half_rows(picture([RED, BLUE], [BLUE, BLUE]), 2, 1)) == [
        [Cell("▀", RED, BLUE), Cell(" ", None, BLUE)]
    ]


def test_ascii_is_brighter_with_more_ink_on_dark_and_less_on_light() -> None:
    image = picture([BLACK, (128, 128, 128), WHITE])
    assert blocks.ascii_rows(image, 3, 1, dark=True) == [" +@"]
    assert blocks.ascii_rows(image, 3, 1, dark=False) == ["@= "]


@pytest.mark.parametrize(
    ("size", "pane", "cells"),
    [
        ((512, 512), (40, 40), (40, 20)),
        ((512, 512), (80, 10), (20, 10)),
        ((1536, 1024), (60, 40), (60, 20)),
        ((10, 4000), (60, 20), (1, 20)),
        ((4000, 10), (60, 20), (60, 1)),
    ],
)
def test_the_aspect_is_kept_with_cells_twice_as_high_as_wide(
    size: tuple[int, int], pane: tuple[int, int], cells: tuple[int, int]
) -> None:
    assert blocks.fit_cells(size, *pane) == cells


def test_a_tiny_picture_is_enlarged_by_whole_pixels() -> None:
    strips = blocks.draw(picture([RED, BLUE], [BLUE, RED]), 8, 4, "half")
    assert [[segment.text for segment in strip] for strip in strips] == [["    ", "    "]] * 4
    assert strips[0]._segments[0].style is not None
    assert strips[0]._segments[0].style.bgcolor == Color.from_rgb(*RED)


def test_neighbours_of_the_same_colours_are_one_segment() -> None:
    strips = blocks.draw(picture([RED, RED, RED, BLUE], [BLUE, BLUE, BLUE, BLUE]), 4, 1, "half")
    assert [segment.text for segment in strips[0]] == ["▀▀▀", " "]


@pytest.mark.parametrize(
    ("pixel", "number"),
    [(RED, 196), (BLACK, 16), (WHITE, 231), ((95, 135, 175), 67), ((128, 128, 128), 244), ((58, 58, 58), 237)],
)
def test_the_nearest_of_256_colours(pixel: tuple[int, int, int], number: int) -> None:
    assert blocks.nearest256(pixel).number == number


def test_a_256_colour_drawing_uses_only_the_fixed_palette() -> None:
    strips = blocks.draw(picture([(1, 2, 3), (201, 99, 54)], [(17, 180, 90), RED]), 2, 1, "quadrant", palette256=True)
    colours = [style.bgcolor for strip in strips for _, style, _ in strip if style]
    assert all(colour and colour.number is not None and colour.number >= 16 for colour in colours)

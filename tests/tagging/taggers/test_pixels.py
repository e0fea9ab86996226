from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Resampling

from sdtui.tagging.taggers.pixels import on_white_square, within_square
from tests.tagging.taggers.models import pixels


def test_a_wide_image_lies_in_the_middle_of_a_white_square() -> None:
    square = np.asarray(on_white_square(Image.fromarray(pixels(8, 3)), 8))
    assert square.shape == (8, 8, 3)
    assert (square[[0, 1, 5, 6, 7]] == 255).all()
    assert (square[2:5] == pixels(8, 3)).all()


def test_a_square_is_resized_by_bicubic_interpolation() -> None:
    image = Image.fromarray(pixels(6, 6))
    assert (np.asarray(on_white_square(image, 4)) == np.asarray(image.resize((4, 4), Resampling.BICUBIC))).all()


@pytest.mark.parametrize(("width", "height"), [(8, 4), (4, 8), (8, 3), (3, 8)])
def test_bands_repeat_the_outermost_rows_and_columns(width: int, height: int) -> None:
    image = pixels(width, height)
    square = within_square(Image.fromarray(image), 8, Resampling.LANCZOS)
    assert square.shape == (8, 8, 3)
    assert square.dtype == np.float32
    left, top = 4 - width // 2, 4 - height // 2
    inner = square[top : top + height, left : left + width]
    assert inner == pytest.approx(image / 255, abs=1e-6)
    assert (square[0] == square[top]).all()
    assert (square[-1] == square[top + height - 1]).all()
    assert (square[:, 0] == square[:, left]).all()
    assert (square[:, -1] == square[:, left + width - 1]).all()


def test_a_line_of_an_image_keeps_one_row() -> None:
    assert within_square(Image.fromarray(pixels(20, 1)), 4, Resampling.BOX).shape == (4, 4, 3)


def test_an_image_of_enormous_length_needs_no_enormous_square(monkeypatch: pytest.MonkeyPatch) -> None:
    squares: list[tuple[int, int]] = []
    new = Image.new

    def remembered(mode: str, size: tuple[int, int], color: str) -> Image.Image:
        squares.append(size)
        return new(mode, size, color)

    monkeypatch.setattr(Image, "new", remembered)
    square = np.asarray(on_white_square(new("RGB", (30_000, 7_500), "red"), 64))
    assert squares == [(64, 64)]
    assert (square[[0, 23, 40, 63]] == 255).all()
    assert (square[24:40] == [255, 0, 0]).all()

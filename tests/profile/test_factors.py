"""How sides are split, against LyCORIS' own table and what its boft finds."""

from __future__ import annotations

import pytest

from sdtui.profile.factors import butterfly, factorization


@pytest.mark.parametrize(
    ("dimension", "factor", "expected"),
    [
        (127, 0, (1, 127)),
        (128, 0, (8, 16)),
        (128, 2, (2, 64)),
        (250, 0, (10, 25)),
        (250, 4, (2, 125)),
        (250, 8, (5, 50)),
        (320, 0, (16, 20)),
        (320, 32, (10, 32)),
        (360, 0, (18, 20)),
        (360, 16, (15, 24)),
        (512, 16, (16, 32)),
        (1024, 4, (4, 256)),
    ],
)
def test_the_split_is_lycoris(dimension: int, factor: int, expected: tuple[int, int]) -> None:
    assert factorization(dimension, factor) == expected


@pytest.mark.parametrize(
    ("dimension", "size", "expected"),
    [(320, 16, (10, 32)), (320, 4, (10, 32)), (768, 16, (12, 64)), (1280, 16, (10, 128)), (1280, 64, (40, 32)), (4, 16, (4, 1))],
)  # fmt: skip
def test_butterflies_leave_a_power_of_two_of_blocks(dimension: int, size: int, expected: tuple[int, int]) -> None:
    assert butterfly(dimension, size) == expected


def test_an_odd_number_of_channels_has_no_butterfly() -> None:
    with pytest.raises(ValueError, match="cannot split 15 channels"):
        butterfly(15, 4)

"""How many regularisation images of each bucket an epoch sees."""

from __future__ import annotations

import pytest

from sdtui.dataset.regularization import shares

A, B, C = (256, 512), (512, 256), (512, 512)


@pytest.mark.parametrize(
    ("training", "found", "expected"),
    [
        (10, {}, {}),
        (10, {C: 1}, {C: 10}),
        (10, {C: 500}, {C: 10}),
        (10, {A: 30, C: 70}, {A: 3, C: 7}),
        # 7 × 5/10, 3/10 and 2/10 are 3.5, 2.1 and 1.4: the one left over goes to the largest remainder.
        (7, {A: 5, B: 3, C: 2}, {A: 4, B: 2, C: 1}),
        # Equal claims: the smaller size first.
        (3, {C: 1, A: 1}, {A: 2, C: 1}),
        # 20 × 1/1000 would be none: a shape that is rare is seen all the same, at the cost of the others.
        (20, {A: 1, B: 1, C: 998}, {A: 1, B: 1, C: 18}),
        # 5 × 18/100 twice and 64/100 are 0.9, 0.9 and 3.2.
        (5, {A: 18, B: 18, C: 64}, {A: 1, B: 1, C: 3}),
        (2, {A: 1, B: 1, C: 1}, {A: 1, B: 1, C: 1}),
    ],
)
def test_shares(training: int, found: dict[tuple[int, int], int], expected: dict[tuple[int, int], int]) -> None:
    assert shares(training, found) == expected

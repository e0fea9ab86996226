from __future__ import annotations

import pytest

from sdtui.tagging.threshold import half, margin, mcut


@pytest.mark.parametrize(
    ("scores", "cut"),
    [
        ([0.9, 0.8, 0.3, 0.2], 0.55),
        ([0.2, 0.3, 0.9, 0.8], 0.55),
        ([0.99], 0.495),
        ([], 1.0),
    ],
    ids=["gap", "unsorted", "one", "none"],
)
def test_mcut_is_the_middle_of_the_largest_gap(scores: list[float], cut: float) -> None:
    assert mcut(scores) == pytest.approx(cut)


def test_margin_runs_from_zero_at_the_threshold_to_one() -> None:
    assert margin(0.5, 0.5) == 0.0
    assert margin(1.0, 0.5) == 1.0
    assert margin(0.75, 0.5) == pytest.approx(0.5)
    assert margin(1.0, 1.0) == 1.0


def test_half_rounds_to_what_the_store_keeps() -> None:
    assert half(0.98) == 0.97998046875
    assert half(1.1) > 1.0

"""Folding a growing series into columns, and the debiased average."""

from __future__ import annotations

import math

import pytest

from sdtui.tui.widgets.columns import Columns, round_end


def folded(count: int, ys: list[float], smoothing: float = 0.5, limit: float | None = None) -> Columns:
    columns = Columns(count, smoothing)
    columns.take(range(len(ys)), ys, limit)
    return columns


def test_extremes_and_last_average_of_each_column() -> None:
    columns = folded(2, [4, 2, 8, 6], smoothing=0.0)
    assert (columns.start, columns.end) == (0, 3)
    assert (columns.low, columns.high, columns.line) == ([2, 6], [4, 8], [2, 6])


def test_the_average_is_tensorboards_debiased_one() -> None:
    # s = 0.5·s + 0.5·x from 0 is 2, 2, 5; each divided by 1 - 0.5ⁿ.
    columns = folded(3, [4, 2, 8])
    assert columns.line == pytest.approx([2 / 0.5, 2 / 0.75, 5 / 0.875])
    assert columns.value == pytest.approx(5 / 0.875)


def test_a_constant_stays_exactly_constant() -> None:
    assert folded(10, [0.1] * 1000, smoothing=0.999).value == 0.1


def test_values_that_are_not_finite_are_left_out() -> None:
    columns = folded(4, [1.0, math.nan, math.inf, 3.0], smoothing=0.0)
    assert columns.value == 3.0
    assert [math.isnan(value) for value in columns.low] == [False, True, True, False]


def test_only_new_points_are_taken_in_and_their_columns_told() -> None:
    columns = Columns(10, 0.0)
    columns.take(range(8), [1.0] * 8, 10)
    assert (columns.start, columns.end) == (0, 8.0)
    assert columns.take(range(9), [*[1.0] * 8, 5.0], 10) == {9}
    assert columns.high[9] == 5.0
    assert columns.take(range(9), [*[1.0] * 8, 5.0], 10) == set()


def test_outgrowing_the_axis_folds_again() -> None:
    columns = Columns(4, 0.0)
    columns.take(range(5), [1.0] * 5)
    assert columns.end == 4
    assert columns.take(range(6), [1.0] * 6) == {0, 1, 2, 3}
    assert columns.end == 5


def test_the_axis_stops_at_the_known_end() -> None:
    columns = folded(4, [1.0] * 2700, limit=2800)
    assert columns.end == 2800


def test_a_series_cut_back_by_a_resume_is_folded_again() -> None:
    columns = Columns(10, 0.0)
    columns.take(range(11), [1.0] * 11)
    columns.take(range(6), [*[1.0] * 5, 9.0])
    assert columns.value == 9.0
    assert math.isnan(columns.line[-1]) is False
    assert columns.end == 5


def test_the_same_length_with_other_values_is_a_cut_too() -> None:
    columns = Columns(4, 0.0)
    columns.take(range(4), [1.0, 1.0, 1.0, 1.0])
    columns.take(range(4), [1.0, 1.0, 7.0, 8.0])
    assert columns.high == [1.0, 1.0, 7.0, 8.0]


def test_a_clock_set_back_stays_in_the_chart() -> None:
    columns = Columns(4, 0.0)
    columns.take([10.0, 5.0, 14.0], [1.0, 2.0, 3.0])
    assert columns.high == [2.0, *[pytest.approx(math.nan, nan_ok=True)] * 2, 3.0]


def test_nothing_yet() -> None:
    columns = Columns(3, 0.9)
    columns.take([], [])
    assert math.isnan(columns.value)


@pytest.mark.parametrize(("value", "end"), [(1, 1), (11, 12), (99, 100), (101, 120), (2100, 2500), (0.07, 0.08)])
def test_round_end(value: float, end: float) -> None:
    assert round_end(value) == pytest.approx(end)

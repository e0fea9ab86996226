"""Round numbers, clock steps and labels."""

from __future__ import annotations

import time

import pytest

from sdtui.tui.widgets import ticks


@pytest.mark.parametrize(
    ("span", "count", "step"),
    [(1.0, 5, 0.2), (1.1, 5, 0.25), (3000, 6, 500), (0.0012, 4, 0.0005), (7, 1, 10), (0, 4, 1.0)],
)
def test_round_step(span: float, count: int, step: float) -> None:
    assert ticks.round_step(span, count) == pytest.approx(step)


@pytest.mark.parametrize(("span", "count", "step"), [(12, 5, 5), (12, 6, 2), (125, 5, 25), (2, 5, 1), (1000, 5, 200)])
def test_steps_are_whole_numbers(span: float, count: int, step: float) -> None:
    assert ticks.whole_step(span, count) == step


@pytest.mark.parametrize(
    ("span", "count", "step"), [(50, 5, 10), (500, 5, 120), (7200, 4, 1800), (10 * 86400, 5, 172800)]
)
def test_clock_step(span: float, count: int, step: float) -> None:
    assert ticks.clock_step(span, count) == step


def test_a_span_beyond_the_table_is_whole_days() -> None:
    assert ticks.clock_step(100 * 86400, 4) == 25 * 86400


def test_ticks_are_the_multiples_inside() -> None:
    assert ticks.ticks(0.12, 0.5, 0.1) == pytest.approx([0.2, 0.3, 0.4, 0.5])


def test_log_ticks_are_one_two_five_while_they_fit() -> None:
    assert ticks.log_ticks(0.02, 0.5, 6) == pytest.approx([0.02, 0.05, 0.1, 0.2, 0.5])


def test_log_ticks_of_many_decades_skip_some() -> None:
    assert ticks.log_ticks(1e-6, 1, 4) == pytest.approx([1e-6, 1e-4, 1e-2, 1])


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        (0, 0.1, "0"),
        (0.05, 0.05, "0.05"),
        (0.25, 0.25, "0.25"),
        (0.1, 0.1, "0.1"),
        (1500, 500, "1 500"),
        (2e-5, 1e-5, "2e-5"),
        (1.5e-4, 5e-5, "1.5e-4"),
        (1e8, 1e8, "1e8"),
    ],
)
def test_number(value: float, step: float, text: str) -> None:
    assert ticks.number(value, step) == text


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [(30, 10, "0:30"), (135, 15, "2:15"), (300, 60, "5 min"), (4800, 600, "1 h 20"), (97200, 3600, "1 d 3 h")],
)
def test_duration(value: float, step: float, text: str) -> None:
    assert ticks.duration(value, step) == text


def test_wall_time_is_as_fine_as_the_step() -> None:
    moment = time.mktime((2026, 11, 21, 12, 3, 20, 0, 0, -1))
    assert [ticks.wall(moment, step) for step in (10, 600, 86400)] == ["12:03:20", "12:03", "21 Nov"]


def test_midnight_is_where_the_local_day_began() -> None:
    moment = time.mktime((2026, 11, 21, 12, 3, 20, 0, 0, -1))
    assert ticks.midnight(moment) == time.mktime((2026, 11, 21, 0, 0, 0, 0, 0, -1))

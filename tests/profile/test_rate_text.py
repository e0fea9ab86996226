"""AUTOMATIC1111's texts of rates: the results its own reader gives, and the ones it gets wrong."""

from __future__ import annotations

from itertools import groupby

import pytest

from sdtui.profile.rate_text import RateTextError, length, parse_rates, rate_at


def runs(text: str, total: int) -> list[tuple[float, int]]:
    """(rate, steps) of a run that was to have `total` steps."""
    stretches = parse_rates(text)
    rates = [rate_at(stretches, step, total) for step in range(length(text, total))]
    return [(rate, len(list(steps))) for rate, steps in groupby(rates)]


@pytest.mark.parametrize(
    ("text", "total", "expected"),
    [
        ("0.005", 1000, [(0.005, 1000)]),
        ("0.005:100, 1e-3:1000, 1e-5", 3000, [(0.005, 100), (0.001, 900), (1e-5, 2000)]),
        ("0.005:100", 1000, [(0.005, 100)]),
        ("0.1:100,1e-2:150", 150, [(0.1, 100), (0.01, 50)]),
        ("0.1:100,0.01:-1,0.5", 150, [(0.1, 100), (0.01, 50)]),
        # AUTOMATIC1111 takes one step too many here.
        ("0.1:100,0.01:200", 100, [(0.1, 100)]),
        (" 0.1 : 100 ,, 0.01 , ", 150, [(0.1, 100), (0.01, 50)]),
        # Shares are not AUTOMATIC1111's.
        ("0.1:0.25, 0.01:0.5", 200, [(0.1, 50), (0.01, 50)]),
        ("0.1:0.25, 0.01:1.0", 200, [(0.1, 50), (0.01, 150)]),
    ],
)
def test_rates(text: str, total: int, expected: list[tuple[float, int]]) -> None:
    assert runs(text, total) == expected


def test_no_text_ends_nothing() -> None:
    assert length("", 7) == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it holds no rate"),
        (" , ", "it holds no rate"),
        ("fast", "'fast' is not a number"),
        ("0.1:1e2", "'0.1:1e2' does not end at a step"),
        ("0.1:0", "does not end at a step"),
        ("0.1:1.5", "does not end at a step"),
        ("2:100", "2 is not a learning rate above 0, up to 1"),
        ("nan", "nan is not a learning rate"),
        # AUTOMATIC1111 reads this as rate 0 for the rest of the run.
        ("0.1:500, 0.01:1000, 0.001:10,000", "'10,000' is two items; write 10000 without a comma"),
        ("0.001: 1,000,500", "write 1000500 without a comma"),
        ("0.1:500, 20", "20 is not a learning rate above 0, up to 1"),
        ("0.01:500,0.1:100", "'0.1:100' ends no later than what stands before it"),
    ],
)
def test_texts_that_mean_something_else_than_they_say(text: str, message: str) -> None:
    with pytest.raises(RateTextError, match=message):
        parse_rates(text)

from __future__ import annotations

import time

import pytest

from sdtui.tui.numbers import age, count, duration, grouped, roughly

NOON = time.mktime((2026, 3, 15, 12, 0, 0, 0, 0, -1))


def test_grouped() -> None:
    assert [grouped(number) for number in (0, 999, 1240, 1234567)] == ["0", "999", "1 240", "1 234 567"]


def test_count() -> None:
    assert [count(1, "image"), count(1240, "image"), count(2, "entry", "entries")] == [
        "1 image",
        "1 240 images",
        "2 entries",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (6600, "1 h 50 min"), (90000, "1 d 1 h"), (-3, "0 s")],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("hours", "words"),
    [(1, "11:00"), (23, "yesterday"), (3 * 24, "3 days ago"), (40 * 24, "2026-02-03")],
)
def test_age(hours: float, words: str) -> None:
    assert age(NOON - hours * 3600, NOON) == words


@pytest.mark.parametrize(
    ("number", "shown"), [(940, "940"), (1200, "1.2k"), (12_345, "12k"), (5_512_345, "5.5M"), (52_000_000, "52M")]
)
def test_roughly(number: int, shown: str) -> None:
    assert roughly(number) == shown

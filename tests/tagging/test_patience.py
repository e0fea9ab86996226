from __future__ import annotations

import time

import pytest

from sdtui.tagging import patience
from sdtui.tagging.describers.base import BusyError
from sdtui.tagging.patience import seconds_before, wait


def test_each_wait_is_twice_the_last_and_the_sixth_try_is_the_last() -> None:
    busy = BusyError("429 Too Many Requests")
    assert [seconds_before(tries, busy) for tries in range(1, 6)] == [2, 4, 8, 16, 32]
    with pytest.raises(BusyError, match="429"):
        seconds_before(6, busy)


def test_what_the_model_asks_for_counts_unless_it_is_too_long() -> None:
    assert seconds_before(1, BusyError("busy", seconds=45.0)) == 45
    with pytest.raises(BusyError):
        seconds_before(1, BusyError("busy", seconds=3600.0))


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_it_is_told_every_second_how_long_it_still_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    looked: list[float] = []
    told: list[float] = []
    wait(2.5, lambda: looked.append(clock.now), told.append)
    assert (clock.now, told, len(looked)) == (102.5, [2.5, 1.5, 0.5], 10)


def test_a_stop_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    def stopped() -> None:
        if clock.now >= 101:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wait(patience.LONGEST_SECONDS, stopped, lambda _left: None)
    assert clock.now == 101

"""The base of following threads: the newest only, told once, an end from outside, a failure that is handed over."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sdtui.tui.follower import Follower

PATIENCE = 60.0


class Counter(Follower[int]):
    """Hands over 1, 2, 3 and waits for a file that nobody writes."""

    def __init__(self, file: Path, told: list[str]) -> None:
        super().__init__("counter", lambda me: told.append(me.name))
        self.file = file
        self.waiting = threading.Event()

    def follow(self) -> None:
        with self.watch([self.file], 0.0) as watch:
            for number in (1, 2, 3):
                self.hand_over(number)
            self.waiting.set()
            while not self.ending:
                watch.wait()


class Broken(Counter):
    """Fails at once."""

    def follow(self) -> None:
        raise ZeroDivisionError


def test_only_the_newest_is_kept_and_told_of_once_until_it_is_taken(tmp_path: Path) -> None:
    told: list[str] = []
    follower = Counter(tmp_path / "file", told)
    follower.start()
    try:
        assert follower.waiting.wait(PATIENCE)
        assert told == ["counter"]
        assert (follower.take(), follower.take()) == (3, None)
        follower.hand_over(4)
        assert told == ["counter", "counter"]
    finally:
        follower.close()
    follower.join(PATIENCE)
    assert not follower.is_alive()
    assert follower.problem is None


def test_one_that_was_closed_before_it_started_ends_at_once(tmp_path: Path) -> None:
    follower = Counter(tmp_path / "file", [])
    follower.close()
    follower.start()
    follower.join(PATIENCE)
    assert not follower.is_alive()


def test_a_failure_is_handed_over_not_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    follower = Broken(tmp_path / "file", told)
    follower.start()
    follower.join(PATIENCE)
    assert isinstance(follower.problem, ZeroDivisionError)
    assert told == ["counter"]
    assert capfd.readouterr().err == ""

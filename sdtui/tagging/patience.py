"""Waiting for a model that is busy: as long as it asks, else twice as long each time, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

from sdtui.tagging.describers.base import BusyError

# Of one batch; with what the model asks for it comes to ten minutes at most.
TRIES = 6
LONGEST_SECONDS = 120.0
_FIRST_SECONDS = 2.0
_LOOK_SECONDS = 0.25


def seconds_before(tries: int, error: BusyError) -> float:
    """How long to wait before a batch is tried again that failed `tries` times; raises `error` where it is too much."""
    seconds = _FIRST_SECONDS * 2 ** (tries - 1) if error.seconds is None else error.seconds
    if tries >= TRIES or seconds > LONGEST_SECONDS:
        raise error
    return seconds


def wait(seconds: float, look: Callable[[], None], told: Callable[[float], None]) -> None:
    """Wait, calling `look` often, which may raise to end it; `told` hears every second how many seconds are left."""
    until = time.monotonic() + seconds
    next_second = until - seconds
    while (left := until - time.monotonic()) > 0:
        look()
        if time.monotonic() >= next_second:
            next_second += 1
            told(left)
        time.sleep(min(left, _LOOK_SECONDS))

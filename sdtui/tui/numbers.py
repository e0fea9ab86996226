"""Numbers for people: grouped digits, durations and ages, each with its unit."""

from __future__ import annotations

import time

MINUTE, HOUR, DAY = 60, 3600, 86400


def grouped(number: int) -> str:
    """Thousands apart by a thin gap: 1 240."""
    return f"{number:,}".replace(",", " ")


def roughly(number: int) -> str:
    """A large number in few letters: 940, 12k, 5.5M."""
    for unit, word in ((10**6, "M"), (10**3, "k")):
        if number >= unit:
            return f"{number / unit:.1f}{word}" if number < 10 * unit else f"{number // unit}{word}"
    return str(number)


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: 1 image, 1 240 images."""
    return f"{grouped(number)} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """Hours and minutes, or minutes and seconds: 1 h 50 min, 04:41 min, 12 s."""
    whole = max(0, round(seconds))
    if whole >= DAY:
        return f"{whole // DAY} d {whole % DAY // HOUR} h"
    if whole >= HOUR:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} min"
    return f"{whole // MINUTE} min {whole % MINUTE:02} s" if whole >= MINUTE else f"{whole} s"


def age(then: float, now: float | None = None) -> str:
    """How long ago: today's times as a clock, yesterday, then days and dates; never ticks faster than a day."""
    now = time.time() if now is None else now
    then_day, now_day = (time.localtime(at)[:3] for at in (then, now))
    if then_day == now_day:
        return time.strftime("%H:%M", time.localtime(then))
    days = round((time.mktime((*now_day, 12, 0, 0, 0, 0, -1)) - time.mktime((*then_day, 12, 0, 0, 0, 0, -1))) / DAY)
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if 1 < days < 30 else time.strftime("%Y-%m-%d", time.localtime(then))

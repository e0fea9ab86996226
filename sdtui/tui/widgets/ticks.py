"""Where an axis is labelled, and what the labels say: round numbers, powers of ten, durations, clock times."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

Format = Callable[[float, float], str]

# Steps a reader takes as round on a clock: seconds, minutes, hours, days.
CLOCK_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800)


def round_step(span: float, count: int) -> float:
    """The smallest of 1, 2, 2.5, 5 × 10ⁿ that divides `span` into at most `count` parts."""
    if span <= 0 or not math.isfinite(span):
        return 1.0
    rough = span / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1.0, 2.0, 2.5, 5.0):
        if factor * power >= rough * (1 - 1e-9):
            return factor * power
    return 10.0 * power


def whole_step(span: float, count: int) -> float:
    """As `round_step`, for what is counted in whole numbers."""
    step = max(1.0, round_step(span, count))
    return step if step.is_integer() else 5.0


def clock_step(span: float, count: int) -> float:
    """The smallest clock step (seconds) that divides `span` seconds into at most `count` parts."""
    rough = span / max(1, count)
    return next((float(step) for step in CLOCK_STEPS if step >= rough), round_step(span / 86400, count) * 86400)


def ticks(low: float, high: float, step: float) -> list[float]:
    """The multiples of `step` in [low, high]."""
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """Round values on a logarithmic axis: 1, 2, 5 in each decade while they fit, else every nth power of ten."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    fine = [m * 10.0**n for n in range(first, last + 1) for m in (1, 2, 5)]
    fine = [value for value in fine if low <= value * (1 + 1e-9) and value <= high * (1 + 1e-9)]
    if len(fine) <= count:
        return fine
    lowest, highest = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, math.ceil((highest - lowest + 1) / max(1, count)))
    return [10.0**n for n in range(lowest, highest + 1, every)]


def number(value: float, step: float) -> str:
    """`value` with just the decimals that tell neighbours `step` apart: 0.05, 1 500, 2e-5."""
    if value == 0:
        return "0"
    size = max(abs(value), step)
    if size < 1e-3 or size >= 1e7:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if decimals and round(step * 10**decimals, 6) % 1:
        decimals += 1
    return f"{value:,.{decimals}f}".replace(",", " ")


def duration(value: float, step: float) -> str:
    """Seconds since the start, as fine as `step` needs: 0:30, 2:15, 1 h 20, 2 d 3 h."""
    seconds = round(value)
    if step < 60 or seconds < 60:
        return f"{seconds // 60}:{seconds % 60:02d}"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d}"
    return f"{seconds // 86400} d {seconds % 86400 // 3600} h"


def wall(value: float, step: float) -> str:
    """A Unix time as the local clock says it: 12:03, 12:03:20, 21 Nov."""
    moment = datetime.fromtimestamp(value).astimezone()
    if step >= 86400:
        return f"{moment.day} {moment:%b}"
    return f"{moment:%H:%M:%S}" if step < 60 else f"{moment:%H:%M}"


def midnight(value: float) -> float:
    """The Unix time at which the local day of `value` began."""
    moment = datetime.fromtimestamp(value).astimezone()
    return moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()

"""The vertical scale of a chart: which values lie at its ends, where they fall, and which are labelled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sdtui.tui.widgets.ticks import log_ticks, number, round_step, ticks

# Share of the raw extremes that may lie outside: one spike must not flatten the rest of the curve.
OUTLIERS = 0.02


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high`; `labels` are (height 0…1, text)."""

    low: float
    high: float
    log: bool
    labels: tuple[tuple[float, str], ...] = ()

    def height(self, value: float) -> float:
        """How high `value` lies, 0 at the bottom and 1 at the top; NaN stays NaN, zero on a log scale is below."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        if value <= 0:
            return -1.0
        return math.log(value / self.low) / math.log(self.high / self.low)


def fit_scale(raw: Sequence[float], line: Sequence[float], count: int, log: bool, before: Scale | None) -> Scale:
    """A scale with about `count` labels that holds the line and all but the outliers of the raw values.

    `before` is kept while the values fill at least half of it, so that a live chart does not rescale at every point.
    """
    kept = sorted(value for value in raw if math.isfinite(value) and (value > 0 or not log))
    cut = int(len(kept) * OUTLIERS / 2)
    inside = kept[cut : len(kept) - cut] + [v for v in line if math.isfinite(v) and (v > 0 or not log)]
    if not inside:
        return _labelled(0.1 if log else 0.0, 1.0, log, count)
    low, high = min(inside), max(inside)
    if before and before.log == log and _fills(before, low, high):
        return _labelled(before.low, before.high, log, count)
    return _labelled(*_round_ends(low, high, log, count), log, count)


def _fills(scale: Scale, low: float, high: float) -> bool:
    bottom, top = scale.height(low), scale.height(high)
    return bottom >= -1e-9 and top <= 1 + 1e-9 and top - bottom >= 0.5


def _round_ends(low: float, high: float, log: bool, count: int) -> tuple[float, float]:
    if log:
        return (low * 0.95, high * 1.05) if high > low * 1.2 else (low * 0.8, high * 1.25)
    if high - low <= 1e-9 * abs(high):
        room = abs(high) * 0.2 or 1.0
        low, high = low - room, high + room
    step = round_step(high - low, count)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def _labelled(low: float, high: float, log: bool, count: int) -> Scale:
    step = round_step(high - low, count)
    values = log_ticks(low, high, count) if log else ticks(low, high, step)
    if log and len(values) < 2:
        values = ticks(low, high, step)
    scale = Scale(low, high, log)
    labels = tuple((scale.height(value), number(value, value if log and len(values) > 2 else step)) for value in values)
    return Scale(low, high, log, labels)

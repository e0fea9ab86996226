"""A long series folded into the columns of a chart: lowest and highest raw value, and the smoothed value at the end.

Points are taken in once; a redraw of 50 000 points costs as much as one of 50. The smoothed line is the exponential
moving average with the start-up bias removed, as in TensorBoard, in the incremental form that keeps a constant
constant: s ← s + (1-β)/wₙ · (x - s) with wₙ = β·wₙ₋₁ + (1-β).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

# Axis ends that look deliberate; the finer the list, the fuller the chart while a run grows.
ROUND_ENDS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def round_end(value: float) -> float:
    """The nearest axis end at or above `value` > 0: growing runs then rescale rarely."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(end * power for end in ROUND_ENDS if end * power >= value * (1 - 1e-12))


@dataclass(slots=True)
class Columns:
    """The folded series. `count` columns span x from `start` to `end`; `take` feeds it.

    Attributes:
        low, high: per column the extremes of the raw values, NaN where there are none.
        line: per column the smoothed value after its last point, NaN where there are none.
        value: the smoothed value now, NaN before the first point.
    """

    count: int
    smoothing: float = 0.98
    start: float = 0.0
    end: float = 1.0
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    line: list[float] = field(default_factory=list)
    value: float = math.nan
    _weight: float = 0.0
    _taken: int = 0
    _last: tuple[float, float] = (math.nan, math.nan)

    def take(self, xs: Sequence[float], ys: Sequence[float], limit: float | None = None) -> set[int]:
        """Take in the points that are new, and return the columns that changed.

        Args:
            xs: positions, not falling.
            ys: values, as many; those that are not finite are left out.
            limit: where the run will end, if known: the axis goes no further unless the points do.

        A series that was cut back (a resumed run) or outgrew the axis is folded again from its first point.
        """
        if not xs or self.count <= 0 or not math.isfinite(xs[-1] - xs[0]):
            self._restart(0.0, 1.0)
            return set(range(self.count))
        changed: set[int] = set()
        if self._must_restart(xs, ys):
            self._restart(xs[0], _axis_end(xs[0], xs[-1], limit))
            changed = set(range(self.count))
        changed |= self._fold(xs, ys)
        self._taken = len(xs)
        self._last = (xs[-1], ys[-1])
        return changed

    def backlog(self, xs: Sequence[float], ys: Sequence[float]) -> int:
        """How many points `take` would have to fold."""
        if not xs or self.count <= 0:
            return 0
        return len(xs) if self._must_restart(xs, ys) else len(xs) - self._taken

    def at(self, x: float) -> int:
        """The column of a position; one outside, as of a clock that was set back, is in the first or last."""
        return min(self.count - 1, max(0, int((x - self.start) / (self.end - self.start) * self.count)))

    def _must_restart(self, xs: Sequence[float], ys: Sequence[float]) -> bool:
        return not self._taken or xs[-1] > self.end or self._was_cut(xs, ys)

    def _was_cut(self, xs: Sequence[float], ys: Sequence[float]) -> bool:
        if not self._taken:
            return False
        if len(xs) < self._taken:
            return True
        x, y = xs[self._taken - 1], ys[self._taken - 1]
        return x != self._last[0] or not (y == self._last[1] or (math.isnan(y) and math.isnan(self._last[1])))

    def _restart(self, start: float, end: float) -> None:
        self.start, self.end = start, end
        self.low = [math.nan] * self.count
        self.high = [math.nan] * self.count
        self.line = [math.nan] * self.count
        self.value, self._weight, self._taken = math.nan, 0.0, 0

    def _fold(self, xs: Sequence[float], ys: Sequence[float]) -> set[int]:
        """Take the points after the last one taken; returns the columns they fell into."""
        low, high, line, count = self.low, self.high, self.line, self.count
        start, span = self.start, self.end - self.start
        smoothing, fresh = self.smoothing, 1.0 - self.smoothing
        value, weight = self.value, self._weight
        touched: set[int] = set()
        for index in range(self._taken, len(xs)):
            x, y = xs[index], ys[index]
            if not (math.isfinite(y) and math.isfinite(x)):
                continue
            # As `at`, written out: a method call for each of 100 000 points is felt.
            column = min(count - 1, max(0, int((x - start) / span * count)))
            if not low[column] <= y:
                low[column] = y
            if not high[column] >= y:
                high[column] = y
            weight = smoothing * weight + fresh
            value = y if math.isnan(value) else value + fresh / weight * (y - value)
            line[column] = value
            touched.add(column)
        self.value, self._weight = value, weight
        return touched


def _axis_end(start: float, last: float, limit: float | None) -> float:
    """The end of the axis for points from `start` to `last`: round, not beyond `limit`, never empty."""
    if last <= start:
        return start + 1.0
    end = start + round_end(last - start)
    if limit is not None and limit >= last:
        end = min(end, limit)
    return end

"""The numbers of every optimizer step as columns, and their smoothed curve."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence

from sdtui.runs.events import Event

SMOOTHING = 0.98
"""How smooth the loss is that is shown as a number: an average of about the last fifty steps."""

_NAN = math.nan


class Series:
    """One row per optimizer step, steps strictly rising; a value a step did not report is NaN.

    Columns: `steps`, `epochs`, `images` (integers), `times` (unix seconds), `losses`, `prior_losses` (the part of each
    that teaches what to keep), `grad_norms`, `seconds` (per step), and `rates`, the learning rates by name.
    """

    def __init__(self) -> None:
        self.steps = array("q")
        self.epochs = array("q")
        self.images = array("q")
        self.times = array("d")
        self.losses = array("d")
        self.prior_losses = array("d")
        self.grad_norms = array("d")
        self.seconds = array("d")
        self.rates: dict[str, array[float]] = {}

    def __len__(self) -> int:
        return len(self.steps)

    def append(self, event: Event) -> None:
        """Add a `step` event; one that is not later than the last drops what it repeats.

        Raises:
            KeyError, TypeError: the event lacks its step number, or a field has the wrong type.
        """
        step, loss, prior, norm = event["step"], event.get("loss"), event.get("loss_prior"), event.get("grad_norm")
        if self.steps and step <= self.steps[-1]:
            self.cut(step - 1)
        try:
            self.epochs.append(event.get("epoch", 0))
            self.images.append(event.get("images", 0))
            self.times.append(event.get("t", _NAN))
            self.losses.append(_NAN if loss is None else loss)
            self.prior_losses.append(_NAN if prior is None else prior)
            self.grad_norms.append(_NAN if norm is None else norm)
            self.seconds.append(event.get("seconds", _NAN))
            self._append_rates(event.get("lr") or {})
            # Last, so that a reader in another thread never sees a step whose values are not there yet.
            self.steps.append(step)
        except BaseException:
            self._trim(len(self.steps))
            raise

    def cut(self, step: int) -> None:
        """Forget every row after `step`: a resumed run does those steps again."""
        self._trim(bisect_right(self.steps, step))

    def _append_rates(self, rates: dict[str, float]) -> None:
        if rates.keys() != self.rates.keys():
            self._add_rate_columns(rates)
        for name, column in self.rates.items():
            value = rates.get(name)
            column.append(_NAN if value is None else value)

    def _add_rate_columns(self, rates: dict[str, float]) -> None:
        for name in rates.keys() - self.rates.keys():
            self.rates[name] = array("d", [_NAN]) * len(self.steps)

    def _trim(self, rows: int) -> None:
        for column in self._columns():
            del column[rows:]

    def _columns(self) -> list[array[int] | array[float]]:
        told = (self.times, self.losses, self.prior_losses, self.grad_norms, self.seconds)
        return [self.steps, self.epochs, self.images, *told, *self.rates.values()]


class Ema:
    """Debiased exponential moving average as TensorBoard draws it (`data_transformer.ts`, line_chart_v2).

    s_t = w·s_{t-1} + (1-w)·x_t from s_0 = 0, shown as s_t / (1 - w^t): without the division the curve would start
    near zero. Values that are not finite pass through and do not count.
    """

    def __init__(self, smoothing: float) -> None:
        """`smoothing` is w: 0 shows the raw values, towards 1 is smoother."""
        if not 0.0 <= smoothing < 1.0:
            raise ValueError(f"smoothing must lie in [0, 1), not {smoothing}")
        self.smoothing = smoothing
        self.values = array("d")
        self._sum = 0.0
        self._bias = 1.0  # w^t

    def extend(self, values: Sequence[float]) -> array[float]:
        """Catch up with a longer `values`, of which the part already seen is unchanged; returns the whole curve."""
        keep, total, bias = self.smoothing, self._sum, self._bias
        for index in range(len(self.values), len(values)):
            value = values[index]
            if math.isfinite(value):
                total = keep * total + (1.0 - keep) * value
                bias *= keep
                value = total / (1.0 - bias)
            self.values.append(value)
        self._sum, self._bias = total, bias
        return self.values

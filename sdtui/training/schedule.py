"""The learning rate over a run, as a factor of the base rate; everything counts optimizer steps.

Counting optimizer steps, not batches or processes, keeps a schedule the same under accumulation and on several devices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sdtui.profile.rate_text import parse_rates, rate_at

if TYPE_CHECKING:
    from sdtui.profile.schema import Schedule


class Place(NamedTuple):
    """A step behind the warm-up: how many steps behind, of how many, and how long the warm-up was."""

    after: int
    steps: int
    warmup: int

    @property
    def progress(self) -> float:
        """From 0 at the end of the warm-up to 1, which lies one step after the last."""
        return min(1.0, self.after / max(1, self.steps))


def _constant(_place: Place, _settings: Schedule) -> float:
    return 1.0


def _linear(place: Place, _settings: Schedule) -> float:
    return 1.0 - place.progress


def _cosine(place: Place, _settings: Schedule) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * place.progress))


def _cosine_with_restarts(place: Place, settings: Schedule) -> float:
    """SGDR (Loshchilov & Hutter 2017) with cycles of one length."""
    if place.progress >= 1:
        return 0.0
    return 0.5 * (1.0 + math.cos(math.pi * (settings.cycles * place.progress % 1.0)))


def _polynomial(place: Place, settings: Schedule) -> float:
    return float((1.0 - place.progress) ** settings.power)


def _rex(place: Place, _settings: Schedule) -> float:
    """Reflected exponential (Chen et al. 2022): falls late."""
    left = 1.0 - place.progress
    return left / (0.5 + 0.5 * left)


def _sine(place: Place, settings: Schedule) -> float:
    return 0.5 * (1.0 + math.cos(2 * math.pi * settings.cycles * place.progress))


def _inverse_sqrt(place: Place, settings: Schedule) -> float:
    """As transformers has it: √(timescale / (steps behind the warm-up + timescale))."""
    timescale = settings.timescale or place.warmup or 10_000
    return math.sqrt(timescale / (place.after + timescale))


def _warmup_stable_decay(place: Place, settings: Schedule) -> float:
    """Constant, then a line to zero (Hu et al. 2024, MiniCPM)."""
    falling = min(place.steps, in_steps(settings.decay, place.steps + place.warmup))
    left = place.steps - place.after
    return min(1.0, max(0, left) / falling) if falling else 1.0


SCHEDULES: dict[str, Callable[[Place, Schedule], float]] = {
    "constant": _constant,
    "linear": _linear,
    "cosine": _cosine,
    "cosine_with_restarts": _cosine_with_restarts,
    "polynomial": _polynomial,
    "rex": _rex,
    "sine": _sine,
    "inverse_sqrt": _inverse_sqrt,
    "warmup_stable_decay": _warmup_stable_decay,
}


def in_steps(amount: float, total: int) -> int:
    """A whole number is steps already, a share (a float up to 1) is that of all steps."""
    return round(amount * total) if isinstance(amount, float) else amount


def rate_factor(settings: Schedule, step: int, total: int, learning_rate: float) -> float:
    """The factor on every base rate for optimizer step `step` (the first is 0) of `total`, which a text of rates may cut.

    Warm-up rises to 1 in equal parts and starts at 1/warmup: a first step at rate zero would train nothing. After it
    the schedule falls over the remaining steps, and would reach its end one step after the last. A text of rates is
    for `learning_rate`, and other base rates keep their proportion to it.
    """
    if settings.rates:
        return rate_at(parse_rates(settings.rates), step, total) / learning_rate
    warmup = in_steps(settings.warmup, total)
    if step < warmup:
        return (step + 1) / warmup
    factor = SCHEDULES[settings.name](Place(step - warmup, total - warmup, warmup), settings)
    return settings.min_factor + (1.0 - settings.min_factor) * factor

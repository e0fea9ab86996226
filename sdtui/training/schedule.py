"""The learning rate over a run, as a factor of the base rate; everything counts optimizer steps.

Counting optimizer steps, not batches or processes, keeps a schedule the same under accumulation and on several devices.
"""

from __future__ import annotations

import math
from collections.abc import Callable


def _constant(_progress: float) -> float:
    return 1.0


def _linear(progress: float) -> float:
    return 1.0 - progress


def _cosine(progress: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * progress))


SCHEDULES: dict[str, Callable[[float], float]] = {"constant": _constant, "linear": _linear, "cosine": _cosine}


def warmup_steps(warmup: float, total: int) -> int:
    """Warm-up in steps: a whole number is steps already, a fraction below 1 is a share of all steps."""
    return round(warmup * total) if 0 < warmup < 1 else int(warmup)


def rate_factor(name: str, step: int, total: int, warmup: int) -> float:
    """The factor in [0, 1] for optimizer step `step` (the first is 0) of `total`.

    Warm-up rises to 1 in equal parts and starts at 1/warmup: a first step at rate zero would train nothing. After it
    the schedule falls over the remaining steps, and would reach its end one step after the last.
    """
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, total - warmup)
    return SCHEDULES[name](min(1.0, progress))

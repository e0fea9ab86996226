"""A run at one moment, copied out of the reading thread so that nothing the screen holds ever changes under it."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from sdtui.runs.figures import Measurement, Message, Preview, Progress, SavedFile
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from sdtui.tui.monitor.device import DeviceTotals

# As many messages as anyone scrolls back on the monitor; log.txt has the rest.
MESSAGES = 200
# The part of the loss that teaches what to keep is shown as its mean over so many steps: that of one is mostly chance.
_STEPS = 50


@dataclass(frozen=True)
class Snapshot:
    """What the screen shows; see `runs.figures.Figures` for the meaning and units of the fields."""

    run: RunFolder
    state: str
    reason: str
    host: str
    phase: str
    over: bool
    step: int
    steps_total: int
    epoch: int
    epochs_total: int
    images_per_second: float | None
    eta_seconds: float | None
    seconds: float | None
    device: str
    totals: DeviceTotals | None
    progress: Progress | None
    steps: array[int]
    times: array[float]
    losses: array[float]
    measurements: tuple[Measurement, ...]
    prior_loss: float | None
    grad_norm: float | None
    rates: Mapping[str, array[float]]
    memory: Mapping[str, Any]
    timing: Mapping[str, float]
    previews: tuple[Preview, ...]
    checkpoints: tuple[SavedFile, ...]
    outputs: tuple[SavedFile, ...]
    messages: tuple[Message, ...]
    answers: Mapping[str, tuple[str, str]]


def take_snapshot(view: RunView, totals: DeviceTotals | None = None) -> Snapshot:
    """Copy what the screen needs; 100 000 steps are 4 MB, a millisecond."""
    series = view.series
    return Snapshot(
        run=view.run,
        state=view.state,
        reason=view.reason,
        host=view.host,
        phase=view.phase,
        over=view.over,
        step=view.step,
        steps_total=view.steps_total,
        epoch=view.epoch,
        epochs_total=view.epochs_total,
        images_per_second=view.images_per_second,
        eta_seconds=view.eta_seconds,
        seconds=view.seconds,
        device=view.device,
        totals=totals,
        progress=view.progress,
        steps=series.steps[:],
        times=series.times[:],
        losses=series.losses[:],
        measurements=tuple(view.measurements),
        prior_loss=_mean(series.prior_losses[-_STEPS:]),
        grad_norm=series.grad_norms[-1] if len(series) else None,
        rates={name: series.rates[name][:] for name in sorted(series.rates, key=_main_first)},
        memory=dict(view.memory),
        timing=dict(view.timing),
        previews=tuple(view.previews),
        checkpoints=tuple(view.checkpoints),
        outputs=tuple(view.outputs),
        messages=tuple(view.messages)[-MESSAGES:],
        answers=dict(view.answers),
    )


def _mean(values: array[float]) -> float | None:
    """The mean of what was told; None if nothing was."""
    told = [value for value in values if not math.isnan(value)]
    return fmean(told) if told else None


def _main_first(name: str) -> tuple[bool, str]:
    """The UNet's rate is the one drawn, so it comes first."""
    return name != "unet", name

"""Where a step's time goes and how fast the run is, measured without making the device wait."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import torch

PHASES = ("data", "forward", "backward", "optimizer", "other")

_WINDOW_STEPS = 50
_STATS_SECONDS = 1.0


class Marks:
    """The moments of one step: each `lap` ends the phase that ran since the one before.

    On a GPU the moments are CUDA events, read after the step's loss has arrived: the host only queued the work, so its
    own clock would measure nothing.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._laps: list[tuple[str, Any]] = [("", self._now())]

    def lap(self, phase: str) -> None:
        """`phase` ends here."""
        self._laps.append((phase, self._now()))

    def seconds(self) -> dict[str, float]:
        """Seconds by phase; on a GPU only once the step is known to have finished."""
        totals = dict.fromkeys(PHASES, 0.0)
        for (_, start), (phase, end) in zip(self._laps, self._laps[1:], strict=False):
            totals[phase] += start.elapsed_time(end) / 1000 if self._cuda else end - start
        return totals

    def _now(self) -> Any:
        if not self._cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event


@dataclass
class Pace:
    """Speed over the last fifty steps."""

    _steps: deque[tuple[int, float, dict[str, float]]] = field(default_factory=lambda: deque(maxlen=_WINDOW_STEPS))
    _next_stats: float = 0.0

    def add(self, images: int, seconds: float, phases: dict[str, float]) -> None:
        """Count a finished step of `images` images."""
        self._steps.append((images, seconds, phases))

    def due(self) -> bool:
        """Whether a second has passed since this last said yes: figures more often than that help nobody."""
        now = time.monotonic()
        if now < self._next_stats:
            return False
        self._next_stats = now + _STATS_SECONDS
        return True

    def images_per_second(self) -> float:
        """Images trained per second, pauses and saves left out."""
        return sum(images for images, _, _ in self._steps) / self._seconds()

    def eta_seconds(self, steps: int) -> float:
        """How long `steps` more steps take at this pace."""
        return steps * self._seconds() / len(self._steps)

    def shares(self) -> dict[str, float]:
        """Share of each phase in the time that was measured, 0…1; "other" holds what no phase claimed."""
        totals = {phase: sum(phases[phase] for _, _, phases in self._steps) for phase in PHASES}
        whole = max(self._seconds(), sum(totals.values()))
        totals["other"] += whole - sum(totals.values())
        return {phase: round(seconds / whole, 4) for phase, seconds in totals.items()}

    def _seconds(self) -> float:
        return max(1e-9, sum(seconds for _, seconds, _ in self._steps))

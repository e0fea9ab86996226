"""How long a training stage runs: a share done from 0 to 1, by steps or by minutes, that survives a restart."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

WARM_UP = 0.02


@dataclass
class Pace:
    """Counts steps and seconds spent; ends after `steps`, or after `minutes` when `steps` is 0."""

    minutes: float
    steps: int = 0
    step: int = 0
    seconds: float = 0.0
    _since: float = field(default_factory=time.monotonic)

    @property
    def done(self) -> float:
        """Share of the budget spent, 0…1."""
        spent = self.step / self.steps if self.steps else self._elapsed() / (60 * self.minutes)
        return min(spent, 1.0)

    def tick(self) -> bool:
        """Begin another step; False when the budget is spent."""
        if self.done >= 1:
            return False
        self.step += 1
        return True

    def learning_rate(self, peak: float) -> float:
        """Linear warm-up over the first 2 %, then half a cosine down to 1 % of `peak`."""
        warm = min(self.done / WARM_UP, 1.0)
        return peak * max(warm, 0.05) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.done)))

    def state(self) -> dict[str, float]:
        """What a resumed stage needs to go on."""
        return {"step": self.step, "seconds": self._elapsed()}

    def load(self, state: dict[str, float]) -> None:
        """Go on from `state()`."""
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        self._since = time.monotonic()

    def _elapsed(self) -> float:
        return self.seconds + time.monotonic() - self._since


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a resumable state so that a kill leaves the previous one."""
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    os.replace(temporary, path)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """One rate for every parameter group."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def device() -> torch.device:
    """A GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")

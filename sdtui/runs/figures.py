"""What a watcher knows of a run: the figures, curves, files and messages that its events add up to."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from sdtui.runs.series import SMOOTHING, Ema, Series

_MESSAGES = 2000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase is that counts something else than steps (caching, validating, sampling); `note`: what holds it up."""

    job: str
    done: int
    total: int
    unit: str
    per_second: float | None = None  # since the first event of the job
    begun: float = field(default=0.0, compare=False)  # when that was told, unix seconds
    first: int = field(default=0, compare=False)  # what was done then
    note: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """One finished preview image; `path` is relative to the run folder."""

    step: int
    index: int
    path: str
    prompt: str
    seed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """The loss of the held-out images after `step` steps, at unix time `t`: of all of them, and of each folder's.

    NaN stands for a loss that was not finite.
    """

    step: int
    t: float
    loss: float
    folders: dict[str, float]
    images: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A checkpoint folder or an output file that was written; `path` is relative to the run folder."""

    step: int
    path: str
    bytes: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Message:
    """A line for the log view: `level` is info, warning or error; `kind` is the event's."""

    t: float
    kind: str
    level: str
    text: str


class Figures:
    """The sum of a run's events so far; what no event has told yet is None, empty or zero.

    `phase` is what the trainer does (loading, caching, training, paused, validating, sampling, saving) or how it ended;
    `answers` maps a command's id to (status, message); `exit_code` is the failed trainer's; `said` counts all messages, also those no longer kept; `memory` and `timing` are the last `stats` event's.
    """

    def __init__(self) -> None:
        self.phase = ""
        self.ended = ""
        self.exit_code = 0
        self.schema = 0
        self.step = 0
        self.steps_total = 0
        self.epoch = 0
        self.epochs_total = 0
        self.images = 0
        self.resumed_from: str | int | None = None
        self.device = ""
        self.versions: dict[str, str] = {}
        self.progress: Progress | None = None
        self.series = Series()
        self.images_per_second: float | None = None
        self.eta_seconds: float | None = None
        self.memory: dict[str, Any] = {}
        self.timing: dict[str, float] = {}
        self.measurements: list[Measurement] = []
        self.previews: list[Preview] = []
        self.checkpoints: list[SavedFile] = []
        self.outputs: list[SavedFile] = []
        self.messages: deque[Message] = deque(maxlen=_MESSAGES)
        self.said = 0
        self.answers: dict[str, tuple[str, str]] = {}
        self.last_event = 0.0
        self.seconds: float | None = None
        self._ema: Ema | None = None

    @property
    def loss(self) -> float | None:
        """Loss of the last step."""
        return self.series.losses[-1] if len(self.series) else None

    @property
    def rates(self) -> dict[str, float]:
        """Learning rates of the last step, by name."""
        return {name: column[-1] for name, column in self.series.rates.items() if column}

    def ema(self, smoothing: float = SMOOTHING) -> array[float]:
        """The debiased moving average of the losses, one value per step; kept up incrementally."""
        if self._ema is None or self._ema.smoothing != smoothing:
            self._ema = Ema(smoothing)
        return self._ema.extend(self.series.losses)

    def cut(self, step: int) -> None:
        """Forget what was done after `step`: it is done again, and a curve must never run back and forth."""
        self.series.cut(step)
        self._ema = None
        self.step = step
        self.measurements = [measured for measured in self.measurements if measured.step <= step]
        self.previews = [preview for preview in self.previews if preview.step <= step]
        self.checkpoints = [saved for saved in self.checkpoints if saved.step <= step]

    def say(self, t: float, kind: str, level: str, text: str) -> None:
        """Add a line to the messages."""
        self.messages.append(Message(t, kind, level, text))
        self.said += 1

"""A few real steps of a profile, to learn what they take: by the real trainer, in a run folder that is gone afterwards.

The first step of a run has the heaviest batch there is, so a few steps tell the memory of all of them. Nothing is left
behind but encoded images and captions in the cache that all runs share.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sdtui.cli import INTERRUPTED
from sdtui.errors import SdtuiError
from sdtui.profile.load import freeze
from sdtui.profile.schema import Profile

if TYPE_CHECKING:
    from sdtui.runs.layout import RunFolder

_STEPS = 5
# The first warms kernels up.
_LEFT_OUT = 1
_MIB = 1 << 20
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a few steps took.

    Args:
        device: that they were taken on.
        precision: that the frozen model computed in.
        threads: of the processor.
        peak_bytes: the most memory that was held: of the process on the processor, of PyTorch on a GPU.
        seconds_per_step: of the steps after the first.
        images_per_second: in these.
    """

    device: str
    precision: str
    threads: int
    peak_bytes: int
    seconds_per_step: float
    images_per_second: float


def rehearse(profile: Profile) -> Rehearsed:
    """Take the first steps of a run of `profile`, progress on stderr.

    Raises:
        SdtuiError: they could not be taken; the message is the trainer's.
        KeyboardInterrupt: they were called off.
    """
    from sdtui.cli.progress import follow, interrupts
    from sdtui.runs import launch
    from sdtui.runs.events import EventReader

    with interrupts() as received, TemporaryDirectory(prefix="sdtui-measure-") as folder:
        runs = Path(folder)
        run = launch.start(freeze(shortened(profile, runs), runs), runs, "measure", steps_total=_STEPS)
        try:
            code = follow([run], sys.stderr, stop_on_interrupt=False, received=received, kept=False)
            events = EventReader(run.events_file).poll()
        finally:
            _end(run)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code:
        raise SdtuiError("the first steps could not be taken, so nothing was measured")
    return read(events)


def _end(run: RunFolder) -> None:
    """See that nobody writes into a folder that is about to go: a trainer that still lives is killed with all it started.

    Told to stop, it would first save what nobody wants, as large as the model.
    """
    from sdtui.runs import lock, record

    while lock.is_held(run):
        # Whoever holds the lock wrote its number, or is about to: no other process ever had this folder.
        if pid := record.read(run).pid:
            with suppress(ProcessLookupError):
                os.killpg(os.getpgid(pid), signal.SIGKILL)
        time.sleep(_LOOK_SECONDS)


def shortened(profile: Profile, runs: Path) -> Profile:
    """The same work for a few steps: no previews, no checkpoints, nothing measured or written on the way."""
    nothing = {"every_steps": 0, "every_epochs": 0}
    changes: Mapping[str, dict[str, Any]] = {
        "training": {"steps": _STEPS, "epochs": None},
        "schedule": {"rates": ""},
        "previews": {"every": 0, "every_epochs": 0, "at_start": False, "prompts": ()},
        "saving": {**nothing, "every_minutes": 0},
        "validation": nothing,
        # Without the other machines: what this one needs does not depend on them.
        "launch": {"runs": str(runs), "machines": 1, "machine_rank": 0, "main_address": ""},
    }
    sections = {name: getattr(profile, name).model_copy(update=values) for name, values in changes.items()}
    return profile.model_copy(update=sections)


def read(events: Iterable[Mapping[str, Any]]) -> Rehearsed:
    """What the events of such a run say."""
    told = list(events)
    begun = next(event for event in told if event["kind"] == "run")
    steps = [event for event in told if event["kind"] == "step"][_LEFT_OUT:]
    seconds = sum(step["seconds"] for step in steps)
    return Rehearsed(
        device=begun["device"],
        precision=begun["precision"],
        threads=begun["threads"],
        peak_bytes=max(event["memory"]["peak_mib"] for event in told if event["kind"] == "stats") * _MIB,
        seconds_per_step=seconds / len(steps),
        images_per_second=sum(step["images"] for step in steps) / seconds,
    )

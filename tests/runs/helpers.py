"""Waiting for other processes without guessing how long they take."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from sdtui.runs import launch, record, registry
from sdtui.runs.events import Event, EventReader
from sdtui.runs.layout import RunFolder
from tests.runs.fake_trainer import MODULE, profile

PATIENCE_SECONDS = 120.0


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited two minutes for {what}")
        time.sleep(0.02)


def begin(
    runs_dir: Path, name: str = "lora", *, steps: int = 3, seconds: float = 0.0, save_every: int = 0, fail: str = ""
) -> RunFolder:
    return launch.start(profile(steps, seconds, save_every, fail), runs_dir, name, steps_total=steps, module=MODULE)


def ended(run: RunFolder) -> registry.RunInfo:
    until(lambda: not registry.inspect(run).held, f"the end of {run.name}")
    return registry.inspect(run)


def in_step(run: RunFolder, step: int = 1) -> int:
    """Wait until the trainer has reported `step`; returns its pid."""
    until(lambda: any(event["step"] >= step for event in of_kind(run, "step")), f"step {step}")
    return record.read(run).pid


def of_kind(run: RunFolder, kind: str) -> list[Event]:
    return [event for event in EventReader(run.events_file).poll() if event["kind"] == kind]

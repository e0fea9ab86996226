"""A run folder that lives: its lock is held and its log holds plausible steps, without a trainer behind it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdtui.runs import lock, record
from sdtui.runs.layout import RunFolder

STEPS_TOTAL = 3000


@contextmanager
def live_run(workspace: Path, steps: int = 200) -> Iterator[RunFolder]:
    """A run named `bench` in `workspace`/runs that is `steps` steps in, alive until the block ends."""
    run = RunFolder.create(workspace / "runs", "bench")
    run.profile_file.write_text('name = "bench"\n')
    write_steps(run.events_file, steps)
    with lock.acquire(run.lock_file):
        record.write(run, record.RunRecord(state="running", step=steps, steps_total=STEPS_TOTAL))
        yield run


def write_steps(path: Path, steps: int) -> None:
    """An event log of `steps` steps, two a second, as a trainer writes it."""
    begun = 1_760_000_000.0
    opening = {
        "t": begun,
        "kind": "run",
        "schema": 1,
        "run": "bench",
        "steps_total": max(steps, STEPS_TOTAL),
        "epochs_total": 8,
    }
    with path.open("w") as log:
        log.write(json.dumps(opening | {"images": 24, "resumed_from": None, "versions": {}, "device": "cpu"}) + "\n")
        log.write(json.dumps({"t": begun, "kind": "state", "state": "training", "reason": ""}) + "\n")
        for step in range(1, steps + 1):
            loss = 0.08 + 0.1 / (1 + step / 50) + 0.03 * math.sin(step * 1.7) ** 2
            event = {"t": begun + step / 2, "kind": "step", "step": step, "epoch": 1 + step // 400, "loss": loss}
            log.write(json.dumps(event | {"lr": {"unet": 1e-4}, "grad_norm": 0.2, "seconds": 0.5, "images": 2}) + "\n")

"""A trainer that speaks the protocol and trains nothing: `python -m tests.runs.fake_trainer RUN`, started as the real one.

Its profile has one table: `[fake]` with steps, seconds (per step), save_every, and fail ("early", "late" or "").
"""

from __future__ import annotations

import os
import signal
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

from sdtui.runs import lock, record
from sdtui.runs.control import Inbox
from sdtui.runs.events import EventWriter
from sdtui.runs.layout import SCHEMA, RunFolder

MODULE = "tests.runs.fake_trainer"


def profile(steps: int = 3, seconds: float = 0.0, save_every: int = 0, fail: str = "") -> str:
    return f'[fake]\nsteps = {steps}\nseconds = {seconds}\nsave_every = {save_every}\nfail = "{fail}"\n'


def main(path: str) -> None:
    run = RunFolder(Path(path))
    settings = _settings(run)
    if settings["fail"] == "early":
        sys.exit("ImportError: no module named torch")
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    with lock.hold(run), EventWriter(run.events_file) as events:
        record.update(run, state="running", pid=os.getpid())
        saved = run.complete_checkpoints()
        first = saved[-1][0] if saved else 0
        events.write("run", schema=SCHEMA, run=run.name, steps_total=settings["steps"], device="cpu")
        if saved:
            events.write("resumed", step=first)
        events.write("state", state="training", reason="")
        state = _train(run, events, settings, first, stopping)
        if state == "failed":
            events.write("error", message="loss is not a number", where="step 2", remedy="", images=["a.png"])
        if state == "finished":
            (run.output_dir / "fake.safetensors").write_bytes(b"weights")
            events.write("output", path="output/fake.safetensors", bytes=7, step=settings["steps"])
        events.write("state", state=state, reason="")
        record.update(run, state=state, step=settings["steps"], ended=time.time())
        events.write("finished", state=state, step=settings["steps"], seconds=0.1)


def _settings(run: RunFolder) -> dict[str, Any]:
    """The fake table; for a real profile its number of steps, slow when that is large."""
    found = tomllib.loads(run.profile_file.read_text())
    if "fake" in found:
        return dict(found["fake"])
    steps = found["training"]["steps"]
    return {"steps": steps, "seconds": 0.01 if steps > 100 else 0.0, "save_every": 0, "fail": ""}


def _train(
    run: RunFolder, events: EventWriter, settings: dict[str, Any], first: int, stopping: list[int]
) -> record.State:
    inbox, paused = Inbox(run), False
    step = first
    while step < settings["steps"]:
        for command in inbox.take():
            known = command.name in {"stop", "pause", "unpause", "set"}
            status, message = ("done", "") if known else ("refused", f"no {command.name} here")
            events.write("control", command=command.name, id=command.id, status=status, message=message)
            if command.name == "stop":
                stopping.append(0)
            if command.name in {"pause", "unpause"}:
                paused = command.name == "pause"
                events.write("state", state="paused" if paused else "training", reason="")
        if stopping:
            return "stopped"
        time.sleep(settings["seconds"])
        if paused:
            continue
        step += 1
        if settings["fail"] == "late" and step == 2:
            return "failed"
        events.write(
            "step", step=step, epoch=1, loss=1.0 / step, lr={"unet": 1e-4}, grad_norm=0.5, seconds=0.01, images=1
        )
        if settings["save_every"] and step % settings["save_every"] == 0:
            run.checkpoint_dir(step).mkdir(parents=True)
            (run.checkpoint_dir(step) / "complete").touch()
            events.write("checkpoint", step=step, path=f"checkpoints/step-{step:06d}", bytes=0, seconds=0.0)
    return "finished"


if __name__ == "__main__":
    main(sys.argv[1])

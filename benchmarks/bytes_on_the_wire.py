"""Bytes written to the terminal per second: the app idle, and the monitor beside a run at two steps a second."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fake_run import live_run
from benchmarks.result import Result
from benchmarks.terminal import Pty, sdtui
from sdtui.runs.events import EventWriter

SECONDS = 20.0


def measure() -> list[Result]:
    return [idle(), monitor()]


def idle() -> Result:
    with TemporaryDirectory() as folder, Pty(sdtui(folder), env={"SDTUI_STATE": f"{folder}/.state"}) as screen:
        screen.seconds_until(b"profiles")
        screen.settle(quiet=2.0)
        written = screen.count_for(SECONDS / 2)
    return Result("bytes per second, app idle", written / (SECONDS / 2), 0, "B/s", f"over {SECONDS / 2:.0f} s")


def monitor() -> Result:
    """The monitor of a live run whose step events arrive twice a second."""
    with TemporaryDirectory() as folder, live_run(Path(folder)) as run, open_monitor(folder) as screen:
        stop = threading.Event()
        writer = threading.Thread(target=step_twice_a_second, args=(run.events_file, stop))
        writer.start()
        screen.count_for(3.0)
        written = screen.count_for(SECONDS)
        stop.set()
        writer.join()
    return Result(
        "bytes per second, monitor at 2 steps/s", written / SECONDS, 4000, "B/s", f"120×36, over {SECONDS:.0f} s"
    )


def open_monitor(folder: str) -> Pty:
    """Sdtui on the workspace `folder`, at the monitor."""
    screen = Pty(sdtui(folder), env={"SDTUI_STATE": f"{folder}/.state"})
    screen.seconds_until(b"profiles")
    screen.settle(quiet=1.0)
    screen.type(b"3")
    screen.settle(quiet=2.0, limit=10)
    return screen


def step_twice_a_second(path: Path, stop: threading.Event) -> None:
    """Append what a trainer would, twice a second, until told to stop."""
    writer = EventWriter(path)
    step = 200
    while not stop.wait(0.5):
        step += 1
        loss = 0.1 + 0.05 * math.sin(step / 7) ** 2
        writer.write("step", step=step, epoch=1, loss=loss, lr={"unet": 1e-4}, grad_norm=0.2, seconds=0.5, images=2)
        shares = {"data": 0.01, "forward": 0.38, "backward": 0.57, "optimizer": 0.03, "other": 0.01}
        memory = {"kind": "process", "used_mib": 900 + step % 3, "peak_mib": 1000, "total_mib": 24000}
        eta = (3000 - step) * 0.5
        writer.write("stats", step=step, images_per_second=4.0, eta_seconds=eta, time=shares, memory=memory)

"""Opening a run of 100 000 step events, over reading the same file and parsing each line as JSON."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.fake_run import write_steps
from benchmarks.result import Result
from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView

EVENTS = 100_000
ROUNDS = 5


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        write_steps(run.events_file, EVENTS)
        ours, floor = [], []
        for _ in range(ROUNDS):
            floor.append(timed(lambda: parse(run.events_file)))
            ours.append(timed(lambda: opened(run)))
    seconds = statistics.median(ours)
    detail = f"{seconds / statistics.median(floor):.2f}× of json.loads per line, {EVENTS:,} events, median of {ROUNDS}"
    return [Result("open a run of 100 000 steps", seconds, 0.5, "s", detail)]


def timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def parse(path: Path) -> None:
    with path.open("rb") as log:
        assert sum(1 for line in log if json.loads(line)) == EVENTS + 2


def opened(run: RunFolder) -> None:
    view = RunView(run)
    view.refresh()
    assert view.step == EVENTS

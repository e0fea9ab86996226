"""Time per training step over a bare PyTorch loop doing the same work, alternating, each a process of its own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.result import Result
from benchmarks.training_run import BATCH, RANK, SIDE, finished_run, model

ROUNDS = 3
STEPS = 120
WARM_UP = 15


def measure() -> list[Result]:
    ours, bare = [], []
    with TemporaryDirectory() as folder:
        for index in range(ROUNDS):
            bare.append(bare_milliseconds())
            ours.append(run_milliseconds(Path(folder) / f"run{index}"))
    ratio = statistics.median(mine / floor for mine, floor in zip(ours, bare, strict=True))
    detail = f"sdtui {statistics.median(ours):.1f} ms, bare loop {statistics.median(bare):.1f} ms, pairs {ROUNDS}, fp32, batch {BATCH}"
    return [Result("training step over a bare PyTorch loop", ratio, 1.05, "×", detail)]


def bare_milliseconds() -> float:
    numbers = [str(number) for number in (STEPS, BATCH, SIDE, RANK)]
    command = [sys.executable, "-m", "benchmarks.bare_loop", str(model()), *numbers]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def run_milliseconds(folder: Path) -> float:
    """Median over steady steps of the time between two step events."""
    run = finished_run(folder, STEPS)
    events = [json.loads(line) for line in run.events_file.read_text().splitlines()]
    seconds: list[float] = [event["seconds"] for event in events if event["kind"] == "step"]
    return statistics.median(seconds[WARM_UP:]) * 1000

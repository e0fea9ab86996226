"""bf16 over fp32 where `training.precision = "auto"` takes bf16: time a step, and how far the losses of the same steps differ."""

from __future__ import annotations

import json
import statistics
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.result import Result
from benchmarks.training_run import command, environment, prepare

ROUNDS = 2
STEPS = 12
WARM_UP = 2
# The starter has 12 million weights: weights × pixels of an image are 2 · 10¹² from 416 px on.
WORK = {
    "512 px, batch 1": ("dataset.resolution=512", "dataset.bucket_max=512", "training.batch_size=1"),
}


def measure() -> list[Result]:
    with TemporaryDirectory() as folder:
        return [each for name, changes in WORK.items() for each in compared(name, changes, Path(folder) / name[:3])]


def compared(name: str, changes: tuple[str, ...], folder: Path) -> list[Result]:
    """Pairs of runs, one after the other."""
    ratios, differences, shown = [], [], ""
    for number in range(ROUNDS):
        whole, half = (
            steps(folder / f"{precision}{number}", (*changes, f"training.precision={precision}"))
            for precision in ("fp32", "bf16")
        )
        seconds = [statistics.median(step["seconds"] for step in run[WARM_UP:]) for run in (whole, half)]
        ratios.append(seconds[1] / seconds[0])
        losses = [statistics.mean(step["loss"] for step in run) for run in (whole, half)]
        differences.append(abs(losses[1] / losses[0] - 1))
        shown = f"fp32 {seconds[0] * 1000:.0f} ms, bf16 {seconds[1] * 1000:.0f} ms in the last of {ROUNDS} pairs"
    return [
        Result(f"bf16 over fp32, {name}", statistics.median(ratios), 1.0, "×", shown),
        Result(f"loss, {name}", max(differences), 0.01, "", f"difference of the mean loss of the same {STEPS} steps"),
    ]


def steps(folder: Path, changes: tuple[str, ...]) -> list[dict[str, float]]:
    """The step events of a run."""
    run = prepare(folder, STEPS, changes=changes)
    subprocess.run(command(run), check=True, capture_output=True, env=environment(run))
    events = [json.loads(line) for line in run.events_file.read_text().splitlines()]
    return [event for event in events if event["kind"] == "step"]

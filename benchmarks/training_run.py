"""A small training run for the benchmarks: the starter's model and images, through the real trainer process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import sdtui
from sdtui.profile.load import freeze, load_profile
from sdtui.runs.layout import RunFolder
from sdtui.runs.record import RunRecord, write

BATCH = 4
SIDE = 64
RANK = 16
PROFILE = """
schema = 1
[model]
base = "{base}"
[method]
rank = {rank}
alpha = {rank}.0
[dataset]
resolution = {side}
bucket_step = 64
bucket_min = 64
bucket_max = 64
[[dataset.folders]]
path = "{images}"
[training]
steps = {steps}
batch_size = {batch}
precision = "fp32"
[previews]
every = 0
at_start = false
[saving]
keep_last = 1
"""


def model() -> Path:
    """The starter's pipeline."""
    return Path(sdtui.__file__).parent / "starter" / "model"


def write_profile(path: Path, steps: int, images: Path | None = None) -> Path:
    """The profile that the benchmarks' runs differ from by a few settings only; returns `path`."""
    images = images or Path(sdtui.__file__).parent / "starter" / "images"
    path.write_text(PROFILE.format(base=model(), images=images, steps=steps, batch=BATCH, side=SIDE, rank=RANK))
    return path


def prepare(folder: Path, steps: int, images: Path | None = None, changes: Sequence[str] = ()) -> RunFolder:
    """A run folder with its frozen profile; `images`: the starter's unless given; `changes`: as for `--set`."""
    folder.mkdir(parents=True, exist_ok=True)
    profile = write_profile(folder / "bench.toml", steps, images)
    run = RunFolder.create(folder / "runs", "bench")
    run.profile_file.write_text(freeze(load_profile(profile, changes), folder))
    write(run, RunRecord(state="starting", steps_total=steps))
    return run


def command(run: RunFolder) -> list[str]:
    """The trainer's command line."""
    return [sys.executable, "-m", "sdtui.training", str(run.path)]


def environment(run: RunFolder) -> dict[str, str]:
    """A cache of the run's own, so that every run does all its work."""
    return {**os.environ, "SDTUI_CACHE": str(run.path.parent.parent / "cache")}


def finished_run(folder: Path, steps: int, images: Path | None = None) -> RunFolder:
    """Train `steps` steps to the end."""
    return run_through(prepare(folder, steps, images))


def run_through(run: RunFolder) -> RunFolder:
    """Train a prepared run to its end."""
    subprocess.run(command(run), check=True, capture_output=True, env=environment(run))
    return run


def seconds_to_first_step(folder: Path) -> float:
    """Seconds from the trainer's start until its first step event is on disk; then it is killed."""
    run = prepare(folder, 1000)
    begun = time.perf_counter()
    trainer = subprocess.Popen(command(run), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(run))
    while not (run.events_file.exists() and b'"kind":"step"' in run.events_file.read_bytes()):
        if trainer.poll() is not None:
            raise RuntimeError(f"the trainer ended with {trainer.returncode} before its first step")
        time.sleep(0.01)
    seconds = time.perf_counter() - begun
    trainer.kill()
    trainer.wait()
    return seconds

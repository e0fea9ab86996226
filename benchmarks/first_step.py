"""From `sdtui train` to the first step, 216 images, the whole of it: checking, starting the trainer, importing torch, caching.

The model is the size (`tiny`) at which other trainers took 6.5 s (diffusers, which caches nothing and pays at each step), 24 s
(OneTrainer) and 14 to 55 s (kohya) on a machine like this. Cold: no latents, captions or digests cached; warm: all of them.
The kernel's own cache of files is warm in both.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.result import Result
from benchmarks.sizes import SIZES, make_images, make_model
from benchmarks.training_run import write_profile
from sdtui.runs import record
from sdtui.runs.layout import RunFolder

IMAGES = 216
PIXELS = 512  # of an image's side as it lies on the disk
ROUNDS = 3
BARS = {"cold": 9.0, "warm": 6.0}


def measure() -> list[Result]:
    seconds: dict[str, list[float]] = {"cold": [], "warm": []}
    side = SIZES["tiny"].side
    with TemporaryDirectory() as folder:
        model = make_model(Path(folder) / "model", "tiny")
        images = make_images(Path(folder) / "images", IMAGES, PIXELS)
        size = (f"dataset.resolution={side}", f"dataset.bucket_min={side}", f"dataset.bucket_max={side}")
        for number in range(ROUNDS):
            place = Path(folder) / f"round{number}"
            place.mkdir()
            write_profile(place / "bench.toml", 1000, images)
            for taken in seconds.values():
                taken.append(start(place, (f"model.base={model}", "training.batch_size=1", *size)))
    return [row(state, taken) for state, taken in seconds.items()]


def row(state: str, taken: list[float]) -> Result:
    detail = f"{IMAGES} images of {PIXELS} px trained at {SIZES['tiny'].side}, median of {ROUNDS}: " + ", ".join(
        f"{each:.1f}" for each in taken
    )
    return Result(f"sdtui train to the first step, {state} caches", statistics.median(taken), BARS[state], "s", detail)


def start(place: Path, changes: tuple[str, ...]) -> float:
    """Seconds until the first step's event is on disk; the trainer is killed then."""
    changed = [word for change in changes for word in ("--set", change)]
    command = [sys.executable, "-m", "sdtui", "train", "bench.toml", "--detach", *changed]
    environment = {**os.environ, "SDTUI_CACHE": str(place / "cache")}
    begun = time.perf_counter()
    told = subprocess.run(command, cwd=place, env=environment, check=True, capture_output=True, text=True).stdout
    run = RunFolder(Path(told.strip()))
    while not (run.events_file.exists() and b'"kind":"step"' in run.events_file.read_bytes()):
        if record.read(run).state == "failed":
            raise RuntimeError(f"the trainer failed, see {run.log_file}")
        time.sleep(0.01)
    seconds = time.perf_counter() - begun
    os.kill(record.read(run).pid, signal.SIGKILL)
    return seconds

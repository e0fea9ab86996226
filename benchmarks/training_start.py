"""Start to the first step, over importing torch and diffusers and loading the same model alone."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.result import Result
from benchmarks.training_run import model, seconds_to_first_step

ROUNDS = 5
LOAD = """
import sys, torch, diffusers
diffusers.StableDiffusionPipeline.from_pretrained(sys.argv[1], torch_dtype=torch.float32, safety_checker=None)
"""


def measure() -> list[Result]:
    ours, floor = [], []
    with TemporaryDirectory() as folder:
        for index in range(ROUNDS):
            floor.append(loading_seconds())
            ours.append(seconds_to_first_step(Path(folder) / f"run{index}"))
    ratio = statistics.median(ours) / statistics.median(floor)
    detail = f"sdtui {statistics.median(ours):.1f} s, loading alone {statistics.median(floor):.1f} s, medians of {ROUNDS}, cold cache"
    return [Result("start to first step over loading the model", ratio, 1.3, "×", detail)]


def loading_seconds() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", LOAD, str(model())], check=True, capture_output=True)
    return time.perf_counter() - begun

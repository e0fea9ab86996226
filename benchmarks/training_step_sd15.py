"""The same as `training_step` on a model of Stable Diffusion 1.5's real size, 256 px: ten minutes, and 20 GB of memory."""

from __future__ import annotations

from benchmarks.result import Result
from benchmarks.training_step import same_modules


def measure() -> list[Result]:
    return same_modules(
        "sd15",
        {"kohya-like": 1, "OneTrainer-like": 1, "bare": 0.95},
        {"kohya-like": 1.7, "OneTrainer-like": 1.7, "bare bf16": 0.95},
        turns=4,
        steps=3,
    )

"""The plan's estimate of memory over the peak of the trainer's process, for runs of the starter that differ in what costs memory."""

from __future__ import annotations

import os
import subprocess
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.result import Result
from benchmarks.training_run import command, environment, prepare
from sdtui.dataset.collect import collect
from sdtui.models.recognise import plan_parts
from sdtui.profile.load import load_frozen
from sdtui.profile.memory import Memory, estimate, images_at_once
from sdtui.runs.layout import RunFolder

STEPS = 3
BAR = 0.15
_MIB = 1 << 20


CONFIGURATIONS = {
    "64 px, batch 1": ("training.batch_size=1",),
    "128 px, batch 8": ("dataset.resolution=128", "dataset.bucket_max=128", "training.batch_size=8"),
    "128 px, batch 8, rank 128": (
        "dataset.resolution=128", "dataset.bucket_max=128", "training.batch_size=8", "method.rank=128",
    ),
    "256 px, batch 8": ("dataset.resolution=256", "dataset.bucket_max=256", "training.batch_size=8"),
    "256 px, batch 8, bf16": (
        "dataset.resolution=256", "dataset.bucket_max=256", "training.batch_size=8", "training.precision=bf16",
    ),
    "256 px, batch 8, gradient checkpointing": (
        "dataset.resolution=256", "dataset.bucket_max=256", "training.batch_size=8",
        "training.gradient_checkpointing=true",
    ),
    "256 px, batch 8, bf16, base in 8 bits": (
        "dataset.resolution=256", "dataset.bucket_max=256", "training.batch_size=8", "training.precision=bf16",
        "training.base_precision=8bit",
    ),
    "256 px, batch 8, base in 4 bits": (
        "dataset.resolution=256", "dataset.bucket_max=256", "training.batch_size=8", "training.base_precision=4bit",
    ),
    "256 px, batch 8, 2 at once": (
        "dataset.resolution=256", "dataset.bucket_max=256", "training.batch_size=8", "training.at_once=2",
    ),
    "128 px, batch 8, LoHa": (
        "dataset.resolution=128", "dataset.bucket_max=128", "training.batch_size=8", "method.algorithm=loha",
    ),
    "128 px, batch 8, full difference": (
        "dataset.resolution=128", "dataset.bucket_max=128", "training.batch_size=8", "method.algorithm=full",
    ),
    "128 px, batch 8, OFT": (
        "dataset.resolution=128", "dataset.bucket_max=128", "training.batch_size=8", "method.algorithm=oft",
    ),
}  # fmt: skip


def measure() -> list[Result]:
    with TemporaryDirectory() as folder:
        return [
            result(name, prepare(Path(folder) / str(number), STEPS, changes=changes))
            for number, (name, changes) in enumerate(CONFIGURATIONS.items())
        ]


def result(name: str, run: RunFolder) -> Result:
    """One run: how far the estimate is off, as a share of what was measured."""
    told, peak = estimated(run), peak_bytes(run) / _MIB
    parts = ", ".join(
        f"{part} {getattr(told, part) / _MIB:.0f}"
        for part in ("programs", "frozen", "trained", "activations", "working")
    )
    detail = f"estimate {told.bytes / _MIB:.0f} MiB ({parts}), peak {peak:.0f} MiB"
    return Result(f"memory, {name}", abs(told.bytes / _MIB / peak - 1), BAR, "", detail)


def estimated(run: RunFolder) -> Memory:
    """What the plan says of the run."""
    profile = load_frozen(run.profile_file)
    buckets = [sample.bucket for sample in collect(profile).samples]
    parts = plan_parts(profile)
    found = estimate(profile, buckets, parts, images=images_at_once(profile, max(buckets, key=prod), parts))
    if found is None:
        raise RuntimeError("the model's configs cannot be read")
    return found


def peak_bytes(run: RunFolder) -> int:
    """The most that was resident of the run's process, as the kernel counts it."""
    trainer = subprocess.Popen(command(run), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(run))
    _, status, used = os.wait4(trainer.pid, 0)
    if status:
        raise RuntimeError(f"the trainer failed, see {run.log_file}")
    return used.ru_maxrss * 1024

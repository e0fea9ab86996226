"""What settings that save memory, or are meant for a GPU, cost on the processor: a step with each over one without.

Runs of the `small` model (256 px, batch 1, one thread) take turns, first in fp32, then in bf16. Beside each figure stands how far
the losses are apart: not at all by recomputing or another layout, by what was rounded where the base is kept in fewer bits.
Takes three minutes.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.result import Result
from benchmarks.sizes import Work
from benchmarks.training_step import NEAR, SAME, whole_loss
from benchmarks.turns import OURS, Program, alternate

TURNS, STEPS = 4, 2


class Case(NamedTuple):
    """A setting, the most that it may cost, and how far it may move the losses, per cent."""

    change: str
    cost: float
    apart: float


CASES = (
    Case("training.base_precision=8bit", 1.35, NEAR),
    Case("training.base_precision=4bit", 1.5, 5.0),
    Case("training.gradient_checkpointing=true", 1.45, SAME),
    Case("training.channels_last=true", 1.5, SAME),
)


def measure() -> list[Result]:
    return [result for precision in ("fp32", "bf16") for result in compare(precision)]


def compare(precision: str) -> list[Result]:
    """Each setting in that precision."""
    with TemporaryDirectory() as folder:
        work = Work(Path(folder), "small", TURNS * STEPS)
        runs = [work.run(precision), *(work.run(precision, case.change) for case in CASES)]
        plain, *others = (each[OURS] for each in alternate([Program(run, [OURS]) for run in runs], TURNS, STEPS))
    results = []
    for case, found in zip(CASES, others, strict=True):
        what = f"small, {precision}, {case.change.removeprefix('training.')}"
        detail = f"{found.milliseconds:.1f} ms of processor, without {plain.milliseconds:.1f}; one thread"
        apart = whole_loss(f"{what}: losses", found, plain, max(case.apart, NEAR if precision == "bf16" else 0))
        results += [Result(f"{what}: time of a step", 1 / found.times_faster(plain), case.cost, "×", detail), apart]
    return results

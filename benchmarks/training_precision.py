"""What `training.precision = "auto"` takes, against what it leaves: time a step, and how far the losses of the same steps are apart.

Just above the rule's threshold (35.0 M weights at 256 px) auto takes bf16, below it fp32. Runs of both take turns in
one thread; each figure is the time of what auto takes over the other's. Takes three minutes.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.result import Result
from benchmarks.sizes import Work
from benchmarks.training_step import whole_loss
from benchmarks.turns import OURS, Program, alternate
from sdtui.models.recognise import plan_parts
from sdtui.profile.load import load_frozen
from sdtui.profile.machine import processor_flags
from sdtui.profile.precision import on_processor


class Case(NamedTuple):
    """A size at a number of pixels, in so many turns of so many steps."""

    size: str
    side: int
    turns: int
    steps: int


CASES = (Case("tiny", 128, 4, 6), Case("small", 128, 4, 4), Case("small", 256, 8, 6))
BAR = 1.0


def measure() -> list[Result]:
    return [result for case in CASES for result in compare(case)]


def compare(case: Case) -> list[Result]:
    """The two precisions, and which of them auto takes."""
    with TemporaryDirectory() as folder:
        work = Work(Path(folder), case.size, case.turns * case.steps, case.side)
        runs = {precision: work.run(precision) for precision in ("fp32", "bf16")}
        profile = load_frozen(work.run("auto").profile_file)
        chosen = on_processor(profile, plan_parts(profile), processor_flags())
        fp32, bf16 = alternate([Program(run, [OURS]) for run in runs.values()], case.turns, case.steps)
    found = {"fp32": fp32[OURS], "bf16": bf16[OURS]}
    other = "fp32" if chosen == "bf16" else "bf16"
    ratio = 1 / found[chosen].times_faster(found[other])
    what = f"{case.size}, {case.side} px"
    detail = ", ".join(f"{name} {each.milliseconds:.1f} ms of processor" for name, each in found.items())
    return [
        Result(f"{what}: auto takes {chosen}, over {other}", ratio, BAR, "×", f"{detail}, one thread"),
        whole_loss(f"{what}: losses in bf16 against fp32", found["bf16"], found["fp32"]),
    ]

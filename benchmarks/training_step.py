"""A LoRA step over the same work done as other trainers do it, and over bare loops: tiny and small models, one thread, batch 1.

All loops train the same modules from the same start on the same inputs; they take turns, and each figure stands beside
how far the losses of the same steps are apart. What the others are: `benchmarks.peers`. Takes four minutes.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.result import Result
from benchmarks.sizes import Work
from benchmarks.turns import OURS, Outcome, Program, alternate

# How far losses may be apart, per cent: those of one step in fp32 (sums in another order, carried through the steps before),
# and in bf16 the last and the mean of all.
SAME, NEAR = 0.1, 1.0
ATTENTION = 'method.targets=["attention"]'

# What its presets do not set, but its users may.
FUSED = "OneTrainer-like, fused AdamW"

# Against whom, and how many of our steps for one of theirs.
Bars = Mapping[str, float]


def measure() -> list[Result]:
    return [
        *same_modules(
            "tiny",
            {"kohya-like": 1.25, "OneTrainer-like": 1.25, FUSED: 1, "peft": 1, "bare": 0.95},
            {},
            turns=9,
            steps=8,
        ),
        *same_modules(
            "small",
            {"kohya-like": 1.05, "OneTrainer-like": 1.05, FUSED: 1, "peft": 1, "bare": 0.95},
            {"kohya-like": 1.3, "OneTrainer-like": 1.3, "bare bf16": 0.95},
            turns=6,
            steps=3,
        ),
        *script("small", turns=6, steps=3),
    ]


def same_modules(size: str, whole: Bars, half: Bars, *, turns: int, steps: int) -> list[Result]:
    """192 modules: ours in fp32, and in bf16 where there are bars for it, against loops with the same modules."""
    words = list(dict.fromkeys([*whole, *half]))
    return compare(size, words, whole, half, (), turns=turns, steps=steps)


def script(size: str, *, turns: int, steps: int) -> list[Result]:
    """128 modules, against a loop that encodes image and text at each step, as diffusers' script does."""
    bars = ({"diffusers-like": 1.4}, {"diffusers-like": 1.8})
    return compare(size, ["diffusers-like"], *bars, (ATTENTION,), turns=turns, steps=steps)


def compare(
    size: str, words: Sequence[str], whole: Bars, half: Bars, changes: tuple[str, ...], *, turns: int, steps: int
) -> list[Result]:
    """Ours against the loops of these `words`, in as many `turns` of `steps` steps."""
    with TemporaryDirectory() as folder:
        work = Work(Path(folder), size, turns * steps, changes=changes)
        programs = [Program(work.run("fp32"), [OURS]), Program(work.run("fp32"), words)]
        if half:
            programs.append(Program(work.run("bf16"), [OURS]))
        fp32, theirs, *bf16 = alternate(programs, turns, steps)
    rows = [row(size, "fp32", fp32[OURS], word, theirs[word], bar) for word, bar in whole.items()]
    rows += [row(size, "bf16", bf16[0][OURS], word, theirs[word], bar) for word, bar in half.items()]
    return [each for pair in rows for each in pair] + [
        whole_loss(f"{size}: losses in bf16 against fp32", ours[OURS], fp32[OURS]) for ours in bf16
    ]


def row(size: str, precision: str, ours: Outcome, word: str, theirs: Outcome, bar: float) -> list[Result]:
    """How many steps ours takes for one of theirs, and how far the losses are apart where both are of one precision."""
    detail = (
        f"sdtui {ours.milliseconds:.1f} ms of processor ({ours.clock:.1f} by the clock), {word} {theirs.milliseconds:.1f} "
        f"({theirs.clock:.1f}); {len(ours.by_turn)} pairs of turns, one thread"
    )
    faster = ours.times_faster(theirs)
    told = [Result(f"{size}, {precision}: steps for one of {word}", faster, bar, "×", detail, at_least=True)]
    if precision == "fp32":
        return [*told, every_loss(f"{size}: losses against {word}", ours, theirs)]
    return [*told, whole_loss(f"{size}: losses against {word}", ours, theirs)] if word.endswith(precision) else told


def every_loss(what: str, ours: Outcome, theirs: Outcome) -> Result:
    """Step by step."""
    detail = (
        f"largest difference in a step of {len(ours.losses)}; the last {ours.losses[-1]:.5f}, {theirs.losses[-1]:.5f}"
    )
    return Result(what, 100 * ours.differs(theirs), SAME, "%", detail)


def whole_loss(what: str, ours: Outcome, theirs: Outcome, bar: float = NEAR) -> Result:
    """Of the last step and over all of them, whichever differs more; at most `bar` per cent."""
    means = [statistics.mean(each.losses) for each in (ours, theirs)]
    last = [each.losses[-1] for each in (ours, theirs)]
    apart = max(abs(mine / other - 1) for mine, other in (means, last))
    detail = f"mean of {len(ours.losses)} steps {means[0]:.5f}, {means[1]:.5f}; the last {last[0]:.5f}, {last[1]:.5f}"
    return Result(what, 100 * apart, bar, "%", detail)

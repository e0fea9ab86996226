"""Training loops that take turns: a few steps of one, then of the next, so that a busy neighbour slows all of them alike.

`python -m benchmarks.turns RUN WORD…` holds one sdtui run (the word "sdtui") or loops of `benchmarks.peers`, which share one
copy of the frozen weights; it takes steps of one of them for each line "WORD COUNT" that it reads, and answers with a line of JSON.
Two runs have two programs, as each sets the process up for itself. Processor seconds are counted, of all threads.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.training_run import environment
from sdtui.runs.layout import RunFolder

OURS = "sdtui"


class Took(NamedTuple):
    """One step: seconds of processor and clock, and its loss."""

    processor: float
    clock: float
    loss: float


@dataclass
class Program:
    """A process of this module, seen from the one that measures."""

    run: RunFolder
    words: Sequence[str]
    steps: dict[str, list[list[Took]]] = field(default_factory=dict)  # by word, then by turn

    def __post_init__(self) -> None:
        """Start it, and wait until all its loops are ready."""
        command = [sys.executable, "-m", "benchmarks.turns", str(self.run.path), *self.words]
        alone = {**environment(self.run), "OMP_NUM_THREADS": "1"}
        with self.run.log_file.open("a") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=alone
            )
        self._answer()
        self.steps = {word: [] for word in self.words}

    def take(self, word: str, count: int) -> None:
        """Let one of its loops take `count` steps."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}/{count}\n")
        self._process.stdin.flush()
        self.steps[word].append([Took(*each) for each in json.loads(self._answer())])

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the loop ended with {self._process.wait()}: {self.run.log_file.read_text()[-2000:]}")
        return line


@dataclass(frozen=True)
class Outcome:
    """What the turns of one loop came to; the first turn and the first step of each other are warm-up."""

    turns: list[list[Took]]

    @property
    def milliseconds(self) -> float:
        """Processor milliseconds of a step, the median."""
        return statistics.median(self.by_turn) * 1000

    @property
    def clock(self) -> float:
        """Milliseconds of a step by the clock, the median."""
        return statistics.median(step.clock for turn in self.turns[1:] for step in turn[1:]) * 1000

    @property
    def by_turn(self) -> list[float]:
        """Processor seconds of a step in each turn."""
        return [statistics.median(step.processor for step in turn[1:]) for turn in self.turns[1:]]

    @property
    def losses(self) -> list[float]:
        """Of every step from the first."""
        return [step.loss for turn in self.turns for step in turn]

    def times_faster(self, other: Outcome) -> float:
        """How many steps it takes while `other` takes one: the median over pairs of turns that followed each other."""
        pairs = zip(self.by_turn, other.by_turn, strict=True)
        return statistics.median(theirs / ours for ours, theirs in pairs)

    def differs(self, other: Outcome) -> float:
        """The largest relative difference of the losses of one step."""
        return max(abs(mine / theirs - 1) for mine, theirs in zip(self.losses, other.losses, strict=True))


def alternate(programs: Sequence[Program], turns: int, steps: int) -> list[dict[str, Outcome]]:
    """Let all loops of all programs take `turns` turns of `steps` steps; what came of each program's loops."""
    try:
        for _ in range(turns):
            for program in programs:
                for word in program.words:
                    program.take(word, steps)
    finally:
        for program in programs:
            program.close()
    return [{word: Outcome(taken) for word, taken in program.steps.items()} for program in programs]


def main(run: RunFolder, words: Sequence[str]) -> None:
    """Answer each line of standard input until there is none."""
    loops = ours(run) if list(words) == [OURS] else theirs(run, words)
    done = dict.fromkeys(words, 0)
    print("ready", flush=True)
    for line in sys.stdin:
        word, _, count = line.strip().rpartition("/")
        taken = []
        for _ in range(int(count)):
            processor, clock = time.process_time(), time.perf_counter()
            loss = loops[word](done[word])
            taken.append(Took(time.process_time() - processor, time.perf_counter() - clock, loss))
            done[word] += 1
        print(json.dumps(taken), flush=True)


def ours(run: RunFolder) -> Mapping[str, Callable[[int], float]]:
    """The run as the trainer takes its steps: obeying, measuring, reporting; only the loss is waited for at once."""
    from sdtui.runs.control import Inbox
    from sdtui.training.crew import Crew
    from sdtui.training.report import Report
    from sdtui.training.run import open_session
    from sdtui.training.steering import Steering

    report = Report(run)
    session = open_session(run, report, Steering(Inbox(run), report.control), Crew())
    session.resume()

    def step(_number: int) -> float:
        session.between_steps()
        assert session.goes_on()
        session.take_step()
        assert session.pending is not None
        return session.pending.taken.readout.read()[0]

    return {OURS: step}


def theirs(run: RunFolder, words: Sequence[str]) -> Mapping[str, Callable[[int], float]]:
    """Loops of other trainers over the same model and inputs."""
    import torch

    from benchmarks.feed import feed
    from benchmarks.peers import PEERS, share
    from sdtui.profile.load import load_frozen

    torch.set_num_threads(1)
    steps = load_frozen(run.profile_file).training.steps
    assert steps is not None
    given = feed(run, share, steps)
    loops = {word: PEERS[word](given).step for word in words}
    # Or each of them would pay for looking through what belongs to the others.
    gc.collect()
    gc.freeze()
    return loops


if __name__ == "__main__":
    main(RunFolder(Path(sys.argv[1])), sys.argv[2:])

"""Time to the first frame of `sdtui` over a bare one-label Textual app, alternating in one run."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.result import Result
from benchmarks.terminal import Pty, sdtui

ROUNDS = 9
BARE = """
from textual.app import App
from textual.widgets import Label
class Bare(App):
    def compose(self):
        yield Label("one-label")
Bare().run()
"""


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = [], []
        for _ in range(ROUNDS):
            bare.append(seconds([sys.executable, "-c", BARE], b"one-label"))
            ours.append(seconds(sdtui(folder), b"profiles"))
    ratio = statistics.median(ours) / statistics.median(bare)
    detail = f"sdtui {statistics.median(ours) * 1000:.0f} ms, bare app {statistics.median(bare) * 1000:.0f} ms, medians of {ROUNDS}"
    return [Result("first frame over a bare Textual app", ratio, 1.5, "×", detail)]


def seconds(command: list[str], word: bytes) -> float:
    with Pty(command, env={"SDTUI_STATE": str(Path(tempfile.gettempdir()) / "sdtui-bench-state")}) as screen:
        return screen.seconds_until(word)

"""The one thread that reads a run while it is on the screen: woken by the files, at most twice a second, never waiting for the screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from sdtui.tui.follower import Follower
from sdtui.tui.monitor.device import DeviceProbe, DeviceTotals
from sdtui.tui.monitor.snapshot import Snapshot, take_snapshot

# Twice a second at most; a person sees no more and a slow line carries no more.
LEAST_SECONDS = 0.5
# A trainer that was killed changes no file: look at its lock this often.
LOOK_SECONDS = 2.0


class RunReader(Follower[Snapshot]):
    """Follows one run and keeps its newest snapshot.

    Args:
        run: the run folder.
        tell: as a follower's.
    """

    def __init__(self, run: RunFolder, tell: Callable[[RunReader], None]) -> None:
        super().__init__(f"monitor {run.name}", tell)
        self.run_folder = run

    def follow(self) -> None:
        """Read, hand over, sleep until something changes."""
        totals = _Totals()
        files = (self.run_folder.events_file, self.run_folder.run_json)
        with closing(RunView(self.run_folder)) as view:
            view.refresh()
            self.hand_over(take_snapshot(view, totals.of(view)))
            with self.watch(files, LEAST_SECONDS) as watch:
                while not self.ending:
                    watch.wait(LOOK_SECONDS)
                    if view.refresh() and not self.ending:
                        self.hand_over(take_snapshot(view, totals.of(view)))


class _Totals:
    """The device's figures, asked for at most every two seconds and only while the run is on a GPU of this machine."""

    def __init__(self) -> None:
        self._probe = DeviceProbe()
        self._asked = -LOOK_SECONDS
        self._found: DeviceTotals | None = None

    def of(self, view: RunView) -> DeviceTotals | None:
        if view.memory.get("kind") != "cuda" or view.over or view.host:
            return None
        if time.monotonic() - self._asked >= LOOK_SECONDS:
            self._asked = time.monotonic()
            self._found = self._probe.read()
        return self._found

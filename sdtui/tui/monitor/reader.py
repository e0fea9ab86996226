"""The one thread that reads a run while it is on the screen: woken by the files, at most twice a second, never waiting for the screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sdtui.runs.layout import RunFolder
from sdtui.runs.view import RunView
from sdtui.runs.watch import Watch
from sdtui.tui.monitor.device import DeviceProbe, DeviceTotals
from sdtui.tui.monitor.snapshot import Snapshot, take_snapshot

# Twice a second at most; a person sees no more and a slow line carries no more.
LEAST_SECONDS = 0.5
# A trainer that was killed changes no file: look at its lock this often.
LOOK_SECONDS = 2.0


class RunReader(threading.Thread):
    """Follows one run and keeps its newest snapshot.

    Args:
        run: the run folder.
        tell: called in this thread when there is a new snapshot and the last one was taken; it must not block.
    """

    def __init__(self, run: RunFolder, tell: Callable[[RunReader], None]) -> None:
        super().__init__(name=f"monitor {run.name}", daemon=True)
        self.run_folder = run
        self.problem: Exception | None = None
        self._tell = tell
        self._latest: Snapshot | None = None
        self._lock = threading.Lock()
        self._watch: Watch | None = None
        self._ending = threading.Event()

    def take(self) -> Snapshot | None:
        """The newest snapshot, once; None if it was taken already."""
        with self._lock:
            latest, self._latest = self._latest, None
            return latest

    def close(self) -> None:
        """End the thread soon; does not wait for it."""
        self._ending.set()
        if self._watch is not None:
            self._watch.close()

    def run(self) -> None:
        """Read, hand over, sleep until something changes."""
        view = RunView(self.run_folder)
        totals = _Totals()
        try:
            view.refresh()
            self._hand_over(view, totals.of(view))
            files = (self.run_folder.events_file, self.run_folder.run_json)
            with Watch(files, least_seconds=LEAST_SECONDS) as self._watch:
                while not self._ending.is_set():
                    self._watch.wait(LOOK_SECONDS)
                    if view.refresh() and not self._ending.is_set():
                        self._hand_over(view, totals.of(view))
        except Exception as error:  # noqa: BLE001  the screen reports it; a thread's own traceback would tear the screen
            self.problem = error
            self._tell(self)
        finally:
            view.close()

    def _hand_over(self, view: RunView, totals: DeviceTotals | None) -> None:
        snapshot = take_snapshot(view, totals)
        with self._lock:
            waiting, self._latest = self._latest is not None, snapshot
        if not waiting:
            self._tell(self)


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

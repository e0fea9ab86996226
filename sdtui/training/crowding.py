"""Whether other programs keep the processor's cores busy that a run's threads need.

The threads of a step wait for each other after every layer, so a single one that must share its core holds up all of
them: on two cores a step took 1.5 to 100 times as long while another program kept one busy. Fewer threads would cure it
but change the last bits of every sum, and with them what a resumed run comes to; so the user is told, once, and decides.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sdtui.errors import SdtuiError

_WINDOW_SECONDS = 10.0
# Half a core may be missing: what else a desktop does comes and goes.
_TOLERATED = 0.5


class Used(NamedTuple):
    """Seconds of the clock, and of processor time that the machine and this process have used by then."""

    clock: float
    machine: float
    own: float


class Crowding:
    """Looks now and then at what the cores were busy with since the look before.

    Args:
        threads: of this process.
        cores: of the machine.
        used: reads the clocks; None where the system does not tell.
    """

    def __init__(self, threads: int, cores: int, used: Callable[[], Used | None]) -> None:
        self._threads = threads
        self._cores = cores
        self._used = used
        self._before = used()

    def noticed(self) -> SdtuiError | None:
        """What to tell the user, the first time that the cores were too few for ten seconds; cheap to ask."""
        if self._before is None or self._threads == 1:
            return None
        now = self._used()
        if now is None or now.clock - self._before.clock < _WINDOW_SECONDS:
            return None
        before, self._before = self._before, now
        seconds = now.clock - before.clock
        others = (now.machine - before.machine - (now.own - before.own)) / seconds
        if self._threads + others <= self._cores + _TOLERATED:
            return None
        self._before = None
        free = max(1, int(self._cores - others))
        return SdtuiError(
            f"other programs keep {others:.1f} of this machine's {self._cores} cores busy while training uses "
            f"{self._threads} threads, which then wait for each other: steps can take several times as long",
            where="training.threads",
            remedy=f"End them, or stop the run and start one with training.threads = {free}",
        )


def used(statistics: Path = Path("/proc/stat")) -> Used | None:
    """The clocks as Linux tells them."""
    try:
        fields = statistics.read_text(encoding="ascii").split(maxsplit=11)[1:8]
        user, nice, system, _idle, _wait, hard, soft = map(int, fields)
    except (OSError, ValueError):
        return None
    busy = (user + nice + system + hard + soft) / os.sysconf("SC_CLK_TCK")
    return Used(time.monotonic(), busy, time.process_time())

"""A run as a watcher sees it: its event log folded into figures, and the true state beside them."""

from __future__ import annotations

from collections.abc import Iterable

from sdtui.runs import registry
from sdtui.runs.events import Event, EventReader
from sdtui.runs.figures import Figures
from sdtui.runs.fold import fold
from sdtui.runs.layout import RunFolder
from sdtui.runs.record import ENDED


class RunView(Figures):
    """Everything to show of one run; `refresh` catches up and says whether anything changed.

    `state`, `reason` and `host` are `registry.RunInfo`'s: what is true now, also when the trainer could not tell.
    """

    def __init__(self, run: RunFolder) -> None:
        super().__init__()
        self.run = run
        self.state = "starting"
        self.reason = ""
        self.host = ""
        self.held = False
        self.events = 0
        self.malformed = 0
        self._reader = EventReader(run.events_file)
        self._restarts = 0

    @property
    def over(self) -> bool:
        """Whether the run has ended, in whatever way, and said its last word."""
        return not self.held and (self.state in ENDED or self.state in {"killed", "unreadable", "newer"})

    def refresh(self) -> bool:
        """Read what is new in the log and look at the true state; True if anything to show changed."""
        before = (self.events, self._restarts, self.state, self.reason, self.held)
        # The state first: whoever sees the run ended has also seen its last event.
        info = registry.inspect(self.run)
        self.fold(self._reader.news())
        self.state, self.reason, self.host, self.held = info.state, info.reason, info.host, info.held
        self.steps_total = self.steps_total or info.steps_total
        return before != (self.events, self._restarts, self.state, self.reason, self.held)

    def fold(self, events: Iterable[Event]) -> None:
        """Take events in, in their order; malformed ones are counted and left out."""
        for event in events:
            self._follow_restart()
            self.events += 1
            if not fold(self, event):
                self.malformed += 1
        # A log may be cut short now and written anew later.
        self._follow_restart()

    def reset(self) -> None:
        """Forget all events: the log was truncated, so what it said no longer stands."""
        Figures.__init__(self)

    def _follow_restart(self) -> None:
        if self._reader.restarts != self._restarts:
            self._restarts = self._reader.restarts
            self.reset()

    def close(self) -> None:
        """Let go of the log file."""
        self._reader.close()

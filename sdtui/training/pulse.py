"""Whether the other machines of a run are still there: each tells so every two seconds, through the table on machine 0.

A process on the same machine closes its socket when it dies; a machine that loses its power or its network says nothing,
and those that wait for it would wait for weeks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from sdtui.errors import SdtuiError
from sdtui.training.place import Place

_BEAT_SECONDS = 2.0
_SILENCE_SECONDS = 60.0


class Pulse:
    """One machine's pulse, and on machine 0 an ear for that of the others.

    Args:
        place: of the first process of this machine.
        store: the table, over a connection that nobody else uses (torch's `TCPStore`).
        lose: told which machine is gone.
    """

    def __init__(self, place: Place, store: Any, lose: Callable[[SdtuiError], None]) -> None:
        self._place = place
        self._store = store
        self._lose = lose
        self._heard = dict.fromkeys(range(1, place.machines), (0, time.monotonic()))

    def start(self) -> Callable[[SdtuiError], None]:
        """Begin, in a thread of its own; returns what tells the others why this machine ends."""
        threading.Thread(target=self._go_on, daemon=True).start()
        return self._tell

    def _go_on(self) -> None:
        while (problem := self._listen() if self._place.leads else self._beat()) is None:
            time.sleep(_BEAT_SECONDS)
        self._lose(problem)

    def _beat(self) -> SdtuiError | None:
        try:
            self._store.add(f"pulse/{self._place.machine}", 1)
        except RuntimeError:
            return SdtuiError(
                "the run has ended on machine 0, or the network between is down", remedy="See its log there"
            )
        return None

    def _listen(self) -> SdtuiError | None:
        for machine, (beats, since) in self._heard.items():
            if self._store.check([f"end/{machine}"]):
                said = self._store.get(f"end/{machine}").decode(errors="replace")
                return SdtuiError(f"machine {machine} ended: {said}")
            now = self._store.add(f"pulse/{machine}", 0)
            if now > beats:
                self._heard[machine] = (now, time.monotonic())
            elif time.monotonic() - since > _SILENCE_SECONDS:
                return SdtuiError(
                    f"machine {machine} has been silent for {_SILENCE_SECONDS:g} seconds",
                    remedy="See whether it runs and can be reached, then resume the run on all machines",
                )
        return None

    def _tell(self, problem: SdtuiError) -> None:
        if self._place.leads:
            return
        try:
            self._store.set(f"end/{self._place.machine}", str(problem))
        except RuntimeError:
            return

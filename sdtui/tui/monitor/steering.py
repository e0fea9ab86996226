"""Commands on their way to a run: written as files, waited for until the trainer answers with an event."""

from __future__ import annotations

from sdtui.runs import control
from sdtui.tui.monitor.snapshot import Snapshot


class Steering:
    """The commands sent to one run that it has not answered yet."""

    def __init__(self) -> None:
        self._pending: dict[str, str] = {}

    @property
    def waiting(self) -> list[str]:
        """Their names, oldest first."""
        return list(self._pending.values())

    def send(self, snapshot: Snapshot, command: str) -> None:
        """Leave a command for the trainer.

        Raises:
            SdtuiError: it cannot be written into the run's folder.
        """
        self._pending[control.send(snapshot.run, command)] = command

    def settle(self, snapshot: Snapshot) -> list[str]:
        """Forget what was answered, and what an ended run will never answer; returns what was refused, and why."""
        refused: list[str] = []
        for identity, command in list(self._pending.items()):
            status, message = snapshot.answers.get(identity, ("", ""))
            if status not in {"", "done"}:
                refused.append(f"{command}: {message or status}")
            if status or snapshot.over:
                del self._pending[identity]
        return refused

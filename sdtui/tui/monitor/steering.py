"""Commands on their way to a run: written as files, waited for until the trainer answers with an event."""

from __future__ import annotations

from typing import Any

from sdtui.errors import UserError
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

    def send(self, snapshot: Snapshot, command: str, **arguments: Any) -> None:
        """Leave a command with its arguments for the trainer.

        Raises:
            SdtuiError: it cannot be written into the run's folder.
        """
        self._pending[control.send(snapshot.run, command, **arguments)] = command

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


def number_of(text: str) -> int | float:
    """A number as a person types it; whether the run takes it, the run says.

    Raises:
        UserError: it is no number.
    """
    for read in (int, float):
        try:
            return read(text.strip().replace(",", "."))
        except ValueError:
            continue
    raise UserError(f"{text.strip()!r} is not a number; nothing was sent")

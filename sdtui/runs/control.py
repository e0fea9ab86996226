"""Commands to a living run: small files renamed into `control/`, taken by the trainer at a step boundary."""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sdtui.files import write_atomic, write_failure
from sdtui.runs.layout import SCHEMA, RunFolder

COMMANDS = ("stop", "pause", "unpause", "save", "preview", "set")


@dataclass(frozen=True, slots=True)
class Command:
    """One command as the trainer sees it; a file that could not be read arrives with an empty `name`."""

    id: str
    name: str
    args: dict[str, Any] = field(default_factory=dict)


def send(run: RunFolder, command: str, **args: Any) -> str:
    """Leave a command for the trainer and return its id, which the answering `control` event carries.

    Raises:
        SdtuiError: the command cannot be written (full disk, no permission).
    """
    # Ids sort by time, so commands are obeyed in the order given.
    identity = f"{time.time_ns():019d}-{secrets.token_hex(3)}"
    content = {"schema": SCHEMA, "id": identity, "command": command, "args": args, "host": socket.gethostname()}
    try:
        run.control_dir.mkdir(exist_ok=True)
    except OSError as error:
        raise write_failure(run.control_dir, error) from error
    write_atomic(run.control_dir / f"{identity}.json", json.dumps(content) + "\n")
    return identity


class Inbox:
    """The trainer's end: `take` is cheap enough (one directory scan) to be called at every step."""

    def __init__(self, run: RunFolder) -> None:
        self._folder = run.control_dir

    def take(self) -> list[Command]:
        """Remove and return the waiting commands, oldest first; each wants one `control` event as its answer."""
        commands = []
        for name in self._waiting():
            path = self._folder / name
            # What cannot be read or deleted is no command: a folder, or a file of another user. It must not end a run.
            with suppress(OSError):
                content = path.read_bytes()
                path.unlink()
                commands.append(_parse(name.removesuffix(".json"), content))
        return commands

    def clear(self) -> None:
        """Drop commands meant for a process that is gone, so that an old `stop` does not end a resumed run."""
        for name in self._waiting():
            with suppress(OSError):
                (self._folder / name).unlink()

    def _waiting(self) -> list[str]:
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return []
        # Names with a leading dot are files still being written.
        return sorted(name for name in names if name.endswith(".json") and not name.startswith("."))


def _parse(identity: str, content: bytes) -> Command:
    try:
        found = json.loads(content)
        return Command(identity, str(found["command"]), dict(found.get("args") or {}))
    except (ValueError, TypeError, KeyError, RecursionError):
        return Command(identity, "")

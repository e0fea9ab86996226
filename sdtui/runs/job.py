"""Any long work as a folder that speaks a run's protocol, so that the same screens and lines follow and stop it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sdtui.errors import SdtuiError
from sdtui.files import make_folder
from sdtui.runs import lock, record
from sdtui.runs.control import Inbox
from sdtui.runs.events import EventWriter
from sdtui.runs.layout import SCHEMA, RunFolder

_LOOK_SECONDS = 0.5


class JobStoppedError(SdtuiError):
    """Somebody sent `stop`; raised by `Job.check` inside the `with` block, which then ends the job as stopped."""


class Job:
    """`with Job(folder, "doctor") as job:` holds the lock, writes events, and records how the block ended.

    A plain exception is recorded as a failure and goes on to the caller; a stop ends the block quietly, after which
    `stopped` is true.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        """`folder` is made if missing and may hold the events of an earlier job of this kind; `kind` names the work."""
        self.run = RunFolder(folder)
        self.kind = kind
        self.stopped = False
        self._next_look = 0.0

    def __enter__(self) -> Self:
        make_folder(self.run.control_dir)
        self._lock = lock.hold(self.run)
        self._inbox = Inbox(self.run)
        self._inbox.clear()
        self._began = time.time()
        record.write(
            self.run,
            record.RunRecord(
                kind=self.kind, state="running", pid=os.getpid(), created=self._began, launched=self._began
            ),
        )
        self.events = EventWriter(self.run.events_file)
        self.events.write("run", schema=SCHEMA, run=self.kind, steps_total=0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        self.stopped = isinstance(error, JobStoppedError | KeyboardInterrupt)
        try:
            if error is None:
                self._end("finished", "")
            elif self.stopped:
                self._end("stopped", "on request")
            else:
                self._fail(error)
        finally:
            self.events.close()
            self._lock.release()
        return isinstance(error, JobStoppedError)

    def progress(self, done: int, total: int, unit: str, note: str = "") -> None:
        """Report that `done` of `total` `unit` (images, files) are done; `note` says what holds it up, if anything does."""
        more = {"note": note} if note else {}
        self.events.write("progress", job=self.kind, done=done, total=total, unit=unit, **more)

    def warning(self, message: str, *, where: str = "", remedy: str = "") -> None:
        """Report something that did not stop the work."""
        self.events.write("warning", message=message, where=where, remedy=remedy)

    def check(self) -> None:
        """Call often: looks for commands twice a second at most.

        Raises:
            JobStoppedError: a `stop` has come.
        """
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_SECONDS
        for command in self._inbox.take():
            stop = command.name == "stop"
            self._answer(command.name, command.id, "done" if stop else "refused")
            if stop:
                raise JobStoppedError("stopped on request", where=str(self.run.path))

    def _answer(self, name: str, identity: str, status: str) -> None:
        message = "" if status == "done" else f"a {self.kind} job only knows stop"
        self.events.write("control", command=name, id=identity, status=status, message=message)

    def _fail(self, error: BaseException) -> None:
        if not isinstance(error, SdtuiError):
            error = SdtuiError(f"{type(error).__name__}: {error}")
        told = {"message": error.message, "where": error.where, "remedy": error.remedy}
        self.events.write("error", **told, images=[], exit_code=error.exit_code)
        self._end("failed", error.message)

    def _end(self, state: record.State, reason: str) -> None:
        now = time.time()
        self.events.write("finished", state=state, step=0, seconds=round(now - self._began, 3))
        record.update(self.run, state=state, reason=reason, ended=now)

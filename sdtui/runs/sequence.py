"""Runs one after another: `python -m sdtui.runs.sequence RUN…`, a detached process that outlives whoever queued them."""

from __future__ import annotations

import shutil
import socket
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from sdtui.errors import SdtuiError
from sdtui.runs import launch, lock, record
from sdtui.runs.control import Inbox
from sdtui.runs.events import EventWriter
from sdtui.runs.layout import RunFolder
from sdtui.runs.watch import Watch

_LOOK_SECONDS = 1.0


def new_queue(runs_dir: Path) -> RunFolder:
    """A folder for a queue, among the runs but hidden: only its lock and its log are used."""
    return RunFolder.create(runs_dir / ".queues", "queue")


def start(queue: RunFolder, runs: Sequence[RunFolder], *, module: str = launch.TRAINER) -> None:
    """Start the detached process that begins each of `runs` when the one before has ended.

    The runs were prepared with this queue's path; until their turn they are `queued`.

    Raises:
        SdtuiError: no process can be started.
    """
    with lock.acquire(queue.lock_file) as held:
        arguments = [str(queue.path), module, *(str(run.path) for run in runs)]
        try:
            launch.spawn(queue, "sdtui.runs.sequence", arguments, held)
        except OSError as error:
            raise SdtuiError(f"cannot start the queue: {error.strerror}", where=str(queue.path)) from error


def main(arguments: Sequence[str]) -> None:
    """Begin the runs in turn; a run that was stopped while it waited is passed over."""
    queue, module, *paths = arguments
    waiting = [RunFolder(Path(path)) for path in paths]
    with lock.hold(RunFolder(Path(queue))):
        while waiting := _still_queued(waiting):
            run, *waiting = waiting
            _begin(run, module)
            waiting = _wait_for_end(run, waiting)
    if not RunFolder(Path(queue)).log_file.stat().st_size:
        shutil.rmtree(queue)


def _begin(run: RunFolder, module: str) -> None:
    try:
        launch.begin(run, module=module)
    except SdtuiError as error:
        sys.stderr.write(f"{error}\n")


def _wait_for_end(run: RunFolder, waiting: list[RunFolder]) -> list[RunFolder]:
    with Watch([run.run_json, *(later.control_dir for later in waiting)], poll_seconds=_LOOK_SECONDS) as watch:
        while lock.is_held(run):
            watch.wait(_LOOK_SECONDS)
            waiting = _still_queued(waiting)
    return waiting


def _still_queued(waiting: Iterable[RunFolder]) -> list[RunFolder]:
    """Answer the commands sent to runs that wait, and drop those that were stopped or begun by hand."""
    return [run for run in waiting if _is_queued(run) and not _stopped(run)]


def _is_queued(run: RunFolder) -> bool:
    try:
        return record.read(run).state == "queued"
    except record.UnreadableRecordError as error:
        sys.stderr.write(f"{error}\n")
        return False


def _stopped(run: RunFolder) -> bool:
    commands = Inbox(run).take()
    if not commands:
        return False
    stop = any(command.name == "stop" for command in commands)
    if stop:
        record.update(
            run, state="stopped", reason="stopped while it waited", ended=time.time(), host=socket.gethostname()
        )
    with EventWriter(run.events_file) as events:
        for command in commands:
            status = "done" if command.name == "stop" else "refused"
            message = "" if status == "done" else "the run has not begun"
            events.write("control", command=command.name, id=command.id, status=status, message=message)
        if stop:
            events.write("state", state="stopped", reason="stopped while it waited")
    return stop


if __name__ == "__main__":
    main(sys.argv[1:])

"""What a run tells the world: events for watchers, run.json for whoever looks later, log.txt for people."""

from __future__ import annotations

import dataclasses
import math
import os
import platform
import sys
import time
import traceback
from contextlib import suppress
from importlib import metadata
from typing import Any, Literal

from sdtui.errors import SdtuiError
from sdtui.runs import record
from sdtui.runs.control import Command
from sdtui.runs.events import EventWriter
from sdtui.runs.layout import SCHEMA, RunFolder

State = Literal[
    "loading", "caching", "training", "paused", "validating", "sampling", "saving", "finished", "failed", "stopped",
]  # fmt: skip

PACKAGES = (
    "sdtui", "torch", "diffusers", "transformers", "accelerate", "bitsandbytes", "pytorch_optimizer",
)  # fmt: skip

# What run.json says while the events say more: it is rewritten only when this changes.
_RECORDED: dict[str, record.State] = {
    "paused": "paused",
    "finished": "finished",
    "failed": "failed",
    "stopped": "stopped",
}
_PROGRESS_SECONDS = 0.2


class Report:
    """Everything the trainer says, through one object; the caller holds the run's lock.

    Raises (when made):
        NewerSchemaError: the run folder is of a newer version.
        OSError: the run folder cannot be written.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.state_name: State | None = None
        self._record = record.read(run) if run.run_json.exists() else record.RunRecord(launched=time.time())
        self._resuming = run.events_file.exists()
        self._events = EventWriter(run.events_file)
        self._logged_directly = _is_standard_error(run)
        self._next_progress = 0.0
        self._started = time.monotonic()
        self.step = self._record.step

    def begin(
        self,
        *,
        total: int,
        epochs: int,
        images: int,
        device: str,
        precision: str,
        threads: int,
        processes: int,
        resumed_from: str | None,
    ) -> None:
        """The first event of a process, as soon as it knows what will be done."""
        known = versions()
        self._tell_if_otherwise(device, threads, known)
        self._update(steps_total=total, device=device, threads=threads, versions=known)
        self.write(
            "run", schema=SCHEMA, run=self.run.name, steps_total=total, epochs_total=epochs, images=images,
            resumed_from=resumed_from, versions=known, device=device, precision=precision, threads=threads,
            processes=processes,
        )  # fmt: skip

    def write(self, kind: str, **fields: Any) -> None:
        """Append one event."""
        self._events.write(kind, **fields)

    def state(self, state: State, reason: str = "") -> None:
        """The run is now in `state`; said once."""
        if state == self.state_name:
            return
        self.state_name = state
        self.write("state", state=state, reason=reason)
        recorded = _RECORDED.get(state, "running")
        if recorded != self._record.state or reason != self._record.reason:
            self._update(state=recorded, reason=reason, pid=os.getpid())

    def end(self, state: State, reason: str = "") -> None:
        """The last words of this process."""
        self.state(state, reason)
        self._update(step=self.step, ended=time.time())
        self.write("finished", state=state, step=self.step, seconds=round(time.monotonic() - self._started, 3))

    def _tell_if_otherwise(self, device: str, threads: int, known: dict[str, str]) -> None:
        """Warn of what takes sums in another way than before a resume, so that the run ends with other last bits."""
        differing = _differing(self._record, device, threads, known.get("torch", "")) if self._resuming else None
        if differing:
            self.warning(differing)

    def resumed(self, step: int) -> None:
        """This process begins at `step`; what an earlier one did beyond it no longer stands."""
        if self._resuming:
            self.write("resumed", step=step)
        self.step = step

    def reached(self, step: int, loss: float) -> None:
        """The run has finished `step`; run.json learns of it with the next change of state or save."""
        self.step = step
        self._record = dataclasses.replace(self._record, step=step, loss=loss)

    def measured(self, loss: float) -> None:
        """Note in run.json what the held-out images' loss is."""
        self._update(validation_loss=loss if math.isfinite(loss) else None)

    def saved(self) -> None:
        """Note in run.json how far the run is."""
        self._update()

    def settled(self, at_once: dict[str, list[int]]) -> dict[str, list[int]]:
        """How many images are taken at once, as the run's first start found: noted in run.json if this is that."""
        if not self._record.at_once:
            self._update(at_once=at_once)
        return self._record.at_once

    def dataset(self, digest: str) -> None:
        """Note in run.json what is trained on; said if it is no longer what was looked at before the start."""
        looked_at = self._record.dataset_digest
        if looked_at not in {"", digest} and not self._resuming:
            # A resumed run compares with its checkpoint instead.
            self.warning(
                SdtuiError(
                    "the images or captions have changed since the run was started; it trains on them as they are now",
                    where="dataset.folders",
                )
            )
        self._update(dataset_digest=digest)

    def progress(self, job: str, done: int, total: int, unit: str) -> None:
        """A long job is this far; told five times a second at most, and at its end."""
        now = time.monotonic()
        if done == total or now >= self._next_progress:
            self._next_progress = now + _PROGRESS_SECONDS
            self.write("progress", job=job, done=done, total=total, unit=unit)

    def control(self, command: Command, status: str, message: str) -> None:
        """Answer a command."""
        self.write("control", command=command.name, id=command.id, status=status, message=message)

    def warning(self, problem: SdtuiError) -> None:
        """Something the user should know, while the run goes on."""
        self.log(f"warning: {problem}")
        self.write("warning", message=problem.message, where=problem.where, remedy=problem.remedy)

    def error(self, problem: SdtuiError, images: list[str] | None = None) -> None:
        """What ended the run."""
        self.log(f"error: {problem}")
        self.write(
            "error", message=problem.message, where=problem.where, remedy=problem.remedy, images=images or [],
            exit_code=problem.exit_code,
        )  # fmt: skip

    def log(self, text: str) -> None:
        """One message in log.txt, wherever the launcher sent standard error; a full disk costs it, not the run."""
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n"
        with suppress(OSError):
            sys.stderr.write(line)
            sys.stderr.flush()
        if not self._logged_directly:
            with suppress(OSError), self.run.log_file.open("a", encoding="utf-8", errors="backslashreplace") as log:
                log.write(line)

    def log_traceback(self, error: BaseException) -> None:
        """The details of an unexpected error, for a bug report."""
        self.log("".join(traceback.format_exception(error)).rstrip())

    def close(self) -> None:
        """Write what is waiting and let go of the event log."""
        self._events.close()

    def _update(self, **changes: Any) -> None:
        """Change run.json. A full disk must not end the run over it: what is missing there is in the events too."""
        self._record = dataclasses.replace(self._record, **changes)
        try:
            record.write(self.run, self._record)
        except SdtuiError as error:
            self.log(f"warning: {error}")


class Aside(Report):
    """What a process says that another one started: what went wrong with it, to be copied into the log. The rest is told
    by the one that holds the lock.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.step = 0

    def write(self, kind: str, **fields: Any) -> None:
        """Nothing."""

    def state(self, state: State, reason: str = "") -> None:
        """Nothing."""

    def _tell_if_otherwise(self, device: str, threads: int, known: dict[str, str]) -> None:
        """Nothing."""

    def resumed(self, step: int) -> None:
        """Nothing."""

    def reached(self, step: int, loss: float) -> None:
        """Nothing."""

    def settled(self, at_once: dict[str, list[int]]) -> dict[str, list[int]]:
        """What was found."""
        return at_once

    def dataset(self, digest: str) -> None:
        """Nothing."""

    def progress(self, job: str, done: int, total: int, unit: str) -> None:
        """Nothing."""

    def log(self, text: str) -> None:
        """Nothing."""

    def warning(self, problem: SdtuiError) -> None:
        """Something that this process alone may have met."""
        sys.stderr.write(f"warning: {problem}\n")

    def log_traceback(self, error: BaseException) -> None:
        """The details of an unexpected error, for a bug report."""
        sys.stderr.write("".join(traceback.format_exception(error)))

    def close(self) -> None:
        """Nothing is open."""

    def _update(self, **changes: Any) -> None:
        """Nothing."""


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide what a run computes."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _differing(before: record.RunRecord, device: str, threads: int, torch: str) -> SdtuiError | None:
    """A warning, if the run computed by other means before."""
    found = [f"{device} instead of {before.device}"] if before.device not in {"", device} else []
    remedy = ""
    if device == "cpu" and before.threads not in {0, threads}:
        found.append(f"{threads} instead of {before.threads} as its number of threads")
        remedy = f"With training.threads = {before.threads} it takes as many as before"
    if before.versions.get("torch", torch) != torch:
        found.append(f"PyTorch {torch} instead of {before.versions['torch']}")
    message = f"the run goes on with {', '.join(found)}: its last bits differ from those of an uninterrupted run"
    return SdtuiError(message, remedy=remedy) if found else None


def _is_standard_error(run: RunFolder) -> bool:
    """Whether the launcher sent our standard error to the run's log already."""
    try:
        return os.path.samestat(os.fstat(sys.stderr.fileno()), os.stat(run.log_file))
    except (OSError, ValueError, AttributeError):
        return False

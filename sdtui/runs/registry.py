"""The runs of a workspace and their true state: what run.json says, corrected by who really holds the lock."""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from sdtui.errors import UserError
from sdtui.runs import launch, lock, record
from sdtui.runs.events import Event, decode
from sdtui.runs.fold import is_sound
from sdtui.runs.layout import RunFolder
from sdtui.runs.record import ENDED, NewerSchemaError, RunRecord, UnreadableRecordError
from sdtui.runs.series import SMOOTHING, Ema, Series

LIVE = frozenset({"starting", "running", "paused"})

_TAIL_BYTES = 1 << 16
_LOSS_BYTES = 1 << 18
_SILENCE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One run as a list shows it.

    `state` is one of starting, running, paused, queued, finished, failed, stopped, killed, unreadable, newer;
    `reason` says why in the last five, `host` is set when the run belongs to another machine; `loss` is
    smoothed as wherever one number is shown; it and `eta_seconds` are None while unknown; `changed` is the time of the last event (unix seconds); `held` says that a
    process still holds the lock, be it only for its last words.
    """

    run: RunFolder
    state: str
    reason: str = ""
    host: str = ""
    record: RunRecord | None = None
    step: int = 0
    steps_total: int = 0
    loss: float | None = None
    eta_seconds: float | None = None
    changed: float = 0.0
    held: bool = False

    @property
    def live(self) -> bool:
        """Whether a process trains it now."""
        return self.state in LIVE

    @property
    def steerable(self) -> bool:
        """Whether commands can reach it."""
        return self.live or self.state == "queued"

    @property
    def resumable(self) -> bool:
        """Whether `launch.resume` would take it."""
        return self.state in {"killed", "failed", "stopped"}

    @property
    def created(self) -> float:
        """When the run folder was made (unix seconds)."""
        return self.record.created if self.record else self.changed


def list_runs(runs_dir: Path) -> list[RunInfo]:
    """Every run in `runs_dir`, newest first; folders that are not runs and hidden ones are left out."""
    try:
        with os.scandir(runs_dir) as entries:
            folders = [RunFolder(Path(entry.path)) for entry in entries if _looks_like_run(entry)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(f"the runs cannot be listed: {error.strerror}", where=str(runs_dir)) from error
    return sorted(map(inspect, folders), key=lambda info: (info.created, info.run.name), reverse=True)


def inspect(run: RunFolder) -> RunInfo:
    """What is true of one run now; never raises for a damaged folder."""
    changed = _changed(run)
    try:
        found, held = _settled(run)
    except NewerSchemaError as error:
        return RunInfo(run, "newer", reason=f"{error.message}. {error.remedy}", changed=changed)
    except UnreadableRecordError as error:
        reason = error.message if run.path.is_dir() else "the run's folder is no longer there"
        return RunInfo(run, "unreadable", reason=reason, changed=changed)
    host = "" if found.host == socket.gethostname() else found.host
    info = RunInfo(
        run,
        found.state,
        found.reason,
        host,
        found,
        found.step,
        found.steps_total,
        _loss(run, found),
        changed=changed,
        held=held,
    )
    if found.state in ENDED:
        return info
    if found.state == "queued" and not held:
        return _judge_queued(info, found)
    return _judge_live(_with_tail(info), held)


def find(text: str, runs_dirs: Iterable[Path]) -> RunFolder:
    """The run that `text` means: a path, a run's name or the beginning of just one, or `last` for the newest.

    Raises:
        UserError: there is none, or more than one; the message names the choices.
    """
    as_path = Path(text)
    if as_path.is_dir() and _has_run_files(as_path):
        return RunFolder(as_path.resolve())
    folders = list(dict.fromkeys(folder.resolve() for folder in runs_dirs))
    infos = [info for folder in folders for info in list_runs(folder)]
    if text == "last" and infos:
        return max(infos, key=lambda info: (info.created, info.run.name)).run
    names = {info.run.name: info.run for info in infos}
    if text in names:
        return names[text]
    matches = sorted(name for name in names if text and name.startswith(text))
    if len(matches) == 1:
        return names[matches[0]]
    if matches:
        raise UserError(f"{text!r} fits {len(matches)} runs: {', '.join(matches)}", remedy="Give more of the name")
    places = ", ".join(map(str, folders))
    raise UserError(f"no run {text!r}", where=places, remedy="See them with: sdtui runs")


def log_tail(run: RunFolder, lines: int = 20) -> list[str]:
    """The last lines the trainer printed, without trailing blank ones."""
    text = _tail(run.log_file).decode("utf-8", "replace").rstrip()
    return text.splitlines()[-lines:]


def _looks_like_run(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.is_dir() and _has_run_files(Path(entry.path))


def _has_run_files(path: Path) -> bool:
    run = RunFolder(path)
    return run.run_json.exists() or run.profile_file.exists() or run.events_file.exists()


def _settled(run: RunFolder) -> tuple[RunRecord, bool]:
    """Record and lock of one moment: a run that ends or begins while we look must not seem killed."""
    found = record.read(run)
    while True:
        held = lock.is_held(run)
        again = record.read(run)
        if again == found:
            return found, held
        found = again


def _judge_queued(info: RunInfo, found: RunRecord) -> RunInfo:
    if launch.queue_lives(found) or info.host:
        return info
    return replace(info, state="killed", reason="the queue that was to start it has ended; resume starts it")


def _judge_live(info: RunInfo, held: bool) -> RunInfo:
    """A run whose record says it is going: it is if its lock is held."""
    if held:
        return info
    if info.host and time.time() - info.changed < _SILENCE_SECONDS:
        # Not every network file system shares locks, and a wrong "killed" invites a second trainer.
        return replace(info, reason=f"on host {info.host}; its lock cannot be seen from here")
    last = (log_tail(info.run, 1) or [""])[0]
    if info.state == "starting":
        said = f"; it last printed: {last}" if last else ""
        return replace(info, state="failed", reason=f"it ended before its first event{said}")
    if info.state in LIVE:
        said = f"on host {info.host}" if info.host else "its process ended without saying why"
        return replace(info, state="killed", reason=said)
    return info


def _with_tail(info: RunInfo) -> RunInfo:
    """The newest figures from the end of the event log; a log with a later state than the record's wins."""
    assert info.record is not None
    for event in _tail_events(info.run):
        if _well_formed(event) and event.get("t", 0) >= info.record.launched:
            info = _apply(info, event)
    return info


def _well_formed(event: Event) -> bool:
    """Whether what is read here has the types it should: a log may have been written by anyone."""
    numbers = all(isinstance(event.get(name, 0), int | float) for name in ("t", "step", "steps_total")) and all(
        isinstance(event.get(name), int | float | None) for name in ("loss", "eta_seconds")
    )
    return numbers and isinstance(event.get("state", ""), str)


def _apply(info: RunInfo, event: Event) -> RunInfo:
    kind, state = event["kind"], event.get("state")
    if kind == "run":
        total = int(event.get("steps_total") or info.steps_total)
        return replace(info, state="running", steps_total=total)
    if kind in {"step", "resumed"}:
        state = "running" if info.state == "starting" else info.state
        return replace(info, state=state, step=event.get("step", info.step))
    if kind == "stats":
        return replace(info, eta_seconds=event.get("eta_seconds"))
    if kind in {"state", "finished"} and state in ENDED:
        return replace(info, state=state, reason=event.get("reason") or "")
    if kind == "state":
        return replace(info, state="paused" if state == "paused" else "running")
    return info


def _tail_events(run: RunFolder) -> list[Event]:
    lines = _tail(run.events_file).split(b"\n")
    return [event for event in map(decode, lines) if event is not None and is_sound(event)]


def _loss(run: RunFolder, found: RunRecord) -> float | None:
    """The smoothed loss of the last step that the log tells of; for want of a log, the last step's."""
    try:
        status = run.events_file.stat()
    except OSError:
        return found.loss
    smoothed = _smoothed(run.events_file, status.st_size, status.st_mtime_ns)
    return found.loss if smoothed is None else smoothed


# A list is drawn anew every second, and the logs of ended runs do not change.
@lru_cache(maxsize=4096)
def _smoothed(events: Path, _size: int, _changed: int) -> float | None:
    """From the end of the log: what a thousand steps ago was weighs nothing any more."""
    series = Series()
    for event in map(decode, _tail(events, _LOSS_BYTES).split(b"\n")):
        if event is None or event["kind"] not in {"step", "resumed"} or not _well_formed(event):
            continue
        with suppress(KeyError, TypeError, OverflowError):
            series.cut(event["step"]) if event["kind"] == "resumed" else series.append(event)
    known = [value for value in Ema(SMOOTHING).extend(series.losses) if math.isfinite(value)]
    return known[-1] if known else None


def _tail(path: Path, count: int = _TAIL_BYTES) -> bytes:
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - count))
            return stream.read()
    except OSError:
        return b""


def _changed(run: RunFolder) -> float:
    for path in (run.events_file, run.run_json, run.path):
        try:
            return path.stat().st_mtime
        except OSError:
            continue
    return 0.0

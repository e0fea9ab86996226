"""Waking up when a run's files change: by the kernel's notifications, and by looking where those do not reach."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

_Stamp = tuple[int, int, int] | None


class Watch:
    """Waits for changes of some files, in any thread; `close` from another thread ends the wait.

    The files' sizes and times are looked at once a second in any case: notifications do not cross NFS, and the
    kernel's supply of them can be used up by other programs. Reading the files never wakes it.
    """

    def __init__(self, files: Iterable[Path], *, poll_seconds: float = 1.0, least_seconds: float = 0.0) -> None:
        """Watch `files`, which need not exist yet.

        Args:
            files: what to watch; their folders should exist.
            poll_seconds: how often to look without being notified.
            least_seconds: shortest time between two wake-ups, so that a fast run does not wake a slow terminal.
        """
        self._files = tuple(files)
        self._poll_seconds = poll_seconds
        self._least_seconds = least_seconds
        self._woken = threading.Event()
        self._ending = threading.Event()
        self._last_wake = 0.0
        self._stamps = self._look()
        self._observer = _observe(self._files, self._woken)

    @property
    def notified(self) -> bool:
        """Whether the kernel's notifications are in use, besides looking."""
        return self._observer is not None

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._ending.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until a file changed (True), or until `timeout` seconds passed or the watch was closed (False)."""
        deadline = None if timeout is None else time.monotonic() + timeout
        self._ending.wait(max(0.0, self._last_wake + self._least_seconds - time.monotonic()))
        while not self.closed:
            remaining = self._poll_seconds if deadline is None else deadline - time.monotonic()
            self._woken.wait(max(0.0, min(self._poll_seconds, remaining)))
            self._woken.clear()
            if self._changed() and not self._ending.is_set():
                self._last_wake = time.monotonic()
                return True
            if deadline is not None and time.monotonic() >= deadline:
                break
        return False

    def close(self) -> None:
        """End a wait in progress and stop watching; safe to call twice."""
        self._ending.set()
        self._woken.set()
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _changed(self) -> bool:
        before, self._stamps = self._stamps, self._look()
        return self._stamps != before

    def _look(self) -> list[_Stamp]:
        return [_stamp(path) for path in self._files]


def _stamp(path: Path) -> _Stamp:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _observe(files: Iterable[Path], woken: threading.Event) -> BaseObserver | None:
    """A started watchdog observer that sets `woken`, or None where the system gives no notifications."""
    # Imported here: watchdog starts threads and takes a while, and reading a run needs neither.
    from watchdog.events import (
        FileCreatedEvent,
        FileDeletedEvent,
        FileModifiedEvent,
        FileMovedEvent,
        FileSystemEvent,
        FileSystemEventHandler,
    )
    from watchdog.observers import Observer

    class Waker(FileSystemEventHandler):
        def dispatch(self, event: FileSystemEvent) -> None:  # noqa: ARG002
            woken.set()

    # It calls an event that arrives while a watch is being closed an error, and logging would print that to the terminal.
    logging.getLogger("watchdog").setLevel(logging.CRITICAL)
    kinds: list[Any] = [FileCreatedEvent, FileDeletedEvent, FileModifiedEvent, FileMovedEvent]
    observer = Observer()
    try:
        for folder in sorted({path.parent for path in files}):
            observer.schedule(Waker(), str(folder), event_filter=kinds)
        observer.start()
    except (OSError, RuntimeError):
        # No inotify instances or watches left, or no such folder: looking once a second serves.
        with contextlib.suppress(RuntimeError):
            observer.stop()
        return None
    return observer

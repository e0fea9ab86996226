"""A thread that follows something on disk while it is on the screen, and keeps the newest of what it found there."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from sdtui.runs.watch import Watch

Found = TypeVar("Found")


class Follower(threading.Thread, ABC, Generic[Found]):
    """Hands over what it finds, the newest only, so that a slow screen is never behind.

    Args:
        name: of the thread.
        tell: called in this thread when there is something new and the last was taken, and when it failed; it must not block.

    Attributes:
        problem: what ended it; None while all is well.
    """

    def __init__(self, name: str, tell: Callable[[Self], None]) -> None:
        super().__init__(name=name, daemon=True)
        self.problem: Exception | None = None
        self._tell: Callable[[Any], None] = tell
        self._latest: Found | None = None
        self._lock = threading.Lock()
        self._watch: Watch | None = None
        self._ending = threading.Event()

    @property
    def ending(self) -> bool:
        """Whether `close` was called."""
        return self._ending.is_set()

    def take(self) -> Found | None:
        """The newest, once; None if it was taken already."""
        with self._lock:
            latest, self._latest = self._latest, None
            return latest

    def close(self) -> None:
        """End the thread soon; does not wait for it, and leaves alone what is followed."""
        self._ending.set()
        if self._watch is not None:
            self._watch.close()

    def run(self) -> None:
        """Follow until closed; a failure is handed over, as a thread's own traceback would tear the screen."""
        try:
            self.follow()
        except Exception as error:  # noqa: BLE001  the screen reports it
            self.problem = error
            self._tell(self)

    @abstractmethod
    def follow(self) -> None:
        """Read, hand over, sleep until something changes; again until `ending`."""

    def watch(self, files: Iterable[Path], least_seconds: float) -> Watch:
        """A watch of `files` that ends when this thread is to end; to be closed by whoever asked for it."""
        self._watch = Watch(files, least_seconds=least_seconds)
        return self._watch

    def hand_over(self, found: Found) -> None:
        """Keep it for `take`; the screen is told unless it has yet to take the one before."""
        with self._lock:
            waiting, self._latest = self._latest is not None, found
        if not waiting:
            self._tell(self)

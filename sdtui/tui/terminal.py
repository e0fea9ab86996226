"""What the terminal may do to us: go away (SIGHUP, EOF, EIO), end us (SIGTERM), or not be one at all.

Textual has no handler for SIGHUP and dies without cleaning up; where the signal is ignored it outlives its terminal with a
core at 100 %. So the signals are handled here, and a thread waits in `poll` for the hang-up that no signal announced.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable
from types import FrameType

HANGUP_EXIT = 128 + signal.SIGHUP
GRACE_SECONDS = 3.0
# poll() reports a hang-up at once on Linux; the timeout is for systems where it stays silent on a dead terminal.
CHECK_MILLISECONDS = 2000


def is_terminal() -> bool:
    """Whether keys can be read and a screen drawn: Textual reads stdin and writes to stderr."""
    return all(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stderr__))


def shell_waits() -> bool:
    """Whether a shell with job control started us: only it sees that we stopped, and can let us go on.

    Such a shell gives each job a process group, and has the session itself; a pane or an ssh command has neither.
    """
    return os.getpgrp() == os.getpid() != os.getsid(0)


def is_gone(descriptor: int) -> bool:
    """Whether the terminal behind `descriptor` has gone away."""
    try:
        termios.tcgetattr(descriptor)
    except termios.error:
        return True
    return False


def wait_for_hangup(descriptor: int, wanted: Callable[[], bool] = lambda: True) -> bool:
    """Block until the terminal is gone (True) or `wanted` says that nobody cares any more (False); costs no CPU."""
    poller = select.poll()
    poller.register(descriptor, 0)
    while wanted():
        events = poller.poll(CHECK_MILLISECONDS)
        if any(mask & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, mask in events) or is_gone(descriptor):
            return True
    return False


class Guard:
    """Ends the app when its terminal goes or a signal asks for it, after `save` wrote down where it was left.

    Args:
        save: writes the state; called at most once, from whichever thread notices first.
        leave: asks the running app to close tidily with an exit code (it must be safe to call from a signal handler).
        descriptor: the terminal's file descriptor.
    """

    def __init__(self, save: Callable[[], None], leave: Callable[[int], None], descriptor: int = 0) -> None:
        self._save = save
        self._leave = leave
        self._descriptor = descriptor
        self._once = threading.Lock()
        self._ender = 0
        self._running = True

    def install(self) -> None:
        """Take over SIGHUP and SIGTERM and start watching; main thread only."""
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        threading.Thread(target=self._watch, name="terminal-watch", daemon=True).start()

    def stop(self) -> None:
        """The app has closed by itself: let go."""
        self._running = False

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if is_gone(self._descriptor):
            self.end(128 + number)
        # With the terminal alive, leaving the usual way gives it back in order; a stalled line must not prevent the end.
        threading.Thread(target=self._end_later, args=(128 + number,), name="terminal-grace", daemon=True).start()
        self._leave(128 + number)

    def _end_later(self, code: int) -> None:
        threading.Event().wait(GRACE_SECONDS)
        if self._running:
            self.end(code)

    def _watch(self) -> None:
        if wait_for_hangup(self._descriptor, lambda: self._running) and self._running:
            self.end(HANGUP_EXIT)

    def end(self, code: int) -> None:
        """Save and be gone at once: nothing can be drawn, so the interpreter's own shutdown would only block on it.

        The hang-up is often noticed twice, by signal and by poll; only the first one saves. Returns only to a signal
        handler that interrupted the saving.
        """
        if self._once.acquire(blocking=False):
            self._ender = threading.get_ident()
            try:
                self._save()
            finally:
                os._exit(code)
        if self._ender != threading.get_ident():
            threading.Event().wait(GRACE_SECONDS)
            os._exit(code)

"""Locks between processes: a flock, which the kernel releases when its holder dies, however it dies."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

from sdtui.errors import SdtuiError

_PAUSE = 0.02


def take(handle: int, path: Path, patience: float, busy: SdtuiError) -> None:
    """Lock the open file `handle`; closing it lets go.

    A process that only asks holds the lock for microseconds, so a refusal counts when it lasts for `patience` seconds.

    Args:
        handle: of the lock file at `path`.
        path: for the message.
        patience: seconds.
        busy: raised when another process keeps the lock for longer than that.

    Raises:
        SdtuiError: the file system has no locks, or `busy`.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            if try_take(handle):
                return
        except OSError as error:
            raise SdtuiError(
                f"this file system cannot lock files ({error.strerror})",
                where=str(path),
                remedy="Use a folder on a local disk, or mount it with locks",
            ) from error
        if time.monotonic() > deadline:
            raise busy
        time.sleep(_PAUSE)


def try_take(handle: int) -> bool:
    """Lock the open file `handle` unless another has it; raises OSError where the file system has no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_taken(path: Path) -> bool:
    """Whether some process holds the lock file at `path`, on any host whose locks this file system shares."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that any number of watchers may ask at the same moment.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in {errno.EWOULDBLOCK, errno.EACCES}
    finally:
        os.close(handle)
    return False

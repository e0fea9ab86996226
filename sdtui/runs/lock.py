"""Who lives: a flock that the kernel releases when its holder dies, however it dies, so that no pid is ever trusted."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sdtui.errors import SdtuiError, UserError
from sdtui.files import write_failure
from sdtui.runs.layout import RunFolder

HANDLE_VARIABLE = "SDTUI_LOCK_FD"
"""Environment variable by which a launcher hands the already locked file to the process it starts."""

_PROBE_SECONDS = 2.0


class Lock:
    """A held lock; ends with `release`, the `with` block or the process."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        _held.add(handle)

    def release(self) -> None:
        """Let go; safe to call twice."""
        if self.handle in _held:
            _held.discard(self.handle)
            os.close(self.handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


_held: set[int] = set()


def hold(run: RunFolder) -> Lock:
    """Become the one process that trains this run: adopts the lock its launcher took, else takes it.

    Raises:
        UserError: another process holds it.
        SdtuiError: the file system has no locks, or the folder cannot be written.
    """
    adopted = _adopt(run.lock_file)
    return adopted or acquire(run.lock_file)


def acquire(path: Path) -> Lock:
    """Take the lock file at `path`, or say who has it."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise write_failure(path, error) from error
    try:
        _lock_patiently(handle, path)
    except BaseException:
        os.close(handle)
        raise
    return Lock(handle)


def is_held(run: RunFolder) -> bool:
    """Whether a process that trains this run is alive, on any host whose locks this file system shares."""
    return probe(run.lock_file)


def probe(path: Path) -> bool:
    """Whether some process holds the lock file at `path`."""
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


def _lock_patiently(handle: int, path: Path) -> None:
    """A watcher's question holds the lock for microseconds, so a refusal only counts when it lasts."""
    deadline = time.monotonic() + _PROBE_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise UserError(
                    "this run already has a living process",
                    where=str(path.parent),
                    remedy="Stop it first, or watch it",
                ) from None
            time.sleep(0.02)
        except OSError as error:
            raise SdtuiError(
                f"this file system cannot lock files ({error.strerror})",
                where=str(path),
                remedy="Put the runs folder on a local disk or mount it with locks",
            ) from error
        else:
            return


def _adopt(path: Path) -> Lock | None:
    """The lock file inherited from the launcher, if it is this one; children of ours must not inherit it again."""
    inherited = os.environ.pop(HANDLE_VARIABLE, "")
    if not inherited.isdigit():
        return None
    try:
        if not os.path.samestat(os.fstat(int(inherited)), os.stat(path)):
            return None
        os.set_inheritable(int(inherited), False)
    except OSError:
        return None
    return Lock(int(inherited))


def _forget_in_child() -> None:
    """A forked worker that outlives its killed parent would otherwise keep the run looking alive."""
    for handle in _held:
        os.close(handle)
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)

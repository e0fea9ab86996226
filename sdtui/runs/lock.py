"""Who lives: the one who holds a run's lock, which dies with its holder, so that no pid is ever trusted."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from sdtui import locks
from sdtui.errors import UserError
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
        locks.take(handle, path, _PROBE_SECONDS, _living(path))
    except BaseException:
        os.close(handle)
        raise
    return Lock(handle)


def is_held(run: RunFolder) -> bool:
    """Whether a process that trains this run is alive, on any host whose locks this file system shares."""
    return locks.is_taken(run.lock_file)


def _living(path: Path) -> UserError:
    where = str(path.parent)
    return UserError("this run already has a living process", where=where, remedy="Stop it first, or watch it")


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

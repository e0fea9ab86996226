from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from sdtui import locks
from sdtui.errors import SdtuiError

BUSY = SdtuiError("somebody is at it")


def opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT)


def test_one_holds_it_until_its_file_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not locks.is_taken(path)
    one, other = opened(path), opened(path)
    assert not locks.is_taken(path)
    locks.take(one, path, 0, BUSY)
    assert locks.is_taken(path)
    with pytest.raises(SdtuiError, match="somebody is at it"):
        locks.take(other, path, 0.05, BUSY)
    os.close(one)
    locks.take(other, path, 0, BUSY)
    os.close(other)
    assert not locks.is_taken(path)


def test_a_file_system_without_locks_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_handle: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    path = tmp_path / "lock"
    handle = opened(path)
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(SdtuiError, match="cannot lock files \\(No locks available\\)"):
        locks.take(handle, path, 0, BUSY)
    assert not locks.is_taken(path)
    os.close(handle)

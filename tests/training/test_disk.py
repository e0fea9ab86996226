"""The disk guard, also on a real small file system where the test may mount one."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdtui.errors import SdtuiError
from sdtui.files import write_atomic, write_failure
from sdtui.runs.layout import RunFolder
from sdtui.training import checkpoint
from sdtui.training.disk import DiskGuard, is_full

MIB = 1 << 20


def guard(monkeypatch: pytest.MonkeyPatch, free_mib: int, min_free_mib: int) -> DiskGuard:
    monkeypatch.setattr(DiskGuard, "free_bytes", lambda _: free_mib * MIB)
    return DiskGuard(Path(), min_free_mib)


def test_enough_space_is_no_shortage(monkeypatch: pytest.MonkeyPatch) -> None:
    assert guard(monkeypatch, 100, 100).shortage(50 * MIB) is None


def test_less_than_the_profile_keeps_free(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = "99 MiB of disk are free, less than saving.min_free_mib = 100"
    assert guard(monkeypatch, 99, 100).shortage() == expected


def test_less_than_twice_a_save(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = "99 MiB of disk are free, and two checkpoints of 50 MiB must fit"
    assert guard(monkeypatch, 99, 0).shortage(50 * MIB) == expected


def test_free_bytes_are_those_of_the_file_system(tmp_path: Path) -> None:
    found = os.statvfs(tmp_path)
    assert DiskGuard(tmp_path, 0).free_bytes() == pytest.approx(found.f_bavail * found.f_frsize, rel=0.1)


@pytest.mark.parametrize(("number", "full"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EACCES, False)])
def test_a_full_disk_is_told_from_other_causes(number: int, full: bool) -> None:
    error = write_failure(Path("x"), OSError(number, os.strerror(number)))
    error.__cause__ = OSError(number, os.strerror(number))
    assert is_full(error) is full
    assert is_full(None) is False


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB; needs the right to mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_save_on_a_full_file_system_leaves_what_was_there(small_disk: Path) -> None:
    run = RunFolder.create(small_disk, "run")
    checkpoint.save(run, checkpoint.Progress(step=1), {}, {}, {"adapter": lambda path: path.write_bytes(b"adapter")})
    with pytest.raises(SdtuiError, match="no space left") as caught:
        checkpoint.save(
            run, checkpoint.Progress(step=2), {}, {}, {"adapter": lambda path: write_atomic(path, bytes(300 << 10))}
        )
    assert is_full(caught.value)
    assert [path.name for path in run.checkpoints_dir.iterdir()] == ["step-000001"]
    found, damaged = checkpoint.load_latest(run)
    assert found is not None
    assert damaged == []
    assert DiskGuard(run.path, 1).shortage() is not None

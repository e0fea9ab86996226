"""Atomic writes: the old bytes or the new bytes, never a mixture, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdtui import files
from sdtui.errors import SdtuiError
from sdtui.files import make_folder, open_atomic, write_atomic


def test_replaces_and_keeps_the_mode(tmp_path: Path) -> None:
    target = tmp_path / "profile.toml"
    target.write_bytes(b"old")
    target.chmod(0o640)
    write_atomic(target, "new ✓")
    assert target.read_bytes() == "new ✓".encode()
    assert target.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["profile.toml"]


def test_a_new_file_follows_the_umask(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        write_atomic(tmp_path / "a.txt", b"x")
    finally:
        os.umask(previous)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_a_private_file_is_never_readable_by_others(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.touch(0o600)
    with open_atomic(target) as stream:
        assert os.fstat(stream.fileno()).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["a" * 251 + ".txt", "日" * 83 + ".txt", "\udce9" * 255])
def test_the_longest_names_can_be_written(tmp_path: Path, name: str) -> None:
    write_atomic(tmp_path / name, b"old")
    write_atomic(tmp_path / name, b"new")
    assert (os.listdir(tmp_path), (tmp_path / name).read_bytes()) == ([name], b"new")


def test_writes_through_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_atomic(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_an_exception_in_the_block_leaves_the_old_file_alone(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), open_atomic(target) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_is_made_with_those_above_it_or_it_is_said_why_not(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(SdtuiError, match="cannot write") as error:
        make_folder(tmp_path / "file" / "c")
    assert error.value.where == str(tmp_path / "file" / "c")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SdtuiError) as caught:
        write_atomic(tmp_path / "none" / "a.txt", "x")
    assert str(caught.value) == f"{tmp_path}/none/a.txt: cannot write: the folder does not exist. Create it first"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A 64 KiB file system of its own."""
    mount = tmp_path / "disk"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mount], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield mount
    subprocess.run(["umount", mount], check=True)


def test_a_full_disk_keeps_the_old_file_and_says_so(small_disk: Path) -> None:
    target = small_disk / "a.bin"
    target.write_bytes(b"old")
    with pytest.raises(SdtuiError) as caught:
        write_atomic(target, b"x" * 200_000)
    assert "no space left on the disk" in str(caught.value)
    assert target.read_bytes() == b"old"
    assert os.listdir(small_disk) == ["a.bin"]


def test_without_sync_nothing_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[int] = []
    monkeypatch.setattr(os, "fsync", waited.append)
    write_atomic(tmp_path / "a.txt", b"x", sync=False)
    assert (waited, (tmp_path / "a.txt").read_bytes()) == ([], b"x")
    write_atomic(tmp_path / "a.txt", b"y")
    assert len(waited) == 2  # the file and its folder


def test_one_sync_for_many_files_where_the_system_call_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(files, "_libc", object)
    monkeypatch.setattr(os, "sync", lambda: called.append("all disks"))
    files.sync_all(tmp_path)
    assert called == ["all disks"]
    monkeypatch.undo()
    files.sync_all(tmp_path)
    files.sync_all(tmp_path / "gone")

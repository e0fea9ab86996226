from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdtui.dataset import switch
from sdtui.dataset.switch import switch_all
from sdtui.errors import SdtuiError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_are_written_made_and_deleted_and_keep_their_modes(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "old").chmod(0o640)
    (tmp_path / "gone").write_bytes(b"gone")
    (tmp_path / "link").symlink_to(tmp_path / "old2")
    (tmp_path / "old2").write_bytes(b"old2")
    switch_all(
        [
            (tmp_path / "old", b"new"),
            (tmp_path / "made", b""),
            (tmp_path / "gone", None),
            (tmp_path / "never was", None),
            (tmp_path / "link", b"through"),
        ],
        5,
        tmp_path,
    )
    assert names(tmp_path) == ["link", "made", "old", "old2"]
    assert (tmp_path / "old").read_bytes() == b"new"
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "made").read_bytes() == b""
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "old2").read_bytes() == b"through"


def test_names_that_are_cut_do_not_meet(tmp_path: Path) -> None:
    paths = [tmp_path / ("x" * 240 + str(number)) for number in range(3)]
    switch_all([(path, path.name[-1:].encode()) for path in paths], 3, tmp_path)
    assert [path.read_bytes() for path in paths] == [b"0", b"1", b"2"]


def test_a_full_disk_changes_nothing_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [(tmp_path / f"{number}.txt", b"new") for number in range(100)]
    for path, _ in files:
        path.write_bytes(b"old")
    written = []
    real = os.write

    def full(handle: int, data: memoryview) -> int:
        written.append(handle)
        if len(written) > 60:
            raise OSError(28, "No space left on device")
        return real(handle, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SdtuiError, match="no space left on the disk"):
        switch_all(files, 100, tmp_path)
    monkeypatch.undo()
    assert len(names(tmp_path)) == 100
    assert {path.read_bytes() for path, _ in files} == {b"old"}


def test_all_is_on_disk_before_the_first_switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"old")
    seen = []
    monkeypatch.setattr(switch, "sync_all", lambda _: seen.append((tmp_path / "a").read_bytes()))
    switch_all([(tmp_path / "a", b"new")], 1, tmp_path)
    assert seen == [b"old", b"new"]


def test_a_switch_that_fails_leaves_no_unfinished_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(SdtuiError, match="cannot write"):
        switch_all([(tmp_path / "a", b"new")], 1, tmp_path)
    assert names(tmp_path) == ["a"]


def test_files_are_asked_for_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead: list[int] = []
    written: list[str] = []
    real = switch._written_beside

    def counted(target: str, data: bytes, token: str) -> tuple[str, str]:
        written.append(target)
        return real(target, data, token)

    def files() -> Iterator[tuple[Path, bytes]]:
        for number in range(3_000):
            ahead.append(number - len(written))
            yield tmp_path / f"{number}", b"x"

    monkeypatch.setattr(switch, "_written_beside", counted)
    switch_all(files(), 3_000, tmp_path)
    assert len(names(tmp_path)) == 3_000
    # 32 times 32 are handed out and not done, and one that is being taken.
    assert max(ahead) <= 33 * 32

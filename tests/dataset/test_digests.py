"""Digests that are remembered: right, read once, and never trusted for a file that has changed."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from sdtui import files
from sdtui.dataset import digests
from sdtui.dataset.digests import Digests
from sdtui.dataset.image import UnreadableImage, content_digest


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose bytes are read; all that lie there have long been as they are."""
    names: list[str] = []

    def noted(path: Path) -> str:
        names.append(path.name)
        return content_digest(path)

    monkeypatch.setattr(digests, "content_digest", noted)
    monkeypatch.setattr(digests, "SETTLED_NS", -(10**18))
    return names


def remembered(folder: Path, *names: str) -> Digests:
    found = Digests(folder)
    for name in names:
        (folder / name).write_bytes(name.encode())
        found.of(folder / name)
    found.save()
    return found


def test_a_second_run_reads_nothing(tmp_path: Path, read: list[str]) -> None:
    remembered(tmp_path, "a", "b")
    again = Digests(tmp_path)
    assert again.of(tmp_path / "a") == hashlib.sha256(b"a").hexdigest()
    assert again.of(tmp_path / "b") == hashlib.sha256(b"b").hexdigest()
    assert read == ["a", "b"]


def test_one_file_holds_them_all_and_none_lies_among_the_images(tmp_path: Path, own_folders: Path) -> None:
    remembered(tmp_path, "a", "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert len(list((own_folders / "cache" / "digests").iterdir())) == 1


def test_a_file_of_the_same_size_and_date_is_noticed(tmp_path: Path, read: list[str]) -> None:
    remembered(tmp_path, "a")
    before = (tmp_path / "a").stat()
    time.sleep(0.02)  # the kernel's clock has moved on
    (tmp_path / "a").write_bytes(b"z")
    os.utime(tmp_path / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert Digests(tmp_path).of(tmp_path / "a") == hashlib.sha256(b"z").hexdigest()
    assert read == ["a", "a"]


def test_another_file_moved_to_the_name_is_noticed(tmp_path: Path, read: list[str]) -> None:
    remembered(tmp_path, "a", "b")
    (tmp_path / "b").rename(tmp_path / "a")
    assert Digests(tmp_path).of(tmp_path / "a") == hashlib.sha256(b"b").hexdigest()


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Digests(tmp_path)
    (tmp_path / "a").write_bytes(b"a")
    found.of(tmp_path / "a")
    assert found._known == {}
    monkeypatch.setattr(time, "time_ns", lambda: (tmp_path / "a").stat().st_ctime_ns + digests.SETTLED_NS + 1)
    found.of(tmp_path / "a")
    assert len(found._known) == 1


def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(path: Path) -> str:
        digest = content_digest(path)
        path.write_bytes(b"longer")
        return digest

    monkeypatch.setattr(digests, "content_digest", changed)
    found = remembered(tmp_path, "a")
    assert found._known == {}


@pytest.mark.parametrize("damage", ["truncated", "one byte", "empty", "not text", "not ours"])
def test_a_damaged_file_is_read_anew(tmp_path: Path, own_folders: Path, read: list[str], damage: str) -> None:
    remembered(tmp_path, "a")
    (file,) = (own_folders / "cache" / "digests").iterdir()
    content = file.read_bytes()
    changed = {"truncated": content[:-9], "empty": b"", "not text": b"\xff\xfe", "not ours": "x\né\n".encode()}
    file.write_bytes(changed.get(damage, content.replace(b"a", b"b", 1)))
    assert Digests(tmp_path).of(tmp_path / "a") == hashlib.sha256(b"a").hexdigest()
    assert read == ["a", "a"]


def test_runs_at_the_same_time_keep_what_each_has_read(tmp_path: Path, read: list[str]) -> None:
    first, second = Digests(tmp_path), Digests(tmp_path)
    for name, run in (("a", first), ("b", second)):
        (tmp_path / name).write_bytes(name.encode())
        run.of(tmp_path / name)
    first.save()
    second.save()
    third = Digests(tmp_path)
    third.of(tmp_path / "a")
    third.of(tmp_path / "b")
    assert read == ["a", "b"]


def test_files_that_are_gone_are_forgotten(tmp_path: Path, read: list[str]) -> None:
    remembered(tmp_path, "a", "b")
    (tmp_path / "a").unlink()
    remembered(tmp_path, "c")
    assert [Path(name).name for name in Digests(tmp_path)._known] == ["b", "c"]


def test_a_folder_that_cannot_be_written_costs_time_only(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(files, "_create_beside", full)
    assert remembered(tmp_path, "a").of(tmp_path / "a") == hashlib.sha256(b"a").hexdigest()


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="does not exist"):
        Digests(tmp_path).of(tmp_path / "a")


def test_names_that_are_not_text_are_remembered(tmp_path: Path, read: list[str]) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    found = Digests(tmp_path)
    (tmp_path / name).write_bytes(b"a")
    found.of(tmp_path / name)
    found.save()
    Digests(tmp_path).of(tmp_path / name)
    assert len(read) == 1

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from sdtui.dataset import disk_watch
from sdtui.dataset.disk_watch import DiskWatch, Seen
from sdtui.dataset.index import Index
from sdtui.dataset.library import Library

PAST = 1_000_000_000


@pytest.fixture(autouse=True)
def without_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_watch, "_REST", -1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """0: a.png (captioned), 1: b.png (bare), 2: in/c.png (captioned), all of long ago."""
    (tmp_path / "in").mkdir()
    for name in ("a.png", "a.txt", "b.png", "in/c.png", "in/c.txt"):
        (tmp_path / name).write_text("x")
    at_rest(tmp_path)
    return tmp_path


def at_rest(folder: Path) -> None:
    """As if nothing had been written for years."""
    for path in (*sorted(folder.rglob("*")), folder):
        os.utime(path, (PAST, PAST))


def watched(folder: Path, *, recursive: bool = True) -> tuple[Index, DiskWatch]:
    index = Index(Library.scan(folder, recursive=recursive))
    watch = DiskWatch(index)
    assert not watch.look()
    for _ in index.load():
        pass
    return index, watch


def replaced(path: Path, text: str) -> None:
    """As every careful program writes."""
    path.with_name("beside").write_text(text)
    os.replace(path.with_name("beside"), path)


def test_of_a_set_at_rest_nothing_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, watch = watched(folder)
    monkeypatch.setattr(watch, "_look_through", lambda *_: pytest.fail("a folder at rest was looked through"))
    assert watch.look() == Seen()
    assert index.text(0) == "x"


def test_captions_replaced_made_and_deleted(folder: Path) -> None:
    index, watch = watched(folder)
    replaced(folder / "a.txt", "y")
    (folder / "b.png.caption").write_text("new")
    assert watch.look() == Seen([0, 1])
    index.changed([0, 1])
    assert (index.text(0), index.text(1)) == ("y", "new")
    assert watch.look() == Seen()
    (folder / "in" / "c.txt").unlink()
    assert watch.look() == Seen([2])
    index.changed([2])
    assert watch.look() == Seen()


def test_what_was_written_while_the_index_was_made_is_seen(folder: Path) -> None:
    index = Index(Library.scan(folder))
    watch = DiskWatch(index)
    for _ in index.load():
        pass
    replaced(folder / "in" / "c.txt", "later")
    assert watch.look() == Seen([2])


def test_a_write_in_place_is_seen_when_its_turn_comes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_watch, "_CAPTIONS", 1)
    _index, watch = watched(folder)
    (folder / "in" / "c.txt").write_text("longer")
    assert [watch.look() for _ in range(4)] == [Seen(), Seen(), Seen([2]), Seen()]


def test_images_that_come_and_go(folder: Path) -> None:
    _index, watch = watched(folder)
    (folder / "in" / "d.png").touch()
    assert watch.look() == Seen([], images=True)
    # Said once, whatever else is done there.
    replaced(folder / "in" / "c.txt", "y")
    assert watch.look() == Seen([2])
    (folder / "in" / "e.png").touch()
    assert watch.look() == Seen([2], images=True)
    at_rest(folder)
    _index, watch = watched(folder)
    (folder / "b.png").unlink()
    assert watch.look() == Seen([], images=True)


def test_folders_that_come_and_go(folder: Path) -> None:
    _index, watch = watched(folder)
    (folder / "empty").mkdir()
    (folder / ".sdtui").mkdir()
    (folder / ".sdtui" / "e.png").touch()
    assert watch.look() == Seen()
    (folder / "more").mkdir()
    (folder / "more" / "e.png").touch()
    assert watch.look() == Seen([], images=True)
    shutil.rmtree(folder / "in")
    assert watch.look() == Seen([2], images=True)


def test_folders_between_are_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "one" / "two").mkdir(parents=True)
    (tmp_path / "one" / "two" / "a.png").touch()
    at_rest(tmp_path)
    _index, watch = watched(tmp_path)
    (tmp_path / "one" / "other").mkdir()
    (tmp_path / "one" / "other" / "b.png").touch()
    assert watch.look() == Seen([], images=True)


def test_folders_inside_do_not_count_where_they_are_not_listed(folder: Path) -> None:
    _index, watch = watched(folder, recursive=False)
    replaced(folder / "a.txt", "y")
    assert watch.look() == Seen([0])


def test_many_folders_are_looked_at_in_turn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_watch, "_FOLDERS", 1)
    monkeypatch.setattr(disk_watch, "_CAPTIONS", 0)
    _index, watch = watched(folder)
    replaced(folder / "in" / "c.txt", "y")
    assert [watch.look(), watch.look()] == [Seen(), Seen([2])]


def test_after_a_long_look_there_is_rest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_watch, "_REST", 10)
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    index, watch = watched(folder)
    monkeypatch.setattr(index, "differing", lambda _: now.__setitem__(0, now[0] + 1) or [])
    watch.look()
    replaced(folder / "a.txt", "y")
    monkeypatch.setattr(index, "differing", lambda positions: [at for at in positions if at == 0])
    assert watch.look() == Seen()
    now[0] = 100 + 11
    assert watch.look() == Seen([0])

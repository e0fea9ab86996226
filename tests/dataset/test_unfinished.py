"""An edit that a killed process left half done: seen before anything is written, then finished or taken back."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from sdtui.dataset.edit import Change, Journal, StoppedError, Unfinished
from tests.dataset.test_edit import LOWER, UPPER, contents, folder, killed

__all__ = ["folder"]


def upper(folder: Path) -> None:
    Journal.open(folder).apply(
        [Change(folder / f"{name}.txt", name.encode(), name.upper().encode()) for name in "abc"], "upper case"
    )


def test_a_folder_without_a_journal_has_nothing_unfinished(folder: Path) -> None:
    assert Journal.unfinished(folder) is None
    assert Journal.recover(folder, finish=True) is None
    assert not (folder / ".sdtui").exists()


@pytest.mark.parametrize(("finish", "then", "after_undo"), [(True, UPPER, LOWER), (False, LOWER, LOWER)])
def test_an_edit_is_finished_or_taken_back(
    folder: Path, finish: bool, then: dict[str, bytes], after_undo: dict[str, bytes]
) -> None:
    killed(folder, "apply", 2)
    half = contents(folder)
    assert Journal.unfinished(folder) == Unfinished("upper case", "edit", files=3, written=2)
    assert contents(folder) == half
    done = Journal.recover(folder, finish=finish)
    assert done is not None
    assert (done.label, done.written, done.conflicts) == ("upper case", 1 if finish else 2, ())
    assert contents(folder) == then
    assert Journal.unfinished(folder) is None
    assert [item.label for item in Journal.open(folder).history()] == (["upper case"] if finish else [])
    Journal.open(folder).undo()
    assert contents(folder) == after_undo


@pytest.mark.parametrize(("finish", "then"), [(True, LOWER), (False, UPPER)])
def test_an_undo_is_finished_or_taken_back(folder: Path, finish: bool, then: dict[str, bytes]) -> None:
    upper(folder)
    killed(folder, "undo", 1)
    assert Journal.unfinished(folder) == Unfinished("upper case", "undo", files=3, written=1)
    Journal.recover(folder, finish=finish)
    assert contents(folder) == then
    assert Journal.open(folder).applied == (0 if finish else 1)


@pytest.mark.parametrize(("finish", "then"), [(True, UPPER), (False, LOWER)])
def test_a_redo_is_finished_or_taken_back(folder: Path, finish: bool, then: dict[str, bytes]) -> None:
    upper(folder)
    Journal.open(folder).undo()
    killed(folder, "redo", 1)
    assert Journal.unfinished(folder) == Unfinished("upper case", "redo", files=3, written=1)
    Journal.recover(folder, finish=finish)
    assert contents(folder) == then
    assert Journal.open(folder).applied == (1 if finish else 0)


def test_taking_back_leaves_alone_what_someone_else_changed_meanwhile(folder: Path) -> None:
    killed(folder, "apply", 2)
    (folder / "a.txt").write_bytes(b"theirs")
    done = Journal.recover(folder, finish=False)
    assert done is not None
    assert done.conflicts == (folder / "a.txt",)
    assert contents(folder) == {"a.txt": b"theirs", "b.txt": b"b", "c.txt": b"c"}


def test_an_edit_that_is_going_on_in_another_process_is_not_unfinished(folder: Path) -> None:
    killed(folder, "apply", 1)
    handle = os.open(folder / ".sdtui" / "edits" / "lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert Journal.unfinished(folder) is None
    os.close(handle)
    assert Journal.unfinished(folder) is not None


def many(folder: Path) -> list[Change]:
    for number in range(200):
        (folder / f"{number:03}.txt").write_bytes(b"old")
    return [Change(folder / f"{number:03}.txt", b"old", b"new") for number in range(200)]


def test_progress_of_many_files_rises_to_one(tmp_path: Path) -> None:
    heard: list[float] = []
    Journal.open(tmp_path).apply(many(tmp_path), "all", progress=heard.append)
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (1 / 14, 1.0)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_an_edit_that_is_called_off_leaves_nothing(tmp_path: Path, share: float) -> None:
    changes = many(tmp_path)

    def stop(done: float) -> None:
        if done > share:
            raise StoppedError("called off")

    journal = Journal.open(tmp_path)
    with pytest.raises(StoppedError):
        journal.apply(changes, "all", progress=stop)
    assert set(contents(tmp_path).values()) == {b"old"}
    assert not list(tmp_path.glob(".*.tmp"))
    assert (journal.history(), Journal.unfinished(tmp_path)) == ([], None)
    journal.apply(changes, "all")
    with pytest.raises(StoppedError):
        journal.undo(progress=stop)
    assert set(contents(tmp_path).values()) == {b"new"}
    assert journal.applied == 1

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PIL import Image

from sdtui.tui import board as boards
from sdtui.tui import workspace
from sdtui.tui.board import Board, BoardReader
from tests.runs.helpers import until

PROFILE = '[method]\nkind = "lora"\n[[dataset.folders]]\npath = "images"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "images" / "a.png")
    (tmp_path / "x.toml").write_text(PROFILE)
    return tmp_path


def test_first_what_is_cheap_then_what_was_checked(folder: Path) -> None:
    seen: list[Board] = []
    reader = BoardReader(folder, seen.append)
    reader.read(complete=False)
    reader.read(complete=True)
    assert [(each.complete, each.profiles[0].errors > 0, each.datasets[0].images) for each in seen] == [
        (False, False, -1),
        (True, True, 1),
    ]


def test_nothing_is_told_while_nothing_changes(folder: Path) -> None:
    seen: list[Board] = []
    reader = BoardReader(folder, seen.append)
    reader.read(complete=True)
    reader.read(complete=False)
    reader.read(complete=True)
    assert len(seen) == 1


def test_what_did_not_change_is_not_checked_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = BoardReader(folder, lambda _board: None)
    reader.read(complete=True)
    monkeypatch.setattr(workspace, "checked_row", lambda row: pytest.fail("checked again"))
    monkeypatch.setattr(workspace, "dataset_row", lambda path: pytest.fail("counted again"))
    reader.read(complete=True)


def test_a_running_reader_notices_and_ends(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "LEAST_SECONDS", 0.01)
    seen: list[Board] = []
    reader = BoardReader(folder, seen.append)
    thread = threading.Thread(target=reader.run)
    thread.start()
    until(lambda: bool(seen) and seen[-1].complete, "the board")
    (folder / "y.toml").write_text(PROFILE)
    until(lambda: [row.path.name for row in seen[-1].profiles] == ["x.toml", "y.toml"], "the board")
    (folder / "y.toml").unlink()
    reader.look_again()
    until(lambda: [row.path.name for row in seen[-1].profiles] == ["x.toml"], "the board")
    reader.close()
    thread.join(120)
    assert not thread.is_alive()


def test_only_what_is_cheap_is_read_until_the_rest_is_wanted(folder: Path) -> None:
    wanted = threading.Event()
    seen: list[Board] = []
    reader = BoardReader(folder, seen.append, wanted.is_set)
    thread = threading.Thread(target=reader.run)
    thread.start()
    until(lambda: bool(seen), "the board")
    (folder / "images" / "a.txt").write_text("city")
    (folder / "y.toml").write_text(PROFILE)
    reader.look_again()
    until(lambda: len(seen[-1].profiles) == 2, "the board")
    assert not any(each.complete for each in seen)
    wanted.set()
    reader.look_again()
    until(lambda: seen[-1].complete, "the board")
    reader.close()
    thread.join(120)
    assert not thread.is_alive()


def test_asked_for_while_reading_it_reads_once_more(folder: Path) -> None:
    seen: list[Board] = []

    def deliver(board: Board) -> None:
        seen.append(board)
        if board.complete and len(board.profiles) == 1:
            (folder / "y.toml").write_text(PROFILE)
            reader.look_again()

    reader = BoardReader(folder, deliver)
    thread = threading.Thread(target=reader.run)
    thread.start()
    until(lambda: len(seen[-1].profiles) == 2 if seen else False, "the board")
    reader.close()
    thread.join(120)
    assert not thread.is_alive()


def test_a_folder_of_runs_that_cannot_be_listed_is_said(folder: Path) -> None:
    (folder / "runs").write_text("no folder")
    board = BoardReader(folder, lambda _board: None).read(complete=True)
    assert board.trouble == f"{folder / 'runs'}: the runs cannot be listed: Not a directory"
    assert len(board.profiles) == 1


def test_what_changes_just_before_it_is_watched_is_not_missed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Board] = []
    reader = BoardReader(folder, seen.append)
    watched = reader._watched

    def late() -> list[Path]:
        paths = watched()
        (folder / "y.toml").write_text(PROFILE)
        return paths

    monkeypatch.setattr(reader, "_watched", late)
    monkeypatch.setattr("sdtui.runs.watch.Watch.wait", lambda _watch, _seconds=None: reader._closed.wait(120))
    thread = threading.Thread(target=reader.run)
    thread.start()
    until(lambda: bool(seen) and len(seen[-1].profiles) == 2, "the second profile")
    reader.close()
    thread.join(120)
    assert not thread.is_alive()

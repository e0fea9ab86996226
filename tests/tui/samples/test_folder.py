"""A folder of pictures as the reading thread finds it: pictures in order, the job's state, its steps, its sheets, a stop."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from sdtui.runs.control import Inbox
from sdtui.runs.events import EventReader
from sdtui.runs.job import Job
from sdtui.runs.layout import RunFolder
from sdtui.tui.samples.folder import Contents, FolderReader, Shot, read


def look(folder: Path, before: Contents | None = None) -> Contents:
    run = RunFolder(folder)
    return read(before or Contents(folder), run, EventReader(run.events_file))


def test_pictures_of_others_are_shown_by_name(tmp_path: Path) -> None:
    for name in ("b.png", "a.jpg", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    contents = look(tmp_path)
    assert [shot.path.name for shot in contents.shots] == ["a.jpg", "b.png"]
    assert (contents.state, contents.live, contents.unfinished) == ("", False, False)
    assert look(tmp_path / "gone").shots == ()


def test_a_job_s_pictures_come_in_their_order_then_the_sheets(tmp_path: Path) -> None:
    with Job(tmp_path, "sample") as job:
        job.events.write("sheets", columns=["cfg 1", "cfg 5"], rows=["seed 1", "seed 2"], count=1)
        job.progress(2, 4, "images")
        job.events.write("sampling", index=3, step=7, steps=20)
        for name in ("00002-9.png", "00001-7.png", "100000-3.png", "grid-01.png"):
            (tmp_path / name).touch()
        contents = look(tmp_path)
    assert contents.shots == (
        Shot(tmp_path / "00001-7.png", 1, 7),
        Shot(tmp_path / "00002-9.png", 2, 9),
        Shot(tmp_path / "100000-3.png", 100000, 3),
        Shot(tmp_path / "grid-01.png", 0, 0),
    )
    assert (contents.state, contents.live) == ("running", True)
    assert (contents.done, contents.total, contents.step, contents.steps) == (2, 4, 7, 20)
    assert [contents.place(number) for number in (1, 2, 3, 4, 5)] == [
        "cfg 1  seed 1",
        "cfg 5  seed 1",
        "cfg 1  seed 2",
        "cfg 5  seed 2",
        "cfg 1  seed 1",
    ]
    assert look(tmp_path, contents).state == "finished"


def test_events_that_make_no_sense_change_nothing(tmp_path: Path) -> None:
    with Job(tmp_path, "sample") as job:
        job.progress(1, 4, "images")
        job.events.write("sheets", columns=[], rows=3)
        job.events.write("sampling", step=None)
        job.events.write("progress", done="many")
    contents = look(tmp_path)
    assert (contents.columns, contents.done, contents.total, contents.step) == ((), 1, 4, 0)


def test_a_stop_reaches_a_job_as_soon_as_it_listens(tmp_path: Path) -> None:
    told = threading.Event()
    reader = FolderReader(tmp_path, lambda _reader: told.set())
    reader.stop_drawing()
    reader.start()
    try:
        assert told.wait(60)
        assert Inbox(RunFolder(tmp_path)).take() == []
        with Job(tmp_path, "sample") as job:
            for _ in range(6000):
                job.check()
                time.sleep(0.01)
        assert job.stopped
    finally:
        reader.close()
    reader.join(60)
    assert reader.problem is None


def test_the_thread_hands_over_what_is_new(tmp_path: Path) -> None:
    told = threading.Event()
    reader = FolderReader(tmp_path, lambda _reader: told.set())
    reader.start()
    try:
        assert told.wait(60)
        assert reader.take() == Contents(tmp_path)
        told.clear()
        (tmp_path / "00001-5.png").touch()
        assert told.wait(60)
        contents = reader.take()
        assert contents is not None
        assert [shot.seed for shot in contents.shots] == [5]
        assert reader.take() is None
    finally:
        reader.close()

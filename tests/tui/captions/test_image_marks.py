from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sdtui.dataset.library import Library
from sdtui.dataset.marks import Marks
from sdtui.errors import UserError
from sdtui.tui.captions.image_marks import ImageMarks


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as thread:
        yield thread


@pytest.fixture
def library(tmp_path: Path) -> Library:
    for name in "abc":
        (tmp_path / f"{name}.png").touch()
    return Library.scan(tmp_path)


def _heard() -> list[Exception | None]:
    return []


def test_selections_stars_and_queries_are_there_the_next_time(library: Library, thread: ThreadPoolExecutor) -> None:
    Marks(library.folder).mark(["gone.png"], 3)
    marks, heard = ImageMarks(library, thread.submit), _heard()
    marks.put([0, 2], 3, heard.append, on=True)
    marks.put([2], 7, heard.append, on=True)
    marks.put([0], 1, heard.append, on=True)
    assert (marks.numbers(0), marks.numbers(1), marks.numbers(2)) == ([3], [], [3, 7])
    assert [marks.rate(1, by, heard.append) for by in (1, 1, 1, 1, 1, 1, -1)] == [1, 2, 3, 4, 5, 5, 4]
    assert marks.rate(0, -1, heard.append) == 0
    marks.settle()
    again = ImageMarks(library, thread.submit)
    assert (again.selections[3], again.selections[7], again.selections[1]) == ({0, 2}, {2}, {0})
    assert again.stars == {1: 4}
    again.clear(3, heard.append)
    again.settle()
    assert Marks(library.folder).selected(3) == frozenset()
    assert set(heard) == {None}


def test_saved_queries_are_renamed_and_forgotten(library: Library, thread: ThreadPoolExecutor) -> None:
    marks, heard = ImageMarks(library, thread.submit), _heard()
    marks.save_query("dark", "tag:night", heard.append)
    marks.rename_query("dark", "at night", heard.append)
    assert marks.queries == {"at night": "tag:night"}
    marks.settle()
    assert Marks(library.folder).now.queries == {"at night": "tag:night"}
    marks.forget_query("at night", heard.append)
    marks.settle()
    assert Marks(library.folder).now.queries == {}
    assert heard == [None, None, None]


def test_what_cannot_be_written_is_heard(library: Library, thread: ThreadPoolExecutor) -> None:
    marks, heard = ImageMarks(library, thread.submit), _heard()
    marks.save_query(" ", "tag:night", heard.append)
    marks.settle()
    thread.submit(int).result()
    assert isinstance(heard[0], UserError)

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sdtui import paths
from sdtui.dataset import sidecar
from sdtui.dataset.marks import Marks
from sdtui.errors import SdtuiError, UserError


def test_marks_stars_and_queries_are_there_again(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    assert not (tmp_path / ".sdtui").exists()
    assert marks.mark(["a.png", "set/b.png"], 1) == 2
    assert marks.mark(["b.png", "a.png"], 9) == 2
    assert marks.mark(["a.png", "c.png"], 1, on=True) == 1
    assert marks.mark(["a.png", "gone.png"], 1, on=False) == 1
    assert marks.rate(["a.png", "b.png"], 4) == 2
    assert marks.rate(["a.png"], 0) == 1
    marks.save_query("dark ones", "tag:night")
    again = Marks(tmp_path)
    assert again.selected(1) == {"set/b.png", "c.png"}
    assert again.selected(9) == {"a.png", "b.png"}
    assert again.selected(2) == frozenset()
    assert again.now.stars == {"b.png": 4}
    assert again.now.queries == {"dark ones": "tag:night"}
    again.rename_query("dark ones", "dark ones")
    again.save_query("sea", "folder:sea")
    with pytest.raises(UserError, match="another query is saved as 'sea'"):
        again.rename_query("dark ones", "sea")
    with pytest.raises(UserError, match="needs a name"):
        again.rename_query("dark ones", " ")
    again.rename_query("sea", "the sea")
    assert Marks(tmp_path).now.queries == {"dark ones": "tag:night", "the sea": "folder:sea"}
    assert again.forget_query("the sea")
    assert again.forget_query("dark ones")
    assert not again.forget_query("dark ones")
    assert Marks(tmp_path).now.queries == {}


def test_the_file_is_plain_and_in_order(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    marks.mark(["b.png", "a.png"], 2)
    marks.mark(["a.png"], 1)
    marks.mark(["a.png"], 1, on=False)
    marks.rate(["a.png"], 5)
    assert (tmp_path / ".sdtui" / "marks" / "marks.json").read_text() == (
        '{"schema": 1, "selections": {"2": ["a.png", "b.png"]}, "stars": {"a.png": 5}, "queries": {}}'
    )


def test_two_screens_do_not_lose_each_others_marks(tmp_path: Path) -> None:
    one, other = Marks(tmp_path), Marks(tmp_path)
    one.mark(["a.png"], 1)
    other.mark(["b.png"], 1)
    assert other.selected(1) == {"a.png", "b.png"}
    assert one.selected(1) == {"a.png"}
    one.look_again()
    assert one.selected(1) == {"a.png", "b.png"}


def test_nothing_is_written_where_nothing_changes(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    marks.mark(["a.png"], 1)
    file = marks.home / "marks.json"
    before = file.stat().st_ino
    assert marks.mark(["a.png"], 1) == 0
    assert marks.rate(["a.png"], 0) == 0
    assert file.stat().st_ino == before


def test_names_that_are_not_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    Marks(tmp_path).mark([name], 3)
    assert Marks(tmp_path).selected(3) == {name}


@pytest.mark.parametrize("number", [0, 10, -1])
def test_a_number_that_is_no_selection(tmp_path: Path, number: int) -> None:
    with pytest.raises(UserError, match=f"there is no selection {number}"):
        Marks(tmp_path).mark(["a.png"], number)
    with pytest.raises(UserError):
        Marks(tmp_path).selected(number)


def test_stars_that_are_not_possible(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="6 stars are not possible"):
        Marks(tmp_path).rate(["a.png"], 6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot read the marks"),
        ("[]", "cannot read the marks"),
        ('{"schema": 1, "selections": {"12": []}, "stars": {}, "queries": {}}', "there is no selection 12"),
        ('{"schema": 1, "selections": {}, "stars": {"a": 9}, "queries": {}}', "more than 5 stars"),
        ('{"schema": 2}', "schema 2, this sdtui knows 1"),
    ],
)
def test_a_file_that_is_not_understood_is_never_replaced(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / ".sdtui" / "marks" / "marks.json"
    marks = Marks(tmp_path)
    file.parent.mkdir(parents=True)
    file.write_text(content)
    with pytest.raises(SdtuiError, match=message):
        Marks(tmp_path)
    with pytest.raises(SdtuiError, match=message):
        marks.mark(["a.png"], 1)
    assert file.read_text() == content


def test_a_dataset_that_cannot_be_written_keeps_its_marks_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    marks = Marks(tmp_path)
    marks.mark(["a.png"], 1)
    assert marks.home.is_relative_to(paths.data_dir() / "datasets")
    assert Marks(tmp_path).selected(1) == {"a.png"}
    assert not (tmp_path / ".sdtui").exists()


def test_a_lock_that_another_process_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdtui.dataset.sidecar._LOCK_SECONDS", 0.05)
    marks = Marks(tmp_path)
    with (
        sidecar.locked(marks.home, "the marks", SdtuiError("busy")),
        pytest.raises(SdtuiError, match="another sdtui is changing the marks"),
    ):
        marks.mark(["a.png"], 1)
    assert marks.mark(["a.png"], 1) == 1


def test_the_marks_file_can_be_moved_away_under_a_screen(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    marks.mark(["a.png"], 1)
    (marks.home / "marks.json").unlink()
    assert marks.mark(["b.png"], 1) == 1
    assert Marks(tmp_path).selected(1) == {"b.png"}

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sdtui import paths
from sdtui.dataset.sidecar import both, home, locked
from sdtui.errors import SdtuiError


def test_it_lies_in_the_dataset_and_is_not_made_by_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert home(tmp_path) == tmp_path / ".sdtui"
    assert home(Path("."), "edits") == tmp_path / ".sdtui" / "edits"
    assert os.listdir(tmp_path) == []


def test_a_dataset_that_cannot_be_written_has_its_own_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    one, other = home(tmp_path / "one", "marks"), home(tmp_path / "other", "marks")
    assert one.name == "marks"
    assert one.is_relative_to(paths.data_dir() / "datasets")
    assert one != other
    (tmp_path / "one").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    assert home(tmp_path / "link", "marks") == one


def test_both_places_are_known_and_the_one_in_use_is_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / ".sdtui" / "scores"
    outside, now = both(tmp_path, "scores")
    assert now == inside
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert outside == home(tmp_path, "scores")
    assert both(tmp_path, "scores") == [inside, outside]


def test_what_decides_is_the_part_that_is_there_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".sdtui" / "edits").mkdir(parents=True)
    asked: list[Path] = []

    def watched(path: Path, _mode: int) -> bool:
        asked.append(path)
        return True

    monkeypatch.setattr(os, "access", watched)
    home(tmp_path, "edits")
    home(tmp_path, "marks")
    assert asked == [tmp_path / ".sdtui" / "edits", tmp_path / ".sdtui"]


def test_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdtui.dataset.sidecar._LOCK_SECONDS", 0.05)
    busy = SdtuiError("somebody is at it")
    with (
        locked(tmp_path / "a" / "b", "the marks", busy),
        pytest.raises(SdtuiError, match="somebody is at it"),
        locked(tmp_path / "a" / "b", "the marks", busy),
    ):
        pass
    with locked(tmp_path / "a" / "b", "the marks", busy):
        pass


def test_where_no_lock_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(SdtuiError, match="cannot open the marks: Not a directory"),
        locked(tmp_path / "file" / "marks", "the marks", SdtuiError("busy")),
    ):
        pass

from __future__ import annotations

import os
from pathlib import Path

from sdtui.tui.state import AppState


def test_what_was_put_is_there_next_time(tmp_path: Path) -> None:
    state = AppState(tmp_path)
    state.put("captions", {"image": "a.png"})
    assert state.save()
    assert AppState(tmp_path).get("captions") == {"image": "a.png"}
    assert AppState(tmp_path / "other").get("captions") == {}


def test_nothing_new_is_not_written(tmp_path: Path) -> None:
    state = AppState(tmp_path)
    state.put("app", {"screen": "home"})
    state.save()
    before = state.path.stat().st_mtime_ns
    os.utime(state.path, ns=(1, 1))
    state.put("app", {"screen": "home"})
    assert state.save()
    assert state.path.stat().st_mtime_ns == 1 != before


def test_a_damaged_file_is_no_file(tmp_path: Path) -> None:
    state = AppState(tmp_path)
    state.path.parent.mkdir(parents=True)
    for damage in ("{half", "[1]", '{"home": 3}'):
        state.path.write_text(damage, encoding="utf-8")
        assert AppState(tmp_path).get("home") == {}


def test_a_state_folder_that_cannot_be_made_stops_nobody(tmp_path: Path, own_folders: Path) -> None:
    (own_folders / "state").write_text("a file in the way", encoding="utf-8")
    state = AppState(tmp_path)
    state.put("home", {"at": "x"})
    assert not state.save()

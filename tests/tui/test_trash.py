from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.errors import SdtuiError, UserError
from sdtui.tui.trash import Trash


def test_a_file_goes_and_comes_back(tmp_path: Path) -> None:
    profile = tmp_path / "ws" / "[red].toml"
    profile.parent.mkdir()
    profile.write_text("x = 1", encoding="utf-8")
    entry = Trash().put(profile, tmp_path / "ws")
    assert not profile.exists()
    assert Path(entry.kept).read_text(encoding="utf-8") == "x = 1"
    restored = Trash().restore(tmp_path / "ws")
    assert restored == entry
    assert profile.read_text(encoding="utf-8") == "x = 1"
    assert Trash().restore(tmp_path / "ws") is None


def test_the_newest_of_this_workspace_comes_first(tmp_path: Path) -> None:
    for name in ("ws/a", "ws/b", "other/c"):
        (tmp_path / name).mkdir(parents=True)
        Trash().put(tmp_path / name, (tmp_path / name).parent)
    restored = [Trash().restore(tmp_path / "ws") for _ in range(3)]
    assert [Path(entry.original).name if entry else None for entry in restored] == ["b", "a", None]


def test_a_taken_place_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text("old", encoding="utf-8")
    Trash().put(path, tmp_path)
    path.write_text("new", encoding="utf-8")
    with pytest.raises(UserError, match="its place is taken"):
        Trash().restore(tmp_path)
    assert path.read_text(encoding="utf-8") == "new"


def test_what_is_not_there_cannot_go(tmp_path: Path) -> None:
    with pytest.raises(SdtuiError):
        Trash().put(tmp_path / "none", tmp_path)


def test_a_run_kept_outside_the_workspace_comes_back_too(tmp_path: Path) -> None:
    run = tmp_path / "elsewhere" / "runs" / "lora-1"
    run.mkdir(parents=True)
    Trash().put(run, tmp_path / "ws")
    assert not run.exists()
    Trash().restore(tmp_path / "ws")
    assert run.is_dir()


def test_a_damaged_list_of_the_trash_is_an_empty_one(tmp_path: Path) -> None:
    trash = Trash(tmp_path / "trash")
    trash.folder.mkdir()
    (trash.folder / "index.json").write_text('[{"original": 1')
    assert trash.restore(tmp_path) is None

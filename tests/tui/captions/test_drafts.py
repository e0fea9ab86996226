from __future__ import annotations

from pathlib import Path

import pytest

from sdtui import paths
from sdtui.tui.captions.drafts import Draft, Drafts


def files() -> list[Path]:
    return list((paths.state_dir() / "drafts").glob("*"))


def test_a_draft_is_there_again_and_goes_with_its_file(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    assert drafts.put("a.png", Draft("city, n", "city"))
    assert not drafts.put("a.png", Draft("city, n", "city"))
    assert drafts.save()
    again = Drafts(tmp_path)
    assert (list(again), again.get("a.png"), again.get("b.png")) == (["a.png"], Draft("city, n", "city"), None)
    assert again.put("a.png", None)
    assert again.save()
    assert (len(Drafts(tmp_path)), files()) == (0, [])


def test_nothing_is_written_before_it_is_told_to(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    assert drafts.save()
    drafts.put("a.png", Draft("x", ""))
    assert files() == []


def test_two_at_the_same_dataset_keep_each_others(tmp_path: Path) -> None:
    one, other = Drafts(tmp_path), Drafts(tmp_path)
    one.put("a.png", Draft("a", ""))
    other.put("b.png", Draft("b", ""))
    assert one.save()
    assert other.save()
    assert sorted(Drafts(tmp_path)) == ["a.png", "b.png"]
    one.put("a.png", None)
    one.save()
    assert list(Drafts(tmp_path)) == ["b.png"]


@pytest.mark.parametrize("content", ["{", "[1]", '{"a.png": "text"}', '{"a.png": ["text"]}', '{"a.png": [1, 2]}'])
def test_a_file_that_is_something_else_is_none(tmp_path: Path, content: str) -> None:
    drafts = Drafts(tmp_path)
    drafts.put("a.png", Draft("x", ""))
    drafts.save()
    (path,) = files()
    path.write_text(content)
    assert len(Drafts(tmp_path)) == 0


def test_lone_surrogates_and_odd_names_come_back(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    drafts.put("bad\udcff.png", Draft("half \ud800", "\n"))
    assert drafts.save()
    assert Drafts(tmp_path).get("bad\udcff.png") == Draft("half \ud800", "\n")


def test_a_state_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SDTUI_STATE", str(tmp_path / "file"))
    drafts = Drafts(tmp_path)
    drafts.put("a.png", Draft("x", ""))
    assert not drafts.save()
    assert drafts.get("a.png") == Draft("x", "")

"""The user's lists, and the file that is kept of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sdtui.dataset import vocabulary_file
from sdtui.dataset.vocabulary import Entry
from sdtui.errors import UserError

LIST = '1girl,0,600,girl\nsaber_(fate),4,30,"artoria,/sb"\nélan,1,2,\n'


@pytest.fixture
def tags(tmp_path: Path) -> Path:
    path = tmp_path / "tags.csv"
    path.write_text(LIST, encoding="utf-8")
    return path


def kept(own_folders: Path) -> list[Path]:
    return sorted((own_folders / "cache" / "vocabulary").glob("*"))


def test_what_is_kept_says_the_same(tags: Path, own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = vocabulary_file.load([tags])
    assert len(kept(own_folders)) == 1
    monkeypatch.setattr(vocabulary_file, "read_list", None)
    again = vocabulary_file.load([tags])
    for vocabulary in (first, again):
        assert vocabulary.find("art", 5) == [Entry("saber_(fate)", "character", 30, "artoria")]
        assert vocabulary.find("él", 5) == [Entry("élan", "artist", 2)]
        assert len(vocabulary) == 6


def test_a_list_that_changed_is_read_again_and_the_old_file_goes(tags: Path, own_folders: Path) -> None:
    vocabulary_file.load([tags])
    before = kept(own_folders)
    tags.write_text("new,0,1,\n")
    assert vocabulary_file.load([tags]).entry("new") == Entry("new", "general", 1)
    assert len(kept(own_folders)) == 1
    assert kept(own_folders) != before


@pytest.mark.parametrize("damage", ["short", "empty", "other", "gone"])
def test_a_damaged_file_is_made_again(tags: Path, own_folders: Path, damage: str) -> None:
    vocabulary_file.load([tags])
    (path,) = kept(own_folders)
    raw = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"short": raw[:-8], "empty": b"", "other": b'{"schema": 0}\n'}[damage])
    assert vocabulary_file.load([tags]).category_of("saber (fate)") == "character"
    assert path.read_bytes() == raw


def test_without_a_place_to_keep_it(tags: Path, own_folders: Path) -> None:
    (own_folders / "cache").write_text("a file")
    assert vocabulary_file.load([tags]).category_of("saber (fate)") == "character"


def test_no_list() -> None:
    assert vocabulary_file.sources() == []
    assert len(vocabulary_file.load()) == 0


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the list of tags: No such file"):
        vocabulary_file.load([tmp_path / "none.csv"])


def test_lists_named_and_lists_dropped(own_folders: Path, tmp_path: Path) -> None:
    (own_folders / "config.toml").write_text(f'[captions]\ntags = ["mine.csv", "{tmp_path}/other.csv"]\n')
    folder = vocabulary_file.folder()
    folder.mkdir(parents=True)
    for name in ("b.csv", "a.csv.gz", "notes.md"):
        (folder / name).write_text("")
    assert vocabulary_file.sources() == [
        own_folders / "mine.csv", tmp_path / "other.csv", folder / "a.csv.gz", folder / "b.csv",
    ]  # fmt: skip


def test_one_list_may_be_named_alone(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    (own_folders / "config.toml").write_text('[captions]\ntags = "~/danbooru.csv"\n')
    assert vocabulary_file.sources() == [Path("/home/ada/danbooru.csv")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("captions = 1", "captions.tags is a path"),
        ("[captions]\ntags = 1", "captions.tags is a path"),
        ("[captions]\ntags = [1]", "captions.tags is a path"),
        ("[captions]\ntagz = 'x'", "unknown key captions.tagz"),
    ],
    ids=["no table", "number", "numbers", "misspelt"],
)
def test_settings_that_say_something_else(own_folders: Path, text: str, told: str) -> None:
    (own_folders / "config.toml").write_text(text)
    with pytest.raises(UserError, match=told) as caught:
        vocabulary_file.sources()
    assert caught.value.where == os.fspath(own_folders / "config.toml")

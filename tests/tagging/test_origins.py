from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset.edit import Change, Journal
from sdtui.tagging.applying import by_tagger, label_of
from sdtui.tagging.origins import Origins
from sdtui.tagging.rules import A1111, MCUT_FLOORS, Rules

BY_SCORES = label_of(Rules(threshold=0.35), "add")


def edit(folder: Path, label: str, **texts: str) -> None:
    """One edit of captions by their stems."""
    changes = []
    for stem, text in texts.items():
        path = folder / f"{stem}.txt"
        changes.append(Change(path, path.read_bytes() if path.exists() else None, text.encode()))
    Journal.open(folder).apply(changes, label)


def read(origins: Origins) -> bool:
    return origins.read_slowly(lambda: False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("ohwx, sky")
    edit(tmp_path, BY_SCORES, a="ohwx, sky, long hair, (hat:1.2)", b="sky, tom \\(cat\\)")
    return tmp_path


def test_labels_say_who_decided() -> None:
    assert BY_SCORES == "tags by score from 0.35 on, add"
    assert label_of(Rules(mcut=MCUT_FLOORS), "replace") == "tags by score cut at the largest gap, replace"
    assert [by_tagger(label) for label in (label_of(A1111, "add"), "descriptions, append", "add tags")] == [
        True,
        True,
        False,
    ]


def test_what_an_edit_by_scores_put_in_is_a_taggers(folder: Path) -> None:
    origins = Origins(folder)
    assert read(origins)
    assert origins.of(folder / "a.txt") == {"long_hair", "hat"}
    assert origins.of(folder / "b.txt") == {"sky", "tom_(cat)"}
    assert origins.of(folder / "c.txt") == set()
    assert not read(origins)


def test_a_caption_is_known_by_any_way_to_it(folder: Path) -> None:
    way = folder / "inner" / ".." / "."
    origins = Origins(way)
    assert read(origins)
    assert "long_hair" in origins.of(way / "a.txt")


def test_what_was_taken_out_and_put_back_by_hand_is_the_users(folder: Path) -> None:
    origins = Origins(folder)
    read(origins)
    edit(folder, "drop hat", a="ohwx, sky, Long_hair, long hair")
    edit(folder, "add hat", a="ohwx, sky, long_hair, hat")
    assert read(origins)
    assert origins.of(folder / "a.txt") == {"long_hair"}


def test_undone_and_made_otherwise(folder: Path) -> None:
    origins = Origins(folder)
    read(origins)
    journal = Journal.open(folder)
    journal.undo()
    assert read(origins)
    assert origins.of(folder / "a.txt") == set()
    journal.redo()
    assert read(origins)
    assert origins.of(folder / "a.txt") == {"long_hair", "hat"}
    journal.undo()
    edit(folder, "add moon", a="ohwx, sky, moon")
    edit(folder, "descriptions, append", a="ohwx, sky, moon, a cat in a hat")
    assert read(origins)
    assert origins.of(folder / "a.txt") == {"a_cat_in_a_hat"}


def test_a_dataset_without_edits_and_a_reader_that_is_called_off(folder: Path, tmp_path: Path) -> None:
    assert not read(Origins(tmp_path / "other"))
    origins = Origins(folder)
    assert not origins.read_slowly(lambda: True)
    assert origins.of(folder / "a.txt") == set()


def test_bytes_that_are_no_text_have_no_tags(folder: Path) -> None:
    (folder / "c.txt").write_bytes(b"caf\xe9, sky")
    edit(folder, BY_SCORES, c="sky, hat")
    Journal.open(folder).apply([Change(folder / "b.txt", b"sky, tom \\(cat\\)", b"\xe9")], "restore the originals")
    origins = Origins(folder)
    assert read(origins)
    assert origins.of(folder / "c.txt") == {"sky", "hat"}
    assert origins.of(folder / "b.txt") == set()

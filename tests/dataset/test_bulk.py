from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from sdtui.dataset import tags
from sdtui.dataset.bulk import propose, propose_originals
from sdtui.dataset.edit import Change
from sdtui.dataset.index import Index
from sdtui.dataset.library import Library


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for stem, raw in {"a": b"sky\r\n", "b": b"wall, sky", "c": b"wall"}.items():
        (tmp_path / f"{stem}.png").touch()
        (tmp_path / f"{stem}.txt").write_bytes(raw)
    return tmp_path


def test_only_captions_that_change_are_proposed_and_nothing_is_written(folder: Path) -> None:
    proposal = propose(Library.scan(folder), range(3), partial(tags.replace, old="sky", new="cloud"), "rename")
    assert tuple(proposal.changes) == (
        Change(folder / "a.txt", b"sky\r\n", b"cloud\r\n"),
        Change(folder / "b.txt", b"wall, sky", b"wall, cloud"),
    )
    assert (proposal.looked_at, proposal.positions) == (3, (0, 1))
    assert proposal.samples[1] == (folder / "b.txt", "wall, sky", "wall, cloud")
    assert (folder / "a.txt").read_bytes() == b"sky\r\n"


def test_the_disk_is_what_counts_not_what_was_loaded(folder: Path) -> None:
    library = Library.scan(folder)
    index = Index(library)
    assert list(index.load())[-1] == 3
    (folder / "a.txt").write_bytes(b"gate")
    proposal = propose(library, [0], partial(tags.add, tag="x"), "add")
    assert tuple(proposal.changes) == (Change(folder / "a.txt", b"gate", b"gate, x"),)


def test_a_missing_caption_is_made_only_when_it_gets_a_text(folder: Path) -> None:
    (folder / "c.txt").unlink()
    library = Library.scan(folder)
    assert list(propose(library, [2], partial(tags.remove, tag="wall"), "remove").changes) == []
    added = propose(library, [2], partial(tags.add, tag="x"), "add")
    assert list(added.changes) == [Change(folder / "c.txt", None, b"x\n")]


def test_a_caption_that_two_images_share_is_edited_once(folder: Path) -> None:
    (folder / "a.jpg").touch()
    library = Library.scan(folder)
    proposal = propose(library, range(len(library)), partial(tags.add, tag="x"), "add")
    assert [change.path.name for change in proposal.changes] == ["a.txt", "b.txt", "c.txt"]


def test_samples_are_few_and_unreadable_captions_are_named(folder: Path) -> None:
    (folder / "b.txt").write_bytes(b"\xff")
    proposal = propose(Library.scan(folder), range(3), partial(tags.add, tag="x"), "add", samples=1)
    assert len(proposal.samples) == 1
    assert [error.where for error in proposal.unreadable] == [str(folder / "b.txt")]
    assert [change.path.name for change in proposal.changes] == ["a.txt", "c.txt"]


def test_tags_are_counted_when_asked(folder: Path) -> None:
    edit = partial(tags.replace, old="wall", new="gate")
    assert propose(Library.scan(folder), range(3), edit, "x").tags == ()
    assert propose(Library.scan(folder), range(3), edit, "x", count_tags=True).tags == (("gate", 0, 2), ("wall", 2, 0))
    some = propose(Library.scan(folder), range(3), partial(tags.remove, tag="sky"), "x", count_tags=True)
    assert some.tags == (("sky", 2, 0),)


def test_originals_are_proposed_as_they_were(folder: Path) -> None:
    originals = {folder / "a.txt": b"caf\xe9", folder / "b.txt": None, folder / "elsewhere.txt": b"x"}
    proposal = propose_originals(Library.scan(folder), range(3), originals, "restore", count_tags=True)
    assert tuple(proposal.changes) == (
        Change(folder / "a.txt", b"sky\r\n", b"caf\xe9"),
        Change(folder / "b.txt", b"wall, sky", None),
    )
    assert (proposal.looked_at, proposal.positions) == (3, (0, 1))
    assert proposal.samples[1] == (folder / "b.txt", "wall, sky", "")
    assert proposal.tags == (("sky", 2, 0), ("caf\ufffd", 0, 1), ("wall", 2, 1))


def test_what_cannot_be_put_back_is_named_and_the_rest_is_put_back(folder: Path) -> None:
    (folder / "b.txt").unlink()
    (folder / "b.txt").mkdir()
    originals = {folder / "a.txt": b"old", folder / "b.txt": b"older"}
    proposal = propose_originals(Library.scan(folder), range(3), originals, "restore")
    assert tuple(proposal.changes) == (Change(folder / "a.txt", b"sky\r\n", b"old"),)
    assert [error.message for error in proposal.unreadable] == ["the caption is not a file"]

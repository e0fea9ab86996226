from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset.conflict import Choice, Conflict, ConflictError, settle
from sdtui.dataset.edit import Change, Journal

FILE = Path("a.txt")


@pytest.mark.parametrize(
    ("choice", "base", "mine", "theirs", "wanted"),
    [
        pytest.param("mine", b"a", b"a, x", b"b", b"a, x", id="mine"),
        pytest.param("mine", b"a", None, b"b", None, id="mine-is-to-delete-it"),
        pytest.param("merge", b"a, b\n", b"a, b, x\n", b"y, a, b\n", b"y, a, b, x\n", id="merge"),
        pytest.param("merge", b"a", b"a, x", b"\xef\xbb\xbfa, y\r\n", b"\xef\xbb\xbfa, y, x\r\n", id="in-their-bytes"),
        pytest.param("merge", b"a", b"a, x", None, b"x\n", id="they-deleted-it"),
        pytest.param("merge", b"a", None, b"a, y", b"y", id="mine-is-to-delete-what-was-there"),
        pytest.param("merge", None, b"x", b"x", None, id="nothing-to-do"),
    ],
)
def test_what_a_file_is_to_hold(
    choice: Choice, base: bytes | None, mine: bytes | None, theirs: bytes | None, wanted: bytes | None
) -> None:
    made = settle([Conflict(FILE, base, mine, theirs)], "after", lambda _: choice, "cannot add 'x'")
    assert made == ([] if mine == theirs else [Change(FILE, theirs, wanted)])
    back = settle([Conflict(FILE, base, mine, theirs)], "before", lambda _: choice, "cannot undo")
    assert back == ([] if mine == theirs else [Change(FILE, wanted, theirs)])


def test_theirs_leaves_the_file_alone() -> None:
    assert settle([Conflict(FILE, b"a", b"b", b"c")], "after", lambda _: "theirs", "cannot") == []


def test_an_emptied_caption_that_the_edit_made_is_deleted() -> None:
    conflict = Conflict(FILE, b"a, b", None, b"b, a")
    assert settle([conflict], "before", lambda _: "merge", "cannot undo") == [Change(FILE, None, b"b, a")]


@pytest.mark.parametrize(
    "conflict",
    [
        pytest.param(Conflict(FILE, b"a", b"x", b"y"), id="both-replaced-a-tag"),
        pytest.param(Conflict(FILE, b"a", b"a, x", b"\xe9"), id="theirs-is-no-text"),
    ],
)
def test_what_a_person_has_to_look_at_is_named(conflict: Conflict) -> None:
    with pytest.raises(ConflictError, match=r"cannot add: changed on disk by another program since: a\.txt") as caught:
        settle([conflict, Conflict(Path("b.txt"), b"", b"x", b"")], "after", lambda _: "merge", "cannot add")
    assert caught.value.conflicts == (conflict,)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Of a folder with two captions that an edit changed, one of which another program then changed as well."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_bytes(b"one, two")
    journal = Journal.open(tmp_path)
    changes = [Change(tmp_path / f"{name}.txt", b"one, two", b"one, two, three") for name in ("a", "b")]
    journal.apply(changes, "add 'three'")
    (tmp_path / "a.txt").write_bytes(b"zero, one, two, three")
    return journal


@pytest.mark.parametrize(
    ("choice", "undone"),
    [("mine", b"one, two"), ("theirs", b"zero, one, two, three"), ("merge", b"zero, one, two")],
)
def test_undo_and_redo_lose_nothing_of_the_other_program(
    journal: Journal, tmp_path: Path, choice: Choice, undone: bytes
) -> None:
    assert journal.undo(lambda _: choice) is not None
    assert (tmp_path / "a.txt").read_bytes() == undone
    assert (tmp_path / "b.txt").read_bytes() == b"one, two"
    # From another process.
    assert Journal.open(tmp_path).redo() is not None
    assert (tmp_path / "a.txt").read_bytes() == b"zero, one, two, three"
    assert (tmp_path / "b.txt").read_bytes() == b"one, two, three"
    assert journal.undo() is not None
    assert (tmp_path / "a.txt").read_bytes() == undone


def test_each_file_has_a_choice_of_its_own(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes(b"something else")
    choices: dict[str, Choice] = {"a.txt": "merge", "b.txt": "theirs"}
    journal.undo(lambda conflict: choices[conflict.path.name])
    assert (tmp_path / "a.txt").read_bytes() == b"zero, one, two"
    assert (tmp_path / "b.txt").read_bytes() == b"something else"


def test_without_a_choice_nothing_is_written(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(ConflictError) as caught:
        journal.undo(lambda _: None)
    assert caught.value.conflicts == (
        Conflict(tmp_path / "a.txt", b"one, two, three", b"one, two", b"zero, one, two, three"),
    )
    assert (tmp_path / "b.txt").read_bytes() == b"one, two, three"


def test_an_edit_of_files_that_moved_on(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"theirs")
    wanted = [Change(tmp_path / "a.txt", b"was", b"mine")]
    journal = Journal.open(tmp_path)
    assert journal.apply(wanted, "edit", lambda _: "theirs") is None
    assert journal.history() == []
    assert journal.apply(wanted, "edit", lambda _: "mine") is not None
    assert (tmp_path / "a.txt").read_bytes() == b"mine"
    journal.undo()
    assert (tmp_path / "a.txt").read_bytes() == b"theirs"

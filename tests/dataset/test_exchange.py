from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset.exchange import Existing, as_files, changes_of, differing, find_in_folder, find_texts, taken_over
from sdtui.dataset.library import Library
from sdtui.dataset.metadata import Metadata
from sdtui.errors import UserError


@pytest.mark.parametrize(
    ("there", "new", "existing", "text"),
    [
        ("", "a, b", "keep", "a, b"),
        (" \n", "a", "stop", "a"),
        ("a", "b", "keep", "a"),
        ("a", "b\r\nc\n", "replace", "b\nc"),
        ("a,c", "b, a, b, d", "add", "a,c,b,d"),
        ("b, a", "a, b", "add", "b, a"),
    ],
)
def test_what_becomes_of_a_caption(there: str, new: str, existing: Existing, text: str) -> None:
    assert taken_over(there, new, existing) == text


def test_what_files_and_folders_say(tmp_path: Path) -> None:
    folder, other = tmp_path / "set", tmp_path / "other"
    for path in (folder, other):
        path.mkdir()
    for name in ("1.png", "2.png", "3.png", "4.png"):
        (folder / name).touch()
    (folder / "1.txt").write_text("one\n")
    (folder / "2.txt").write_text("2")
    (folder / "4.txt").write_bytes(b"\xff")
    (other / "3.caption").write_text("three\n")
    (other / "4.txt").write_text(" \n")
    library = Library.scan(folder)
    rows = {"1": {"caption": "one"}, "2.png": {"tags": "two"}, "3.png": {"caption": ""}, "9": {"caption": "nine"}}
    found = find_texts(library, [Metadata(tmp_path / "meta.json", "kohya-json", rows=rows)])
    assert (found.texts, found.strangers, found.silent) == ({0: "one", 1: "two"}, ["9"], 1)
    find_in_folder(library, other, found)
    assert found.texts == {0: "one", 1: "two", 2: "three"}
    assert differing(library, {**found.texts, 3: "four"}) == [1, 3]


def test_two_captions_that_would_share_a_file_are_not_made_one_unsaid(tmp_path: Path) -> None:
    for image, text in {"1.jpg": "one", "1.png": "another", "2.jpg": "same", "2.png": "same"}.items():
        (tmp_path / image).touch()
        (tmp_path / f"{image}.txt").write_text(text)
    library = Library.scan(tmp_path)
    with pytest.raises(UserError, match=r"another caption already for .*1\.png\.txt"):
        as_files(library, range(4), ".txt", None, "stop")
    export = as_files(library, range(4), ".txt", None, "replace")
    assert [(copy.raw, copy.target.name) for copy in export.copies] == [(b"one", "1.txt"), (b"same", "2.txt")]
    assert export.kept == [tmp_path / "1.png.txt"]
    gone = [change.path.name for change in changes_of(library, export, move=True) if change.after is None]
    assert gone == ["1.jpg.txt", "2.jpg.txt"]

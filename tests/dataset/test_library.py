from __future__ import annotations

import os
from pathlib import Path

import pytest

from sdtui.dataset.caption import CaptionError
from sdtui.dataset.library import Library
from sdtui.dataset.scan import DatasetError


def fill(folder: Path, *names: str, **captions: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    for stem, text in captions.items():
        (folder / f"{stem}.txt").write_text(text)
    return folder


def relatives(library: Library) -> list[str]:
    return [entry.relative for entry in library]


def test_images_stand_in_natural_order_folder_by_folder(tmp_path: Path) -> None:
    fill(tmp_path, "img10.png", "img2.JPG", "img1.webp", "notes.md", ".hidden.png")
    fill(tmp_path / "set 10", "a.png")
    fill(tmp_path / "set 2", "b.png")
    fill(tmp_path / "set 2" / "deep", "c.png")
    fill(tmp_path / ".sdtui", "d.png")
    library = Library.scan(tmp_path)
    assert relatives(library) == [
        "img1.webp", "img2.JPG", "img10.png", "set 2/b.png", "set 2/deep/c.png", "set 10/a.png",
    ]  # fmt: skip
    assert len(Library.scan(tmp_path, recursive=False)) == 3
    assert library.relatives() == relatives(library)
    folders, folder_of = library.folders
    assert [folders[number] for number in folder_of] == ["", "", "", "set 2", "set 2/deep", "set 10"]
    assert library.position("set 2/b.png") == 3
    assert library.position("set 3/b.png") is None


def test_entries_tell_path_and_caption(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png", "c.png", "c.png.txt", a="x")
    library = Library.scan(tmp_path)
    assert library[0] == (tmp_path / "a.png", "a.png", tmp_path / "a.txt")
    assert library[1] == (tmp_path / "b.png", "b.png", None)
    assert library[2].caption == tmp_path / "c.png.txt"
    assert [library.has_caption(at) for at in range(3)] == [True, False, True]
    assert library.untagged == 2
    for content, untagged in ((b"\xef\xbb\xbf \r\n", 2), (b"x", 1), (b"\xff", 1), (b"\n" * 65, 1)):
        (tmp_path / "c.png.txt").write_bytes(content)
        assert library.untagged == untagged
    assert [library.caption_file(at) for at in range(3)] == list(library.caption_files())
    assert list(library.caption_files()) == [f"{tmp_path}/a.txt", None, f"{tmp_path}/c.png.txt"]
    assert list(library.caption_files([2, 0])) == [f"{tmp_path}/c.png.txt", f"{tmp_path}/a.txt"]


def test_the_naming_most_captions_have_wins_and_is_told(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "a.caption", "a.txt", "b.png", "b.caption", "c.png")
    library = Library.scan(tmp_path)
    assert library.naming == ".caption"
    assert library[0].caption == tmp_path / "a.caption"
    assert library.caption_path(2) == tmp_path / "c.caption"
    assert library.describe_captions() == "2 .caption"
    assert Library.scan(tmp_path, extension=".txt")[0].caption == tmp_path / "a.txt"
    assert Library.scan(tmp_path, extension=".txt")[1].caption is None


def test_new_captions_follow_the_image_name_where_the_others_do(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "a.png.txt", "b.png")
    assert Library.scan(tmp_path).caption_path(1) == tmp_path / "b.png.txt"


def test_caption_endings_in_any_case(tmp_path: Path) -> None:
    fill(tmp_path, "IMG_1.JPG", "IMG_2.JPG")
    (tmp_path / "IMG_1.TXT").write_text("old camera")
    library = Library.scan(tmp_path)
    assert library[0].caption == tmp_path / "IMG_1.TXT"
    assert list(library.caption_files()) == [f"{tmp_path}/IMG_1.TXT", None]
    assert list(library.caption_files([1])) == [None]
    assert library.read_caption(0).text == "old camera"


def test_names_that_are_not_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9 [1].png")
    fill(tmp_path, name)
    (tmp_path / os.fsdecode(b"caf\xe9 [1].txt")).write_text("x")
    library = Library.scan(tmp_path)
    assert library[0].path.exists()
    assert library.read_caption(0).text == "x"


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    fill(tmp_path / "set", "a.png")
    (tmp_path / "set" / "loop").symlink_to(tmp_path, target_is_directory=True)
    outside = fill(tmp_path.parent / f"{tmp_path.name}-outside", "b.png")
    (tmp_path / "other").symlink_to(outside, target_is_directory=True)
    assert relatives(Library.scan(tmp_path)) == ["other/b.png", "set/a.png"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "the folder does not exist"),
        (lambda path: path.touch(), "this is a file, not a folder"),
    ],
)
def test_a_folder_that_is_none(tmp_path: Path, make: object, message: str) -> None:
    assert callable(make)
    make(tmp_path / "set")
    with pytest.raises(DatasetError) as caught:
        Library.scan(tmp_path / "set")
    assert (caught.value.message, caught.value.where) == (message, str(tmp_path / "set"))


def test_folders_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "open", "a.png")
    fill(tmp_path / "closed", "b.png")
    real = os.scandir

    def guarded(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", guarded)
    library = Library.scan(tmp_path)
    assert relatives(library) == ["open/a.png"]
    assert library.unreadable_folders == ("closed",)
    with pytest.raises(DatasetError, match="no permission to read the folder"):
        Library.scan(tmp_path / "closed")


def test_what_lies_in_a_folder_without_images(tmp_path: Path) -> None:
    assert Library.scan(fill(tmp_path / "empty")).why_empty() == "it is empty"
    fill(tmp_path / "psd", "a.psd", "b.psd", "README")
    fill(tmp_path / "psd" / "10_cat", "c.png")
    library = Library.scan(tmp_path / "psd", recursive=False)
    assert len(library) == 0
    assert library.why_empty() == "it holds 1 folder (10_cat) and 3 other files (.psd, no ending)"


def test_a_changed_caption_is_noticed_and_taken_in(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png", a="old")
    library = Library.scan(tmp_path)
    before = library.stat_of(0)
    assert library.stat_of(1) is None
    (tmp_path / "a.txt").write_text("newer")
    (tmp_path / "b.txt").write_text("new")
    assert library.stat_of(0) != before
    library.changed([0, 1])
    assert library.has_caption(1)
    (tmp_path / "a.txt").unlink()
    library.changed([0])
    assert not library.has_caption(0)


def test_only_regular_files_count(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png", a="a")
    for name in ("x.png", "b.txt"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    library = Library.scan(tmp_path)
    assert relatives(library) == ["a.png", "b.png", "gone.png"]
    with pytest.raises(CaptionError, match="the caption is not a file"):
        library.read_caption(1)


def test_positions_of_caption_files_and_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "a.png",
        "a.jpg",
        "a.txt",
        "b.png",
        "in/a.png",
        "in/a.png.txt",
        "in/c.png",
        "in/deep/a.png",
        "in/deep/b.png",
        "in/deep/b.TXT",
    ):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).touch()
    monkeypatch.chdir(tmp_path)
    library = Library.scan(Path("set"))
    expected = ["a.jpg", "a.png", "b.png", "in/a.png", "in/c.png", "in/deep/a.png", "in/deep/b.png"]
    assert library.relatives() == expected

    def found(*captions: str) -> list[str]:
        return [library[at].relative for at in library.positions_of(tmp_path / "set" / name for name in captions)]

    assert found("a.txt") == ["a.jpg", "a.png"]
    assert found("in/c.caption", "in/a.png.txt", "b.txt") == ["b.png", "in/a.png", "in/c.png"]
    assert found("in/deep/b.TXT") == found("in/deep/b.txt") == ["in/deep/b.png"]
    assert found("in/b.txt", "../a.txt", "none/a.txt", "in/deep") == []
    assert library.positions_of([Path("set/in/deep/a.txt")]) == [5]
    assert [library.position(relative) for relative in expected] == list(range(7))
    assert (library.position("in/b.png"), library.position("none/a.png")) == (None, None)


def test_which_images_have_a_caption_file(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png", "c.png", "d.png", a="x", c="y")
    (tmp_path / "d.TXT").touch()
    library = Library.scan(tmp_path)
    assert list(library.captioned()) == [library.has_caption(at) for at in range(4)] == [True, False, True, True]

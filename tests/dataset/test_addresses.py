from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset.addresses import Addresses
from sdtui.dataset.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """0: a.png, 1: 10_cat/1.png, 2: 10_cat/2.png, 3: 5_dog/1.png, 4 and 5: 5_dog/twin.jpg and .png."""
    for name in ("a.png", "10_cat/1.png", "10_cat/2.png", "5_dog/1.png", "5_dog/twin.jpg", "5_dog/twin.png"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    library = Library.scan(tmp_path / "set")
    expected = ["a.png", "5_dog/1.png", "5_dog/twin.jpg", "5_dog/twin.png", "10_cat/1.png", "10_cat/2.png"]
    assert library.relatives() == expected
    return library


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("10_cat/1.png", "10_cat/1.png"),
        ("./10_cat//1.png", "10_cat/1.png"),
        ("10_cat\\1.png", "10_cat/1.png"),
        ("/workspace/train/10_cat/1.png", "10_cat/1.png"),
        ("C:\\sets\\10_cat\\1.png", "10_cat/1.png"),
        ("2.png", "10_cat/2.png"),
        ("1.png", None),
        ("2", "10_cat/2.png"),
        ("1", None),
        ("10_cat/1", "10_cat/1.png"),
        ("/workspace/train/10_cat/1", "10_cat/1.png"),
        ("cat/1.png", None),
        ("twin", "5_dog/twin.jpg"),
        ("5_dog/twin.png", "5_dog/twin.png"),
        ("b.png", None),
        ("a.jpg", None),
        ("", None),
    ],
)
def test_the_image_meant(library: Library, name: str, meant: str | None) -> None:
    found = Addresses(library, library.folder).find(name)
    assert (None if found is None else library[found].relative) == meant


def test_names_start_from_the_files_folder_first(library: Library) -> None:
    (library.folder / "10_cat" / "a.png").touch()
    library = Library.scan(library.folder)
    found = Addresses(library, library.folder / "10_cat").find("a.png")
    assert found is not None
    assert library[found].relative == "10_cat/a.png"
    found = Addresses(library, library.folder.parent).find("a.png")
    assert found is not None
    assert library[found].relative == "a.png"

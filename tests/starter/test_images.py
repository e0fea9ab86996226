from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageOps

from sdtui.dataset.caption import CaptionFile
from sdtui.starter import demo

FLAWED = demo.PACKAGE / "flawed"


def pictures() -> list[Path]:
    return sorted(demo.IMAGES.glob("*.png"))


def test_there_are_24_small_pictures_of_one_size() -> None:
    assert len(pictures()) == 24
    for path in pictures():
        with Image.open(path) as image:
            image.load()
            assert (image.size, image.mode) == ((128, 128), "L")
        assert path.stat().st_size < 8_000


@pytest.mark.parametrize("path", pictures(), ids=lambda path: path.stem)
def test_each_has_tags_that_begin_with_the_trigger(path: Path) -> None:
    tags = [tag.text for tag in CaptionFile.read(path.with_suffix(".txt")).tags]
    assert tags[0] == "linocut style"
    assert tags[1].replace(" ", "-") == path.stem
    assert len(tags) >= 3


def test_nothing_but_pictures_and_captions_is_shipped() -> None:
    assert {path.suffix for path in demo.IMAGES.iterdir()} == {".png", ".txt"}
    assert len(list(demo.IMAGES.iterdir())) == 48


def test_one_flawed_picture_lies_on_its_side_and_says_so() -> None:
    with Image.open(FLAWED / "dolphin.jpg") as image:
        assert image.getexif()[0x0112] == 6
        assert ImageOps.exif_transpose(image).convert("L").tobytes() != image.convert("L").tobytes()


def test_one_flawed_picture_is_truncated() -> None:
    with Image.open(FLAWED / "snail.png") as image, pytest.raises(OSError, match="truncated"):
        image.load()


def test_one_flawed_picture_has_no_caption() -> None:
    with Image.open(FLAWED / "hammer.png") as image:
        image.load()
    assert sorted(path.name for path in FLAWED.glob("*.txt")) == ["dolphin.txt", "snail.txt"]

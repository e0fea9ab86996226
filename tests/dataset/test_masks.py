from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from sdtui.dataset.image import ImageFacts
from sdtui.dataset.masks import Masks, mask_problem
from sdtui.dataset.scan import DatasetError


def mask(path: Path, width: int = 8, height: int = 8) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, height)).save(path)
    return path


def test_a_mask_has_its_images_name(tmp_path: Path) -> None:
    plain = mask(tmp_path / "cat.png")
    whole = mask(tmp_path / "dog.jpg.webp")
    inner = mask(tmp_path / "a" / "cat.bmp")
    masks = Masks(tmp_path)
    assert len(masks) == 3
    assert masks.of("cat.jpg") == plain
    assert masks.of("cat.png") == plain
    assert masks.of("dog.jpg") == whole
    assert masks.of("a/cat.webp") == inner
    assert masks.of("a/dog.jpg") is None
    assert masks.of("dog.png") is None
    assert masks.of("b/cat.jpg") is None


def test_of_two_masks_the_lossless_one(tmp_path: Path) -> None:
    for ending in (".bmp", ".png", ".webp"):
        mask(tmp_path / f"cat{ending}")
    assert Masks(tmp_path).of("cat.jpg") == tmp_path / "cat.png"


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        Masks(tmp_path / "gone")


@pytest.mark.parametrize(
    ("size", "image"),
    [
        ((640, 480), (640, 480)),
        ((320, 240), (640, 480)),
        ((1280, 960), (640, 480)),
        # 333 × 777 scaled down to a width of 100: 233.3.
        ((100, 233), (333, 777)),
        ((333, 777), (100, 233)),
    ],
)
def test_a_mask_of_another_size_fits(tmp_path: Path, size: tuple[int, int], image: tuple[int, int]) -> None:
    assert mask_problem(mask(tmp_path / "m.png", *size), ImageFacts(Path("i.png"), *image)) is None


@pytest.mark.parametrize("size", [(480, 640), (640, 470), (100, 240)])
def test_a_mask_of_another_shape_does_not(tmp_path: Path, size: tuple[int, int]) -> None:
    found = mask_problem(mask(tmp_path / "m.png", *size), ImageFacts(Path("i.png"), 640, 480))
    assert found is not None
    assert (found.kind, found.path) == ("mask-shape", tmp_path / "m.png")
    assert f"the mask has {size[0]}×{size[1]} pixels, and its image i.png 640×480" in found.message


def test_a_mask_is_turned_as_a_viewer_shows_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (64, 48)).save(tmp_path / "m.png", exif=exif)
    assert mask_problem(tmp_path / "m.png", ImageFacts(Path("i.png"), 480, 640)) is None


def test_a_damaged_mask_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    path.write_bytes(b"")
    found = mask_problem(path, ImageFacts(Path("i.png"), 640, 480))
    assert found is not None
    assert (found.kind, found.message) == ("unreadable-mask", "cannot read the mask: the file is empty")

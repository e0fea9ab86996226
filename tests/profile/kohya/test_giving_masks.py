"""Masks that sd-scripts would stop at, and what is written so that it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sdtui.profile.kohya.giving import Files, give
from tests.profile.kohya.test_giving import made


def _pictures(folder: Path, *names: str, size: tuple[int, int] = (8, 8)) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("L", size).save(folder / name)
    return str(folder)


def _given(folder: Path, *rows: dict[str, Any], **values: Any) -> Files:
    named = {key.replace("__", "."): value for key, value in values.items()}
    return give(made(named, [{"layout": "flat", **row} for row in rows]), folder)


def _told(files: Files) -> list[tuple[str, str]]:
    return [(lack.key, lack.reason) for lack in files.lacking]


def test_images_without_a_mask_and_masks_without_an_image_are_told(tmp_path: Path) -> None:
    images = _pictures(tmp_path / "a", *(f"{name}.png" for name in "abcdef"))
    masks = _pictures(tmp_path / "m", "a.png", "b.jpg", "other.png", "d.png.png")
    files = _given(tmp_path, {"path": images, "masks": masks})
    missing, stray = _told(files)
    assert missing[0] == stray[0] == "dataset.folders[0].masks"
    assert missing[1] == (
        "kohya stops: 4 of 6 images have no mask (c.png, d.png, e.png and 1 more); each needs one of its name, white for "
        "the whole image"
    )
    assert stray[1] == "kohya stops: masks that belong to no image: d.png.png, other.png"


def test_a_mask_for_every_image_is_nothing_to_tell(tmp_path: Path) -> None:
    images, masks = _pictures(tmp_path / "a", "a.png", "b.png"), _pictures(tmp_path / "m", "a.png", "b.webp")
    (tmp_path / "a" / "a.txt").write_text("a cat")
    assert _told(_given(tmp_path, {"path": images, "masks": masks})) == []
    # Masks that are not here are a check's business.
    assert _told(_given(tmp_path, {"path": images, "masks": str(tmp_path / "gone")})) == []


def test_masks_that_two_folders_share_belong_to_the_images_of_both(tmp_path: Path) -> None:
    masks = _pictures(tmp_path / "m", "a.png", "b.png")
    first, second = _pictures(tmp_path / "a", "a.png"), _pictures(tmp_path / "b", "b.png")
    assert _told(_given(tmp_path, {"path": first, "masks": masks}, {"path": second, "masks": masks})) == []


@pytest.mark.parametrize(("buckets", "told"), [("compat", 1), ("none", 0)])
def test_masks_of_another_size_are_told_where_there_are_buckets(buckets: str, told: int, tmp_path: Path) -> None:
    images, masks = _pictures(tmp_path / "a", "a.png", "b.png"), _pictures(tmp_path / "m", "a.png")
    _pictures(tmp_path / "m", "b.png", size=(4, 4))
    files = _given(tmp_path, {"path": images, "masks": masks}, dataset__buckets=buckets)
    reason = "kohya stops: masks that are not as large as their image: b.png"
    assert _told(files) == [("dataset.folders[0].masks", reason)] * told


@pytest.mark.parametrize("own", [True, False])
def test_random_crops_beside_masks_are_written_as_centre_crops(own: bool, tmp_path: Path) -> None:
    crop = {"augment_crop": "random"} if own else {}
    values = {} if own else {"augment__crop": "random"}
    files = _given(tmp_path, {"path": "/a", "masks": "/m", **crop}, {"path": "/b"}, **values)
    with_masks, without = (dataset["subsets"][0] for dataset in files.datasets)
    assert (with_masks["random_crop"], "random_crop" in without) == (False, False)
    assert files.config.get("random_crop", False) is not own
    reason = "kohya stops at random crops beside masks; here the centre is written"
    assert _told(files) == [("dataset.folders[0].augment_crop", reason)]


def test_folders_inside_another_have_the_masks_of_their_name(tmp_path: Path) -> None:
    _pictures(tmp_path / "set" / "3_cat", "a.png")
    _pictures(tmp_path / "set" / "2_dog", "b.png")
    _pictures(tmp_path / "m" / "3_cat", "a.png")
    masks = _pictures(tmp_path / "m", "b.png")
    files = _given(tmp_path, {"path": str(tmp_path / "set"), "masks": masks, "layout": "kohya"})
    assert files.datasets[0]["subsets"] == [
        {"image_dir": str(tmp_path / "set" / "2_dog"), "num_repeats": 2, "conditioning_data_dir": masks},
        {"image_dir": str(tmp_path / "set" / "3_cat"), "num_repeats": 3, "conditioning_data_dir": f"{masks}/3_cat"},
    ]
    assert _told(files) == []

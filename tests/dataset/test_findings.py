"""What is wrong with a dataset, at the settings it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sdtui.dataset.collect import collect
from sdtui.dataset.findings import dataset_findings, dataset_lines, findings_of
from sdtui.dataset.survey import folder_line, folder_plans
from sdtui.profile.schema import Profile


def profile(folder: Path, *others: dict[str, Any], share: float = 0.0, **row: Any) -> Profile:
    return Profile.model_validate(
        {
            "model": {"base": "base"},
            "dataset": {"folders": [{"path": str(folder), **row}, *others]},
            "validation": {"share": share},
            "training": {"steps": 1},
        }
    )


def picture(path: Path, mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    title = PngInfo()  # no two files are copies of each other
    title.add_text("Title", str(path))
    Image.new(mode, (64, 64)).save(path, pnginfo=title)
    path.with_suffix(".txt").write_text(path.stem)
    return path


def told(chosen: Profile) -> list[tuple[str, str, str]]:
    return [(found.code, found.key, found.severity) for found in dataset_findings(chosen)]


def test_a_sound_dataset_has_none(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    assert told(profile(tmp_path)) == []


def test_images_of_kinds_that_cannot_be_read_are_told_beside_others(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "notes.md").touch()
    chosen = profile(tmp_path)
    assert told(chosen) == []
    for name in ("b.heic", "c.HEIC", "d.jxl"):
        (tmp_path / name).write_bytes(b"pixels")
    (found,) = dataset_findings(chosen)
    assert (found.code, found.key, found.severity) == ("foreign-image", "dataset.folders[0].path", "warning")
    assert found.message == f"{tmp_path}: 3 files are images of a kind that cannot be read and left out: .heic .jxl"
    assert len(collect(chosen).training) == 1


def test_masks_without_an_image_are_told(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    for name in ("a", "b", "c"):
        Image.new("L", (64, 64)).save(picture(tmp_path / "masks" / f"{name}.png"))
    chosen = profile(tmp_path / "images", masks=str(tmp_path / "masks"))
    found = list(dataset_findings(chosen))
    assert [(each.code, each.key, each.severity) for each in found] == [
        ("stray-mask", "dataset.folders[0].masks", "warning")
    ] * 2
    assert found[0].message == f"{tmp_path}/masks/b.png: the mask has no image"
    collect(chosen).require(chosen)


def test_transparency_that_is_not_there_is_told(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    assert told(profile(tmp_path, alpha_mask=True)) == [("no-alpha", "dataset.folders[0].alpha_mask", "warning")]
    picture(tmp_path / "b.png", "RGBA")
    chosen = profile(tmp_path, alpha_mask=True)
    assert told(chosen) == []
    collection = collect(chosen)
    assert [sample.alpha_mask for sample in collection.samples] == [False, True]
    (line,) = map(folder_line, folder_plans(collection))
    assert line.endswith("flat, 2 images × 1, 1 masked by transparency")


def test_a_folder_that_is_not_divided_is_told(tmp_path: Path) -> None:
    picture(tmp_path / "one" / "a.png")
    for number in range(4):
        picture(tmp_path / "many" / f"{number}.png")
    chosen = profile(tmp_path / "one", {"path": str(tmp_path / "many")}, share=0.25)
    (found,) = dataset_findings(chosen)
    assert (found.code, found.key, found.severity) == ("not-divided", "validation.share", "warning")
    assert found.message == "validation.share holds out no image of one: a folder of one image is never divided"
    assert told(profile(tmp_path / "many", share=0.25)) == []


def test_of_many_problems_the_first_and_how_many_more(tmp_path: Path) -> None:
    for number in range(5):
        picture(tmp_path / f"{number}.png").write_bytes(b"")
    collection = collect(profile(tmp_path))
    found = list(findings_of(profile(tmp_path), collection, most=3))
    assert [each.message.split(": ")[0] for each in found[:3]] == [f"{tmp_path}/{number}.png" for number in range(3)]
    assert found[3].message == "2 more of the same kind (unreadable image); check --json lists all"
    assert (len(found), found[3].severity) == (4, "error")
    assert len(list(findings_of(profile(tmp_path), collection, most=None))) == 5


def test_what_kohyas_layout_leaves_out_is_told_with_what_takes_it_in(tmp_path: Path) -> None:
    picture(tmp_path / "2_cat" / "a.png")
    picture(tmp_path / "loose.png")
    (line,) = dataset_lines(profile(tmp_path), collect(profile(tmp_path)))
    assert line.startswith(f"warning: {tmp_path}: kohya's layout reads only folders named")
    assert line.endswith('or set layout = "flat" and recursive = true to train all alike')
    flat = profile(tmp_path, layout="flat", recursive=True)
    assert len(collect(flat).training) == 2

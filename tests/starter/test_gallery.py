"""The gallery's page: a row and a picture for each exhibit, links that lead to their headings, and pictures in rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from sdtui.profile.check import check_text
from sdtui.starter.build.gallery import EXHIBITS, Exhibit, Shown, page, write_rows
from sdtui.starter.demo import IMAGES, MODEL

PROFILE = Path(__file__).parents[2] / "profiles" / "demo.toml"


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda each: each.name)
def test_each_exhibit_is_a_profile_without_errors(exhibit: Exhibit, tmp_path: Path) -> None:
    overrides = [f"model.base={MODEL}", f'dataset.folders=[{{path="{IMAGES}"}}]', *exhibit.settings]
    if exhibit.prompt != Exhibit.prompt:
        overrides += ["captions.template=subject", "previews.prompts=[]", "saving.trigger=my-style"]
    report = check_text(PROFILE.read_text(), tmp_path / "demo.toml", overrides, places=False)
    assert [problem.message for problem in report.errors] == []


def test_the_page_has_a_row_and_a_picture_for_each() -> None:
    shown = [
        Shown(Exhibit("ia3", "(IA)³", ("method.algorithm=ia3",), words="One factor."), 144_000, 0, 15),
        Shown(Exhibit("full", "Full fine-tuning", words="All."), 75 * 2**20, 1, 30),
    ]
    lines = page(shown).splitlines()
    assert "| [(IA)³](#ia) | 0 of 32 | 15 of 32 | 141 KiB |" in lines
    assert "| [Full fine-tuning](#full-fine-tuning) | 1 of 32 | 30 of 32 | 75.0 MiB |" in lines
    assert "One factor. `method.algorithm = ia3`" in lines
    assert "![Full fine-tuning: before above, after below](images/gallery-full.png)" in lines


def test_pictures_stand_in_rows_each_pixel_enlarged(tmp_path: Path) -> None:
    files = []
    for number in range(4):
        files.append(tmp_path / f"{number}.png")
        Image.new("RGB", (3, 3), (60 * number, 0, 0)).save(files[-1])
    write_rows([files[:2], files[2:]], tmp_path / "docs" / "sheet.png")
    with Image.open(tmp_path / "docs" / "sheet.png") as sheet:
        image = sheet.convert("RGB")
    assert image.size == (16, 16)
    corners = [image.getpixel(place) for place in ((0, 0), (15, 0), (0, 15), (15, 15), (8, 8))]
    assert corners == [(0, 0, 0), (60, 0, 0), (120, 0, 0), (180, 0, 0), (255, 255, 255)]
